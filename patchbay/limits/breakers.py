"""Circuit breakers: a platform, or one connection to it, that fails too often is left alone for a while.

Open and closed are shared by all workers; where Redis knows nothing, all are closed. What counts as a failure is said
by whoever notes it: no answer and passing faults, never a refusal and never throttling.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import msgspec

from patchbay import clock, providers
from patchbay.errors import CircuitOpen
from patchbay.limits import store

PROBE_LEASE_S = 120  # a probe that was never answered, by a worker that was killed, is given up after so long
OPEN = "patchbay:breakers:open"
"""The set of the places of all that are open, for those who tell people."""

LEAST_CALLS = {"platform": 20, "connection": 8, "login": 5}


_PLACE = re.compile(r"patchbay:breaker:\{(?P<key>[^:}]+):(?P<flag>\w+)\}:(?P<scope>\w+):(?P<id>.*)")


class Event(StrEnum):
    """What a note has brought about."""

    NOTHING = ""
    OPENED = "opened"
    CLOSED = "closed"


@dataclass(frozen=True)
class Breaker:
    """What is left alone together: `scope` is platform, connection or login (the token endpoint)."""

    scope: str
    provider_key: str
    is_sandbox: bool
    connection_id: str = ""

    @property
    def place(self) -> str:
        """Where Redis keeps it."""
        flag = "sandbox" if self.is_sandbox else "live"
        return f"patchbay:breaker:{{{self.provider_key}:{flag}}}:{self.scope}:{self.connection_id}"


@dataclass(frozen=True)
class Failure:
    """One request that failed: when (aware UTC), and in what way."""

    at: datetime
    what: str


@dataclass(frozen=True)
class State:
    """How a breaker stands. `opened_at`, `closed_at` are of the last time; `retry_at` is when the next probe may go.

    All are aware UTC, and None where there is nothing to tell. `failures` are the last ones, the newest first.
    """

    breaker: Breaker
    is_open: bool = False
    is_probing: bool = False
    opened_at: datetime | None = None
    closed_at: datetime | None = None
    retry_at: datetime | None = None
    failures: tuple[Failure, ...] = ()


class _Failed(msgspec.Struct):
    at: float
    what: str


def check(provider_key: str, connection_id: str, *, is_sandbox: bool = False) -> None:
    """Raise CircuitOpen while the platform or the connection is to be left alone; the one probe goes through."""
    _check(_breakers(provider_key, connection_id, is_sandbox=is_sandbox))


def note(
    provider_key: str, connection_id: str, *, failed: bool, is_sandbox: bool = False, what: str = ""
) -> tuple[tuple[Breaker, Event], ...]:
    """Count what became of a request that `check` let pass; `what` says in what way it failed, without secrets."""
    return _note(_breakers(provider_key, connection_id, is_sandbox=is_sandbox), failed=failed, what=what)


def check_login(provider_key: str, *, is_sandbox: bool = False) -> None:
    """The same for the token endpoint, which fails and works apart from the rest of a platform."""
    _check((Breaker("login", provider_key, is_sandbox),))


def note_login(
    provider_key: str, *, failed: bool, is_sandbox: bool = False, what: str = ""
) -> tuple[tuple[Breaker, Event], ...]:
    """Count what became of a request to the token endpoint."""
    return _note((Breaker("login", provider_key, is_sandbox),), failed=failed, what=what)


def state(provider_key: str, connection_id: str, *, is_sandbox: bool = False) -> State:
    """How things stand for a connection: its platform's breaker while that is open, else its own."""
    breakers = _breakers(provider_key, connection_id, is_sandbox=is_sandbox)
    told = states(breakers)
    return next((each for each in told if each.is_open), told[-1])


def of_connection(provider_key: str, connection_id: str, *, is_sandbox: bool = False) -> tuple[Breaker, ...]:
    """All breakers that have a say in a connection, its own last."""
    return (Breaker("login", provider_key, is_sandbox), *_breakers(provider_key, connection_id, is_sandbox=is_sandbox))


def all_open() -> tuple[Breaker, ...]:
    """Every breaker that is open. Raises store.Unreachable."""
    found = (_PLACE.fullmatch(place) for place in store.members(OPEN))
    breakers = [Breaker(one["scope"], one["key"], one["flag"] == "sandbox", one["id"]) for one in found if one]
    return tuple(each.breaker for each in states(breakers) if each.is_open)


def states(breakers: Sequence[Breaker]) -> tuple[State, ...]:
    """How each stands, in one question to Redis; closed, with nothing to tell, while it is away."""

    def look(redis: Any) -> list[Any]:
        pipe = redis.pipeline(transaction=False)
        for breaker in breakers:
            pipe.hgetall(breaker.place)
            pipe.lrange(f"{breaker.place}:errors", 0, -1)
        return list(pipe.execute())

    try:
        answers = store.ask(look)
    except store.Unreachable:
        return tuple(State(breaker) for breaker in breakers)
    return tuple(
        _read(breaker, fields, errors)
        for breaker, fields, errors in zip(breakers, answers[0::2], answers[1::2], strict=True)
    )


def _breakers(provider_key: str, connection_id: str, *, is_sandbox: bool) -> tuple[Breaker, ...]:
    """Where each owner names a server of their own, one that fails says nothing of the others."""
    own = Breaker("connection", provider_key, is_sandbox, connection_id)
    if any("{" in host for host in providers.get(provider_key).token_hosts):
        return (own,)
    return (Breaker("platform", provider_key, is_sandbox), own)


def _check(breakers: Sequence[Breaker]) -> None:
    try:
        wait_s, at = store.run("breaker_check", [breaker.place for breaker in breakers], PROBE_LEASE_S)
    except store.Unreachable:
        return
    if float(wait_s) > 0:
        shut = breakers[int(at) - 1]
        raise CircuitOpen(
            f"the breaker of the {shut.scope} is open",
            retry_at=clock.now() + timedelta(seconds=float(wait_s)),
            provider=providers.get(shut.provider_key).name,
        )


def _note(breakers: Sequence[Breaker], *, failed: bool, what: str) -> tuple[tuple[Breaker, Event], ...]:
    least = [LEAST_CALLS[breaker.scope] for breaker in breakers]
    try:
        events = store.run("breaker_note", [each.place for each in breakers], int(failed), what[:200], OPEN, *least)
    except store.Unreachable:
        return ()
    return tuple((breaker, Event(event.decode())) for breaker, event in zip(breakers, events, strict=True))


def _read(breaker: Breaker, fields: dict[bytes, bytes], errors: Sequence[bytes]) -> State:
    told = {name.decode(): float(text) for name, text in fields.items()}
    is_open = bool(told.get("is_open"))
    return State(
        breaker,
        is_open=is_open,
        is_probing=is_open and told.get("probe_until", 0.0) > 0,
        opened_at=_moment(told.get("opened_at")),
        closed_at=_moment(told.get("closed_at")),
        retry_at=_moment(told.get("retry_at")) if is_open else None,
        failures=tuple(
            Failure(datetime.fromtimestamp(each.at, UTC), each.what)
            for each in (msgspec.json.decode(text, type=_Failed) for text in errors)
        ),
    )


def _moment(seconds: float | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None
