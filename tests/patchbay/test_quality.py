"""The ladder of quality: which rung a set of met rules reaches, and what is said of a provider."""

import pytest

from patchbay import quality
from patchbay.quality import DETECTS_DELETES, RECONNECTS, RESUMES, THROTTLED, WITNESSED, Level, Standing


@pytest.mark.parametrize(
    ("met", "level"),
    [
        (set(), None),
        ({RECONNECTS}, None),
        ({RECONNECTS, THROTTLED}, Level.BRONZE),
        ({RECONNECTS, THROTTLED, DETECTS_DELETES, WITNESSED}, Level.BRONZE),
        ({RECONNECTS, THROTTLED, RESUMES}, Level.SILVER),
        ({RECONNECTS, THROTTLED, RESUMES, DETECTS_DELETES}, Level.GOLD),
        (set(quality.RULES), Level.PLATINUM),
    ],
)
def test_a_rung_is_reached_when_its_rules_and_all_below_are_met(met: set[str], level: Level | None) -> None:
    assert quality.level_of(met) is level


def test_every_rule_stands_on_one_rung_in_the_order_of_the_ladder() -> None:
    assert [name for names in quality.LADDER.values() for name in names] == list(quality.RULES)


def test_a_provider_that_was_never_tried_meets_no_rule() -> None:
    found = quality.of("never-heard-of")

    assert found.level is None
    assert {rule.standing for rule in found.rules} == {Standing.MISSING}
