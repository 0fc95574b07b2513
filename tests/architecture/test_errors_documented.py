"""Every error: its place in the tree of `patchbay.errors`, its words, and its entry in docs/troubleshooting.md."""

import re
from pathlib import Path

import pytest

from patchbay import errors
from patchbay.errors import PatchbayError

DOCS = (Path(__file__).parent.parent.parent / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
ENTRIES = re.findall(r"^### ([A-Z_]+)$", DOCS, flags=re.MULTILINE)
CLASSES = sorted(errors._ALL.values(), key=lambda kind: kind.__name__)
OF_THE_CONTRACT = {
    "CONNECTION_FAILED": {502}, "OAUTH_ERROR": {502}, "TOKEN_EXPIRED": {409}, "INVALID_CREDENTIALS": {409},
    "API_ERROR": {502}, "SYNC_FAILED": {502}, "RATE_LIMIT_EXCEEDED": {429}, "NETWORK_ERROR": {504},
    "VALIDATION_ERROR": {400, 415, 422}, "UNAUTHENTICATED": {401}, "FORBIDDEN": {403}, "NOT_FOUND": {404},
    "CONFLICT": {409}, "TOO_LARGE": {413}, "TOO_MANY_REQUESTS": {429}, "INTERNAL_ERROR": {500},
    "STORAGE_UNAVAILABLE": {503}, "STORAGE_FULL": {507},
}  # fmt: skip


def test_every_code_has_one_entry_and_every_entry_a_code() -> None:
    assert sorted(ENTRIES) == sorted({kind.code for kind in CLASSES})


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_a_code_has_the_status_of_the_contract(kind: type[PatchbayError]) -> None:
    assert kind.http_status in OF_THE_CONTRACT[kind.code]


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_an_error_says_what_happened_without_blame(kind: type[PatchbayError]) -> None:
    for words in (kind.title, kind.sentence):
        assert words
        assert "!" not in words
        assert "oops" not in words.lower()
    assert kind.code not in kind.title
    assert kind.sentence.endswith(".")


@pytest.mark.parametrize(
    "kind", [kind for kind in CLASSES if kind is not PatchbayError], ids=lambda kind: kind.__name__
)
def test_an_error_is_drawn_in_the_tree_with_its_code_and_status(kind: type[PatchbayError]) -> None:
    lines = str(errors.__doc__).splitlines()

    drawn = [line for line in lines if re.search(rf"─ {kind.__name__} ", f"{line} ")]
    assert len(drawn) == 1
    if kind is not errors.Refused:
        assert f" {kind.code} " in drawn[0]
        assert f" {kind.http_status}" in drawn[0]


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_a_row_finds_the_error_by_its_name(kind: type[PatchbayError]) -> None:
    assert errors.named(kind.__name__) is kind


def test_a_name_from_another_age_finds_the_root() -> None:
    assert errors.named("LongGone") is PatchbayError
