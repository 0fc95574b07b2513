"""What each kind of alert says, how grave it is, and what its owner can do about it.

What does not live here: pages, mails and addresses of buttons (the edges), which translate what is told here.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from patchbay.errors import N_
from patchbay.models import Alert, AlertKind


class Severity(StrEnum):
    """How grave it is: something does not work, or will not."""

    ERROR = "error"
    WARNING = "warning"


class Repair(StrEnum):
    """What mends it, as one button."""

    RECONNECT = "reconnect"
    OPEN_RUN = "open_run"
    OPEN_FAILED_RUNS = "open_failed_runs"
    OPEN_INTEGRATION = "open_integration"
    REVIEW_DELETIONS = "review_deletions"
    LOOK_AT_HEALTH = "look_at_health"


@dataclass(frozen=True)
class Story:
    """Title and sentence are message ids with placeholders; `cases` are other sentences, chosen by the param `case`."""

    title: str
    sentence: str
    severity: Severity
    repair: Repair
    cases: Mapping[str, str] = field(default_factory=dict)


Translate = Callable[[str], str]
"""A message id in the reader's language."""

UNKNOWN = "…"
_PLACEHOLDER = re.compile(r"%\((\w+)\)s|%%")

_STORIES: Mapping[AlertKind, Story] = {
    AlertKind.INTEGRATION_DOWN: Story(
        N_("%(provider)s does not answer"),
        N_(
            "Most requests to %(provider)s fail, so Patchbay has stopped asking for a while. "
            "Syncs continue by themselves."
        ),
        Severity.ERROR,
        Repair.OPEN_INTEGRATION,
    ),
    AlertKind.NO_SUCCESS: Story(
        N_("No successful sync with %(provider)s"),
        N_("“%(operation)s” is scheduled, and has not succeeded since %(since)s."),
        Severity.ERROR,
        Repair.OPEN_RUN,
    ),
    AlertKind.ERROR_RATE: Story(
        N_("Many syncs with %(provider)s fail"),
        N_("%(failed)s of %(total)s runs within 24 hours have failed."),
        Severity.ERROR,
        Repair.OPEN_FAILED_RUNS,
    ),
    AlertKind.QUOTA_NEAR: Story(
        N_("%(provider)s: the quota is nearly used up"),
        N_("Patchbay has used %(percent)s %% of what %(provider)s allows. Syncs wait when nothing is left."),
        Severity.WARNING,
        Repair.OPEN_INTEGRATION,
    ),
    AlertKind.AUTH_FAILED: Story(
        N_("%(provider)s needs you to reconnect"),
        N_("%(provider)s no longer accepts the saved access. Syncs are paused until you reconnect; settings are kept."),
        Severity.ERROR,
        Repair.RECONNECT,
    ),
    AlertKind.RUN_STUCK: Story(
        N_("A run with %(provider)s is stuck"),
        N_("“%(operation)s” has made no progress since %(since)s. Cancel it and start it again."),
        Severity.WARNING,
        Repair.OPEN_RUN,
        {"waiting": N_("“%(operation)s” was to go on at %(since)s and has not. Check that the workers run.")},
    ),
    AlertKind.BACKLOG_OLD: Story(
        N_("Runs wait for a worker"),
        N_("The oldest one has waited since %(since)s. Check that the workers run, or raise WORKERS."),
        Severity.ERROR,
        Repair.LOOK_AT_HEALTH,
    ),
    AlertKind.DISK_LOW: Story(
        N_("The disk is nearly full"),
        N_("%(free)s are left where Patchbay keeps its data. Without room nothing more can be stored."),
        Severity.ERROR,
        Repair.LOOK_AT_HEALTH,
    ),
    AlertKind.API_ENDING: Story(
        N_("%(provider)s ends an interface that Patchbay uses"),
        N_("It stops working at %(until)s. Update Patchbay before."),
        Severity.WARNING,
        Repair.OPEN_INTEGRATION,
        {"undated": N_("%(provider)s has marked it as deprecated and names no day. Update Patchbay soon.")},
    ),
    AlertKind.UNEXPECTED_SHAPE: Story(
        N_("%(provider)s answers in an unknown form"),
        N_(
            "“%(operation)s” has stopped; your data here is unchanged. "
            "Update Patchbay, or report the technical details."
        ),
        Severity.ERROR,
        Repair.OPEN_RUN,
    ),
    AlertKind.DELETIONS_HELD: Story(
        N_("%(provider)s: deletions wait for you"),
        N_("An import of %(stream)s would delete %(count)s of %(known)s records here. Look at them and decide."),
        Severity.WARNING,
        Repair.REVIEW_DELETIONS,
    ),
    AlertKind.LOGIN_ENDING: Story(
        N_("Your login at %(provider)s ends soon"),
        N_("It ends at %(ends_at)s. Reconnect before, and syncs go on without a break."),
        Severity.WARNING,
        Repair.RECONNECT,
    ),
}
_NAMES = ("operation", "stream")
_MOMENTS = ("since", "until", "ends_at", "time")


def of(kind: AlertKind) -> Story:
    """The story of a kind."""
    return _STORIES[kind]


def told(alert: Alert, translate: Translate, when: Callable[[datetime], str]) -> tuple[str, str]:
    """Title and sentence in words; `when` writes a moment. What nobody has said stands as "…"."""
    story = of(alert.kind)
    sentence = story.cases.get(alert.params.get("case", ""), story.sentence)
    words = {name: _shown(name, text, translate, when) for name, text in alert.params.items()}
    return filled(translate(story.title), words), filled(translate(sentence), words)


def filled(text: str, words: Mapping[str, str]) -> str:
    """The placeholders filled; by hand, since the operator % would fail at a stray percent sign."""
    return _PLACEHOLDER.sub(lambda found: "%" if found[1] is None else words.get(found[1], UNKNOWN), text)


def _shown(name: str, text: str, translate: Translate, when: Callable[[datetime], str]) -> str:
    """Moments arrive as ISO 8601, operations and streams as message ids; everything else as it is to be read."""
    if name in _NAMES and text:
        return translate(text)
    if name not in _MOMENTS:
        return text
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return when(moment) if moment.tzinfo is not None else text
