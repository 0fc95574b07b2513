"""Etsy's two budgets of calls: so many in a second, and so many in a rolling day made of hourly buckets.

Source: developers.etsy.com "Rate Limits", with the numbers of its example; the words of a 429 and its headers from
etsy/open-api issues #198, #256 and #620 (read 2026-11-21). The budgets are kept in memory and are full after a restart.
"""

import math
import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from werkzeug.wrappers import Response

from sandbox.hosts.etsy.refusals import EtsyRefused

PER_SECOND = 150
PER_DAY = 100_000
_BUCKET_S = 3600
_BUCKETS = 24


@dataclass(slots=True)
class _Spent:
    """What one caller has used: in the present second, and by hour."""

    second: int = 0
    in_second: int = 0
    hours: dict[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a call may go on; `wait_s` is None when it may. `left_now` and `left_today` are after this call."""

    left_now: int
    left_today: int
    wait_s: int | None = None


class Limits:
    """The budgets of all callers; a caller is an app, or an app with one seller's token."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Full budgets of the usual size."""
        self.per_second, self.per_day = PER_SECOND, PER_DAY
        self._callers: dict[Hashable, _Spent] = {}

    def take(self, caller: Hashable) -> Verdict:
        """Count one call; a refused one costs nothing."""
        now = self._clock()
        with self._lock:
            spent = self._callers.setdefault(caller, _Spent())
            hour = int(now) // _BUCKET_S
            spent.hours = {each: used for each, used in spent.hours.items() if each > hour - _BUCKETS}
            if int(now) != spent.second:
                spent.second, spent.in_second = int(now), 0
            today = sum(spent.hours.values())
            if today >= self.per_day:
                frees_at = (min(spent.hours, default=hour) + _BUCKETS) * _BUCKET_S
                return Verdict(self.per_second - spent.in_second, 0, max(1, math.ceil(frees_at - now)))
            if spent.in_second >= self.per_second:
                return Verdict(0, self.per_day - today, 1)
            spent.in_second += 1
            spent.hours[hour] = spent.hours.get(hour, 0) + 1
            return Verdict(self.per_second - spent.in_second, self.per_day - today - 1)

    def mark(self, response: Response, verdict: Verdict) -> Response:
        """The four headers that every counted answer carries."""
        response.headers["x-limit-per-second"] = str(self.per_second)
        response.headers["x-remaining-this-second"] = str(max(verdict.left_now, 0))
        response.headers["x-limit-per-day"] = str(self.per_day)
        response.headers["x-remaining-today"] = str(max(verdict.left_today, 0))
        if verdict.wait_s is not None:
            response.headers["retry-after"] = str(verdict.wait_s)
        return response

    def refusal(self, verdict: Verdict) -> Response:
        """The 429 of a spent budget."""
        spent = "daily" if verdict.left_today <= 0 else "per second"
        return self.mark(EtsyRefused(429, f"Exceeded {spent} rate limit").answer(), verdict)
