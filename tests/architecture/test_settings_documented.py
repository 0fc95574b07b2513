"""Every setting that the code reads is written down for operators, and nothing else is.

What the settings do is tested in tests/patchbay/test_settings.py.
"""

import ast
import re
from pathlib import Path

import pytest

from patchbay.settings import ROOT

READERS = {"text", "secret", "number", "switch"}
LIVE = {"SHOPIFY_CLIENT_ID", "SHOPIFY_CLIENT_SECRET", "SHOPIFY_REDIRECT_URI"}  # the pattern's one example


def _calls() -> list[ast.Call]:
    files = (ROOT / "patchbay" / "settings").glob("*.py")
    return [
        node
        for file in sorted(files)
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in READERS
    ]


def _names(*readers: str) -> list[str]:
    found = set()
    for call in _calls():
        assert isinstance(call.func, ast.Attribute)
        first = call.args[0] if call.args else None
        if call.func.attr in readers and isinstance(first, ast.Constant) and isinstance(first.value, str):
            found.add(first.value)
    return sorted(found)


def _text(*parts: str) -> str:
    return Path(ROOT, *parts).read_text(encoding="utf-8")


def test_the_settings_are_found_in_the_code() -> None:
    assert {"PATCHBAY_HOME", "PORT", "SANDBOX", "SECRET_KEY"} <= set(_names(*READERS))


@pytest.mark.parametrize("name", _names(*READERS))
def test_a_setting_has_a_line_in_the_example(name: str) -> None:
    assert re.search(rf"^# {name}=", _text(".env.example"), re.MULTILINE)


@pytest.mark.parametrize("name", _names(*READERS))
def test_a_setting_has_a_row_in_the_operations_page(name: str) -> None:
    assert re.search(rf"^\|[^|]*`{name}`", _text("docs", "operations.md"), re.MULTILINE)


@pytest.mark.parametrize("name", _names("secret"))
def test_a_secret_that_may_come_from_a_file_is_said_to(name: str) -> None:
    sentence = next(line for line in _text("docs", "operations.md").splitlines() if "_FILE" in line)

    assert f"`{name}`" in sentence


def test_the_example_names_no_setting_that_the_code_does_not_read() -> None:
    named = set(re.findall(r"^# ([A-Z_]+)=", _text(".env.example"), re.MULTILINE))

    assert named - set(_names(*READERS)) - LIVE == {"SECRET_KEY_FILE"}


def test_the_pattern_of_live_credentials_is_in_both() -> None:
    assert all(f"# {name}=" in _text(".env.example") for name in LIVE)
    assert all(
        f"`<NAME>_{part}`" in _text("docs", "operations.md") for part in ("CLIENT_ID", "CLIENT_SECRET", "REDIRECT_URI")
    )
