"""What state a connection is in, why, and the one thing to do about it: decided from facts by one pure function.

The facts are gathered in `conditions`; the buttons are drawn by the pages.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from patchbay import clock
from patchbay.errors import N_, named
from patchbay.models import AlertKind, ConnectionState, RunStatus, WaitReason


class State(StrEnum):
    """One of four. In the order in which their connections are shown: what waits for its owner first."""

    WAITING = "waiting"
    RETRYING = "retrying"
    PAUSED = "paused"
    WORKING = "working"


class Remedy(StrEnum):
    """The one thing that helps. Where nothing needs to be done, waiting does."""

    NONE = "none"
    WAIT = "wait"
    RECONNECT = "reconnect"
    ALLOW = "allow"
    CHOOSE = "choose"
    CONFIRM_DELETIONS = "confirm_deletions"
    RESUME = "resume"
    RETRY = "retry"


@dataclass(frozen=True)
class OpenRun:
    """A run that goes on or waits. `reason` and `until` say why and till when; None while it works."""

    id: str
    status: RunStatus
    reason: WaitReason | None
    until: datetime | None


@dataclass(frozen=True)
class EndedRun:
    """The newest import that ended by itself. `error_kind` is None when it ended well."""

    id: str
    operation: str
    error_kind: str | None = None
    error_params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Facts:
    """All that a connection's state follows from. `lacks` and `choices` are titles (message ids).

    `closed_until` is when a broken circuit is tried again, None: it is whole. `is_paused`: its owner has paused
    all of its schedules; `next_at` is when the next of them runs.
    """

    connection: ConnectionState = ConnectionState.CONNECTED
    lacks: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    open_runs: tuple[OpenRun, ...] = ()
    ended: EndedRun | None = None
    closed_until: datetime | None = None
    is_paused: bool = False
    next_at: datetime | None = None
    alerts: frozenset[AlertKind] = frozenset()
    was_reached: bool = False


@dataclass(frozen=True)
class Verdict:
    """The state, the reason in words (a message id and its parameters), the remedy, and the run or schedule meant.

    `names` (message ids) are to be listed as `what` in the reason. `then` is when something is tried again by itself.
    """

    state: State
    reason: str
    remedy: Remedy = Remedy.NONE
    params: Mapping[str, str] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    run_id: str | None = None
    then: datetime | None = None


_WAITS = {
    WaitReason.RATE_LIMIT: N_("%(provider)s asked us to slow down. Going on at %(time)s."),
    WaitReason.BREAKER: N_("Many requests to %(provider)s failed of late. Going on at %(time)s."),
    WaitReason.UNAVAILABLE: N_("%(provider)s does not answer. Going on at %(time)s."),
    WaitReason.STORAGE: N_("Patchbay's database is away or its disk full. Going on at %(time)s."),
}


def judge(facts: Facts) -> Verdict:
    """The first of these that is so: what only the owner can mend, what mends itself, what they paused, nothing."""
    return _for_the_owner(facts) or _passing(facts) or _failed(facts) or _paused(facts) or _well(facts)


def _for_the_owner(facts: Facts) -> Verdict | None:
    if facts.connection is ConnectionState.RECONNECT_NEEDED:
        reason = N_("%(provider)s no longer accepts our access. Nothing is read or sent until you reconnect.")
        return Verdict(State.WAITING, reason, Remedy.RECONNECT)
    if AlertKind.LOGIN_ENDING in facts.alerts:
        reason = N_("The login at %(provider)s ends soon and cannot be renewed by itself. Reconnect before it does.")
        return Verdict(State.WAITING, reason, Remedy.RECONNECT)
    if facts.choices:
        return Verdict(State.WAITING, N_("Choose first: %(what)s."), Remedy.CHOOSE, names=facts.choices)
    if facts.lacks:
        return Verdict(State.WAITING, N_("Not allowed yet: %(what)s."), Remedy.ALLOW, names=facts.lacks)
    held = next((run for run in facts.open_runs if run.reason is WaitReason.CONFIRM_DELETIONS), None)
    if held is not None:
        reason = N_("An import found many records gone at %(provider)s. Nothing was deleted here: say what is right.")
        return Verdict(State.WAITING, reason, Remedy.CONFIRM_DELETIONS, run_id=held.id)
    return None


def _passing(facts: Facts) -> Verdict | None:
    """A wait whose time has come is over: the clock takes such a run up within seconds."""
    for run in facts.open_runs:
        if run.reason in _WAITS and run.until is not None:
            params = {"time": clock.iso(run.until)}
            return Verdict(State.RETRYING, _WAITS[run.reason], Remedy.WAIT, params, run_id=run.id, then=run.until)
    if facts.closed_until is not None:
        params = {"time": clock.iso(facts.closed_until)}
        return Verdict(State.RETRYING, _WAITS[WaitReason.BREAKER], Remedy.WAIT, params, then=facts.closed_until)
    return None


def _failed(facts: Facts) -> Verdict | None:
    """A failed import that a schedule repeats mends itself perhaps; another waits for somebody to press the button."""
    ended = facts.ended
    if ended is None or ended.error_kind is None or facts.open_runs:
        return None
    reason = ended.error_params.get("sentence") or named(ended.error_kind).sentence
    state = State.WAITING if facts.next_at is None else State.RETRYING
    return Verdict(state, reason, Remedy.RETRY, ended.error_params, run_id=ended.id, then=facts.next_at)


def _paused(facts: Facts) -> Verdict | None:
    if not facts.is_paused:
        return None
    return Verdict(State.PAUSED, N_("Paused by you: nothing runs by itself until you resume it."), Remedy.RESUME)


def _well(facts: Facts) -> Verdict:
    if facts.open_runs:
        return Verdict(State.WORKING, N_("A run is going on."), run_id=facts.open_runs[0].id)
    if not facts.was_reached:
        return Verdict(State.WORKING, N_("Connected. Nothing has run yet."))
    return Verdict(State.WORKING, N_("Everything works."))
