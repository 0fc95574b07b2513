"""How much a platform lets itself be asked, and how its answers tell what is left, so that it need not say no.

What keeps to it, over all workers at once, is `patchbay.limits`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from patchbay.spec.api import Answer, Request


class CountedBy(StrEnum):
    """Whose requests a platform adds up: those for one account, or all that our app sends."""

    ACCOUNT = "account"
    APP = "app"


@dataclass(frozen=True)
class Window:
    """At most `most` requests in any stretch of so many `seconds`; with 0 seconds, at most so many at the same time.

    Only requests of which `counts` says so are counted (None: all). `most` 0: nobody knows before an answer tells it.
    """

    name: str
    most: int
    seconds: float
    counts: Callable[[Request], bool] | None = None
    by: CountedBy = CountedBy.ACCOUNT


@dataclass(frozen=True)
class Budget:
    """A bucket as an answer reported it: what is left, what it holds and what flows back per second, in its own unit.

    `cost` is what the request had to find in it, `spent` what it took in the end (None: the same). Requests leave
    `keep` untouched. `seconds` is the stretch of time that the platform counts over, where it tells one.
    """

    available: float
    maximum: float
    per_second: float
    cost: float
    spent: float | None = None
    keep: float = 0.0
    name: str = "points"
    seconds: float = 0.0
    by: CountedBy = CountedBy.ACCOUNT


def _one(_request: Request) -> float:
    return 1.0


def _all_alike(_request: Request) -> str:
    return ""


@dataclass(frozen=True)
class Throttle:
    """What a platform allows. `windows` and `budgets` are promised in its documentation: those count until an answer
    tells more, the second as full. `read` finds in an answer what is left, or how large a window of that name is.

    Requests of one `lane` are refused together: after a refusal none of them is sent before its time. Those that are
    `alike` cost the same; before that is known, `cost` estimates it in the unit of the budget.
    """

    windows: tuple[Window, ...] = ()
    budgets: tuple[Budget, ...] = ()
    read: Callable[[Answer], tuple[Budget | Window, ...]] | None = None
    lane: Callable[[Request], str] = _all_alike
    alike: Callable[[Request], str] = _all_alike
    cost: Callable[[Request], float] = _one
