"""docs/resilience.md: each test that it names is there, and each test of a fault is named in it."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
TEXT = (ROOT / "docs" / "resilience.md").read_text(encoding="utf-8")
NAMED = re.compile(r"`(tests/[\w/]+\.py)`|\bthe same:|`(test_\w+)`")


def named() -> list[tuple[str, str]]:
    """File and name of every test that the document names; "the same" is the file of the row before."""
    found, file = [], ""
    for match in NAMED.finditer(TEXT):
        file = match[1] or file
        if match[2]:
            found.append((file, match[2]))
    return found


def written_in(path: str) -> set[str]:
    return set(re.findall(r"^def (test_\w+)\(", (ROOT / path).read_text(encoding="utf-8"), flags=re.MULTILINE))


@pytest.mark.parametrize(("file", "test"), named())
def test_a_test_that_is_named_is_there(file: str, test: str) -> None:
    assert test in written_in(file)


def test_every_test_of_a_fault_is_named() -> None:
    of_faults = {
        (str(path.relative_to(ROOT)), test)
        for path in (ROOT / "tests" / "faults").glob("test_*.py")
        for test in written_in(str(path.relative_to(ROOT)))
    }

    assert of_faults <= set(named())
