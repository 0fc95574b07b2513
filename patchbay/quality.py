"""How good an integration is: a level on a ladder of named rules, which the provider conformance suite finds out.

What was found lies in providers/quality.json, written by `scripts.quality`. The tests of each rule are in
tests/providers/test_conformance.py.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

from patchbay.errors import N_

FOUND = Path(__file__).parent / "providers" / "quality.json"

RECONNECTS = "reconnects-in-place"
DETECTS_DELETES = "detects-deletes"
RESUMES = "resumes-after-a-kill"
THROTTLED = "obeys-its-throttle"
WITNESSED = "has-an-outside-witness"

RULES: Mapping[str, str] = {
    RECONNECTS: N_("Reconnecting keeps its settings and what was imported."),
    THROTTLED: N_("It waits for as long as the platform asks."),
    RESUMES: N_("Work that was broken off goes on where it stopped; nothing is done twice."),
    DETECTS_DELETES: N_("What is deleted at the platform is marked as deleted here."),
    WITNESSED: N_("A client or specification that others wrote has checked it."),
}


class Level(StrEnum):
    """The rungs, from below."""

    BRONZE = "bronze"
    SILVER = "silver"
    GOLD = "gold"
    PLATINUM = "platinum"


class Standing(StrEnum):
    """What is known of one rule: its tests passed, it cannot apply, or neither."""

    HELD = "held"
    EXEMPT = "exempt"
    MISSING = "missing"


LADDER: Mapping[Level, tuple[str, ...]] = {
    Level.BRONZE: (RECONNECTS, THROTTLED),
    Level.SILVER: (RESUMES,),
    Level.GOLD: (DETECTS_DELETES,),
    Level.PLATINUM: (WITNESSED,),
}


@dataclass(frozen=True)
class Rule:
    """How one integration stands to one rule. `sentence` is a message id; `reason` says why it is exempt, else ""."""

    name: str
    sentence: str
    standing: Standing
    reason: str = ""


@dataclass(frozen=True)
class Quality:
    """The level (None: not even the first) and how each rule stands, in the order of the ladder."""

    level: Level | None
    rules: tuple[Rule, ...]


def of(provider_key: str) -> Quality:
    """What was found about a provider; of one that the suite has not met, every rule is missing."""
    found = _found().get(provider_key, {})
    rules = tuple(_rule(name, found.get(name, {})) for name in RULES)
    return Quality(level_of({rule.name for rule in rules if rule.standing is not Standing.MISSING}), rules)


def level_of(met: set[str]) -> Level | None:
    """The highest rung up to which all rules are met, by holding or by being exempt."""
    reached: Level | None = None
    for level, names in LADDER.items():
        if not met.issuperset(names):
            break
        reached = level
    return reached


def _rule(name: str, found: Mapping[str, str]) -> Rule:
    return Rule(name, RULES[name], Standing(found.get("standing", Standing.MISSING)), found.get("reason", ""))


@cache
def _found() -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    """By provider and rule: `standing`, and `reason` where it is exempt."""
    found: dict[str, dict[str, dict[str, str]]] = json.loads(FOUND.read_text("utf-8"))
    return found
