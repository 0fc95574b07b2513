"""Circuit breakers: a platform, or one connection to it, that fails too often is left alone for a while.

Open and closed are shared by all workers; where Redis knows nothing, all are closed. What counts as a failure is said
by whoever notes it: no answer and passing faults, never a refusal and never throttling.
"""

import contextlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from patchbay import clock, providers
from patchbay.errors import CircuitOpen
from patchbay.limits import store

LOGIN_LASTS_S = 20.0  # the token endpoint has answered by then: a probe that it did not is given up
OPEN = "patchbay:breakers:open"
"""The set of the places of all that are open, for those who tell people."""

LEAST_CALLS = {"platform": 20, "connection": 8, "login": 5}


_PLACE = re.compile(r"patchbay:breaker:\{(?P<key>[^:}]+):(?P<flag>\w+)\}:(?P<scope>\w+):(?P<id>.*)")


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

    @property
    def least_calls(self) -> int:
        """From how many calls on it judges."""
        return LEAST_CALLS[self.scope]


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


def of_requests(provider_key: str, connection_id: str, *, is_sandbox: bool) -> tuple[Breaker, ...]:
    """The breakers that a connection's requests pass, its own last; `budgets.reserve` asks them, `settle` tells them.

    Where each owner names a server of their own, one that fails says nothing of the others.
    """
    own = Breaker("connection", provider_key, is_sandbox, connection_id)
    if any("{" in host for host in providers.get(provider_key).token_hosts):
        return (own,)
    return (Breaker("platform", provider_key, is_sandbox), own)


def check_login(provider_key: str, *, is_sandbox: bool = False) -> None:
    """Raise CircuitOpen while the token endpoint, which fails and works apart from the rest of a platform, is to be
    left alone; the one probe goes through."""
    breaker = Breaker("login", provider_key, is_sandbox)
    try:
        wait_s, at = store.run("breaker_check", [breaker.place], LOGIN_LASTS_S)
    except store.Unreachable:
        return
    if at:
        raise circuit_open(breaker, float(wait_s))


def note_login(provider_key: str, *, failed: bool, is_sandbox: bool = False, what: str = "") -> None:
    """Count what became of a request to the token endpoint; `what` says in what way it failed, without secrets."""
    breaker = Breaker("login", provider_key, is_sandbox)
    words = (what or "failed")[:200] if failed else ""
    with contextlib.suppress(store.Unreachable):
        store.run("breaker_note", [OPEN, breaker.place], words, breaker.least_calls)


def circuit_open(shut: Breaker, wait_s: float) -> CircuitOpen:
    """The error of a request that is not sent now."""
    return CircuitOpen(
        f"the breaker of the {shut.scope} is open",
        retry_at=clock.now() + timedelta(seconds=wait_s),
        provider=providers.get(shut.provider_key).name,
    )


def state(provider_key: str, connection_id: str, *, is_sandbox: bool = False) -> State:
    """How things stand for a connection: its platform's breaker while that is open, else its own."""
    breakers = of_requests(provider_key, connection_id, is_sandbox=is_sandbox)
    told = states(breakers)
    return next((each for each in told if each.is_open), told[-1])


def of_connection(provider_key: str, connection_id: str, *, is_sandbox: bool = False) -> tuple[Breaker, ...]:
    """All breakers that have a say in a connection, its own last."""
    return (
        Breaker("login", provider_key, is_sandbox),
        *of_requests(provider_key, connection_id, is_sandbox=is_sandbox),
    )


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


def _read(breaker: Breaker, fields: dict[bytes, bytes], errors: Sequence[bytes]) -> State:
    told = {name.decode(): float(text) for name, text in fields.items() if not name.startswith(b"slice:")}
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
