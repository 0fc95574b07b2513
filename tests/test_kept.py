"""The documents that say what tests find: when they are compared with it, and what a difference comes to."""

import pytest

from scripts.conformance import FOLDER, Case, NoReport, declared
from tests.kept import is_whole, stale


def test_each_document_that_says_otherwise_is_named_by_the_command_that_writes_it() -> None:
    files = [name for names in declared().witnesses.values() for name in names]

    told = [Case(f"{FOLDER}/{name}", "test_nothing_but_this", (), None) for name in files]

    assert list(stale(told)) == ["make conformance", ".venv/bin/python -m scripts.quality --write"]


def test_a_witness_that_nobody_asked_is_no_agreement() -> None:
    with pytest.raises(NoReport):
        list(stale([]))


@pytest.mark.parametrize(
    ("arguments", "is_compared"),
    [([], True), (["-x"], True), (["tests/sandbox"], False), (["-k", "canva"], False), (["-m", "rule"], False)],
)
def test_only_a_whole_run_is_compared(arguments: list[str], is_compared: bool) -> None:
    config = pytest.Config.fromdictargs({}, ["-p", "no:cacheprovider", *arguments])

    assert is_whole(config) is is_compared
