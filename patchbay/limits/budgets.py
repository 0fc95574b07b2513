"""One budget for all workers: a request is reserved before it is sent, and settled by what its answer told.

Knowledge only: Redis may be wiped or away. Then the platform's own answers teach it again, and until they do each
process keeps to its own part (`caution`).
"""

import contextlib
import math
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from patchbay import settings
from patchbay.limits import breakers, store
from patchbay.limits.breakers import Breaker
from patchbay.limits.caution import Caution
from patchbay.models import Connection
from patchbay.spec import Answer, Budget, CountedBy, Request, Throttle, Window

PATIENCE_S = 5.0  # who is told to wait longer leaves, and holds no place among the waiting
LONGEST_PAUSE_S = 31 * 24 * 3600.0
SHORTEST_PAUSE_S = 0.5
LONGEST_S = 35.0  # an exchange that does not say how long it may take
NEARLY_SPENT = "patchbay:limits:nearly_spent"
"""The set of the owners who have used most of what they may in an hour or more, for those who tell people."""

_OWNERS = (CountedBy.ACCOUNT, CountedBy.APP)

caution = Caution()


@dataclass(frozen=True)
class Key:
    """Whose budget is spent: an account at a platform, or at its sandbox. Its requests also count for our app there."""

    provider_key: str
    is_sandbox: bool
    account: str

    @property
    def owners(self) -> tuple[str, str]:
        """Where Redis keeps what is counted for the account, and for the app."""
        place = f"patchbay:limits:{{{self.provider_key}:{'sandbox' if self.is_sandbox else 'live'}}}"
        return f"{place}:account:{self.account}", f"{place}:app"


class Taken(msgspec.Struct):
    """What was set aside in one budget; `owner` is its place among the keys, as Lua counts."""

    owner: int
    name: str
    cost: float


@dataclass(frozen=True)
class Permit:
    """Leave to send one request, or how long to wait before asking again. It must be settled or abandoned.

    `granted_at` is Redis's time, and `id` is empty where Redis was not asked.
    """

    key: Key
    throttle: Throttle
    request: Request
    breakers: tuple[Breaker, ...] = ()
    wait_s: float = 0.0
    id: str = ""
    granted_at: float = 0.0
    taken: Sequence[Taken] = ()


class _Reply(msgspec.Struct):
    """What the script says to a request: to wait, perhaps for the breaker that is `shut`; or that it may go."""

    wait: float = 0.0
    shut: int = 0
    at: float = 0.0
    taken: Sequence[Taken] = ()


def of(connection: Connection) -> Key:
    """Two connections with one account share its budget, as they do at the platform."""
    return Key(connection.integration_id, connection.is_sandbox, connection.account_id or connection.id)


def reserve(
    key: Key,
    throttle: Throttle,
    request: Request,
    *,
    is_action: bool,
    passing: tuple[Breaker, ...] = (),
    lasts_s: float = LONGEST_S,
) -> Permit:
    """Set aside what the request needs from every limit that counts it; `wait_s` above 0: nothing was set aside.

    Imports and actions of one account take turns when there is not enough for both, and so do the accounts of an app.
    Raises CircuitOpen while one of the breakers that it is `passing` is open, but lets it through as the one probe. The
    answer is there after `lasts_s`, or comes no more.
    """
    account, _ = key.owners
    paused_s = caution.pause_left_s(account, throttle.lane(request))
    if paused_s:
        return Permit(key, throttle, request, passing, paused_s)
    permit_id, windows = secrets.token_hex(8), _counting(throttle, request)
    asked = _asked(throttle, request, windows) | {
        "permit": permit_id,
        "party": f"{'action' if is_action else 'import'}:{key.account}",
        "lasts": lasts_s,
    }
    places = [breaker.place for breaker in passing]
    try:
        answer = store.run("admit", (*key.owners, *places), msgspec.json.encode(asked))
    except store.Unreachable:
        processes = settings.current().workers + settings.current().web_workers
        wait_s = caution.wait_s(account, windows, throttle.cost(request), processes)
        return Permit(key, throttle, request, passing, wait_s)
    reply = msgspec.json.decode(answer, type=_Reply)
    if reply.shut:
        raise breakers.circuit_open(passing[reply.shut - 1], reply.wait)
    if reply.wait > 0:
        return Permit(key, throttle, request, passing, reply.wait)
    return Permit(key, throttle, request, passing, 0.0, permit_id, reply.at, reply.taken)


