"""The mutator: what it makes of the witnesses' tests, and that the document has its rates."""

import pytest

from patchbay.settings import ROOT
from scripts.conformance import MUTATION, TITLE, declared, kept_parts
from scripts.mutation import COUNT, Mutant, Trial, main, part, table, tried

TRIAL = Trial("Acme", (Mutant("GET /a → 200", "status 404", "test_a"), Mutant("GET /a → 200", "without `b`", "")))


def test_a_few_changes_of_a_real_platform_are_tried_and_some_are_noticed() -> None:
    trial = tried("Google Drive", 4)

    assert len(trial.mutants) == 4
    assert len(trial.survivors) < 4


def test_the_document_has_the_rate_of_every_platform_that_has_a_witness() -> None:
    rows = [line for line in kept_parts()[MUTATION].splitlines() if line.startswith("| ")]
    platforms = {witness.platform for witness in declared().witnesses}

    assert {row.split(" | ")[0].removeprefix("| ") for row in rows[2:]} == platforms, "run: make conformance"
    assert {row.split(" | ")[1] for row in rows[2:]} == {str(COUNT)}


def test_what_was_not_noticed_is_listed() -> None:
    assert "Acme" in table([TRIAL])
    assert "50 % of 2 changes noticed" in table([TRIAL])
    for text in (table([TRIAL]), part([TRIAL])):
        assert "- GET /a → 200: without `b`" in text
        assert "status 404" not in text


def test_the_document_consists_of_both_parts() -> None:
    parts = kept_parts()

    assert "\n".join([parts[TITLE], parts[MUTATION]]) == (ROOT / "docs" / "conformance.md").read_text("utf-8")


def test_an_unknown_platform_is_refused() -> None:
    with pytest.raises(SystemExit):
        main(["--platform", "Nowhere"])
