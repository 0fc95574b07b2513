"""How a platform says how much may still be asked of it, so that it need not say no."""

from collections.abc import Callable
from dataclasses import dataclass

from patchbay.spec.api import Answer


@dataclass(frozen=True)
class Budget:
    """A bucket as the platform reported it: what is left, what it holds, what flows back per second, and what the
    last request cost (all in the platform's own unit)."""

    available: float
    maximum: float
    per_second: float
    cost: float


@dataclass(frozen=True)
class Throttle:
    """`read` finds the budget in an answer (None: it says nothing). The budget is shared per connection."""

    read: Callable[[Answer], Budget | None]
