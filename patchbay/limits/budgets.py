"""One budget for all workers: a request is reserved before it is sent, and settled by what its answer told.

Knowledge only: Redis may be wiped or away. Then the platform's own answers teach it again, and until they do each
process keeps to its own part (`caution`).
"""

import contextlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import msgspec

from patchbay import settings
from patchbay.limits import store
from patchbay.limits.caution import Caution
from patchbay.models import Connection, new_id
from patchbay.spec import Answer, Budget, CountedBy, Request, Throttle, Window

PATIENCE_S = 5.0  # who is told to wait longer leaves, and holds no place among the waiting
LONGEST_PAUSE_S = 31 * 24 * 3600.0
SHORTEST_PAUSE_S = 0.5
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


@dataclass(frozen=True)
class Permit:
    """Leave to send one request, or how long to wait before asking again. It must be settled or abandoned."""

    key: Key
    throttle: Throttle
    request: Request
    wait_s: float = 0.0
    id: str = ""
    granted_at: float = 0.0
    taken: tuple[Mapping[str, Any], ...] = field(default=())


def of(connection: Connection) -> Key:
    """Two connections with one account share its budget, as they do at the platform."""
    return Key(connection.integration_id, connection.is_sandbox, connection.account_id or connection.id)


def reserve(key: Key, throttle: Throttle, request: Request, *, is_action: bool) -> Permit:
    """Set aside what the request needs from every limit that counts it; `wait_s` above 0: nothing was set aside.

    Imports and actions of one account take turns when there is not enough for both, and so do the accounts of an app.
    """
    account, _ = key.owners
    lane, cost = throttle.lane(request), throttle.cost(request)
    paused_s = caution.pause_left_s(account, lane)
    if paused_s:
        return Permit(key, throttle, request, paused_s)
    windows = _counting(throttle, request)
    permit_id = new_id("pmt")
    asked = {
        "permit": permit_id,
        "party": f"{'action' if is_action else 'import'}:{key.account}",
        "lane": lane,
        "alike": throttle.alike(request),
        "cost": cost,
        "patience": PATIENCE_S,
        "windows": [_described(window) for window in windows],
        "promised": [_told(budget) for budget in throttle.budgets],
    }
    try:
        answer = store.run("reserve", key.owners, msgspec.json.encode(asked))
    except store.Unreachable:
        processes = settings.current().workers + settings.current().web_workers
        return Permit(key, throttle, request, caution.wait_s(account, windows, cost, processes))
    wait_s, *rest = (text.decode() for text in answer)
    if float(wait_s) > 0:
        return Permit(key, throttle, request, float(wait_s))
    return Permit(key, throttle, request, 0.0, permit_id, float(rest[0]), _taken(rest[1:]))


def settle(permit: Permit, answer: Answer, *, took_s: float, pause_s: float | None = None) -> None:
    """Learn from the answer, which came `took_s` after sending; `pause_s`: a refusal asks to wait so long."""
    told = tuple(permit.throttle.read(answer)) if permit.throttle.read else ()
    budgets = [sane for one in told if isinstance(one, Budget) and (sane := _sane(one)) is not None]
    sizes = [one for one in told if isinstance(one, Window) and one.most > 0]
    pause_s = None if pause_s is None else min(max(pause_s, SHORTEST_PAUSE_S), LONGEST_PAUSE_S)
    if pause_s is not None:
        caution.pause(permit.key.owners[0], permit.throttle.lane(permit.request), pause_s)
    for budget in budgets:
        caution.learn(permit.key.owners[0], budget)
    _write(permit, budgets, sizes, took_s=took_s, pause_s=pause_s)


def abandon(permit: Permit) -> None:
    """No answer came: nobody knows whether the platform counted the request, so it stays counted for its time."""
    _write(permit, [], [], took_s=None, pause_s=None)


def forget_here() -> None:
    """Forget what this process alone remembers, and look for Redis again: for an installation of another kind."""
    caution.clear()
    store.come_back()


def _write(
    permit: Permit, budgets: Sequence[Budget], sizes: Sequence[Window], *, took_s: float | None, pause_s: float | None
) -> None:
    said: dict[str, Any] = {
        "permit": permit.id,
        "granted_at": permit.granted_at,
        "lane": permit.throttle.lane(permit.request),
        "alike": permit.throttle.alike(permit.request),
        "windows": [_described(window) for window in _counting(permit.throttle, permit.request)] if permit.id else [],
        "taken": permit.taken,
        "sizes": [{"owner": _owner(one.by), "name": one.name, "most": one.most} for one in sizes],
        "told": [_told(budget) for budget in budgets],
        "pause": pause_s or 0,
    }
    if took_s is not None:
        said["took"] = took_s
    with contextlib.suppress(store.Unreachable):
        store.run("settle", (*permit.key.owners, NEARLY_SPENT), msgspec.json.encode(said))


def _counting(throttle: Throttle, request: Request) -> list[Window]:
    return [window for window in throttle.windows if window.counts is None or window.counts(request)]


def _described(window: Window) -> dict[str, Any]:
    return {"owner": _owner(window.by), "name": window.name, "most": window.most, "seconds": window.seconds}


def _told(budget: Budget) -> dict[str, Any]:
    spent = budget.cost if budget.spent is None else budget.spent
    return asdict(budget) | {"owner": _owner(budget.by), "spent": spent}


def _owner(by: CountedBy) -> int:
    """Its place among the keys, as Lua counts."""
    return _OWNERS.index(by) + 1


def _taken(words: Sequence[str]) -> tuple[Mapping[str, Any], ...]:
    threes = zip(words[0::3], words[1::3], words[2::3], strict=True)
    return tuple({"owner": int(owner), "name": name, "cost": float(cost)} for owner, name, cost in threes)


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
