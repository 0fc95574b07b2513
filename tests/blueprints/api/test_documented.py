"""The document of the JSON API names every call, every scope and every type of error that there is."""

from pathlib import Path

import pytest
from flask import Flask

from patchbay import accounts, errors
from patchbay.errors import PatchbayError

TEXT = (Path(__file__).parents[3] / "docs" / "api.md").read_text(encoding="utf-8")


def test_every_call_is_documented(app: Flask) -> None:
    calls = {
        f"`{method} {rule.rule}`"
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("api_")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }

    assert calls
    assert {call for call in calls if call not in TEXT} == set()


def test_every_type_of_error_is_documented_with_its_status() -> None:
    rows = [line for line in TEXT.splitlines() if line.startswith("| `")]

    missing = {
        (kind.code, kind.http_status)
        for kind in _tree(PatchbayError)
        if not any(row.startswith(f"| `{kind.code}` |") and str(kind.http_status) in row for row in rows)
    }

    assert missing == set()


@pytest.mark.parametrize("scope", accounts.SCOPES)
def test_every_scope_is_documented(scope: str) -> None:
    assert f"`{scope}`" in TEXT


def _tree(root: type[PatchbayError]) -> set[type[PatchbayError]]:
    """The class and all below it."""
    return {root}.union(*(_tree(child) for child in root.__subclasses__() if child.__module__ == errors.__name__))