def settle(permit: Permit, answer: Answer, *, took_s: float, pause_s: float | None = None, failure: str = "") -> None:
    """Learn from the answer, which came `took_s` after sending; `pause_s`: a refusal asks to wait so long.

    `failure`: in what way the platform failed, "" for an answer that one in good health may give.
    """
    told = tuple(permit.throttle.read(answer)) if permit.throttle.read else ()
    budgets = [sane for one in told if isinstance(one, Budget) and (sane := _sane(one)) is not None]
    sizes = [one for one in told if isinstance(one, Window) and one.most > 0]
    pause_s = None if pause_s is None else min(max(pause_s, SHORTEST_PAUSE_S), LONGEST_PAUSE_S)
    if pause_s is not None:
        caution.pause(permit.key.owners[0], permit.throttle.lane(permit.request), pause_s)
    for budget in budgets:
        caution.learn(permit.key.owners[0], budget)
    learnt = {"took": took_s, "sizes": [_described(one) for one in sizes], "told": [_told(one) for one in budgets]}
    _write(permit, learnt | {"pause": pause_s or 0}, _said_to_breakers(permit, failure))


def abandon(permit: Permit, *, failure: str | None = None) -> None:
    """No answer came: nobody knows whether the platform counted the request, so it stays counted for its time.

    `failure`: in what way the platform failed; None where it was not the platform that broke off.
    """
    told_breakers = _said_to_breakers(permit, failure) if failure else {"least": []}
    _write(permit, {"sizes": [], "told": [], "pause": 0}, told_breakers)


def forget_here() -> None:
    """Forget what this process alone remembers, and look for Redis again: for an installation of another kind."""
    caution.clear()
    store.come_back()


def _write(permit: Permit, learnt: Mapping[str, Any], told_breakers: Mapping[str, Any]) -> None:
    said = {
        "permit": permit.id,
        "granted_at": permit.granted_at,
        "lane": permit.throttle.lane(permit.request),
        "alike": permit.throttle.alike(permit.request),
        "windows": [_described(window) for window in _counting(permit.throttle, permit.request)] if permit.id else [],
        "taken": permit.taken,
        **learnt,
        **told_breakers,
    }
    places = [breaker.place for breaker in permit.breakers]
    with contextlib.suppress(store.Unreachable):
        store.tell("settle", (*permit.key.owners, NEARLY_SPENT, breakers.OPEN, *places), msgspec.json.encode(said))


def _said_to_breakers(permit: Permit, failure: str) -> dict[str, Any]:
    return {"words": failure[:200], "least": [breaker.least_calls for breaker in permit.breakers]}


def _asked(throttle: Throttle, request: Request, windows: Sequence[Window]) -> dict[str, Any]:
    return {
        "lane": throttle.lane(request),
        "alike": throttle.alike(request),
        "cost": throttle.cost(request),
        "patience": PATIENCE_S,
        "windows": [_described(window) for window in windows],
        "promised": [_told(budget) for budget in throttle.budgets],
    }


def _counting(throttle: Throttle, request: Request) -> list[Window]:
    return [window for window in throttle.windows if window.counts is None or window.counts(request)]


def _described(window: Window) -> dict[str, Any]:
    return {"owner": _owner(window.by), "name": window.name, "most": window.most, "seconds": window.seconds}


def _told(budget: Budget) -> dict[str, Any]:
    return {
        "owner": _owner(budget.by),
        "name": budget.name,
        "available": budget.available,
        "maximum": budget.maximum,
        "per_second": budget.per_second,
        "cost": budget.cost,
        "spent": budget.cost if budget.spent is None else budget.spent,
        "keep": budget.keep,
        "seconds": budget.seconds,
    }


def _owner(by: CountedBy) -> int:
    """Its place among the keys, as Lua counts."""
    return _OWNERS.index(by) + 1


def _sane(budget: Budget) -> Budget | None:
    """The budget with what a platform cannot mean put right; None where nothing can be learnt from it."""
    numbers = (budget.available, budget.maximum, budget.per_second, budget.cost, budget.spent or 0.0)
    if not all(math.isfinite(number) for number in numbers) or budget.maximum <= 0:
        return None
    return replace(
        budget,
        available=min(max(budget.available, 0.0), budget.maximum),
        per_second=max(budget.per_second, 0.0),
        cost=max(budget.cost, 0.0),
        spent=None if budget.spent is None else max(budget.spent, 0.0),
    )
