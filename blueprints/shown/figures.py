"""Figures as one reads them: shares, lengths of time, what they should be, and a day of hours drawn as a line.

What is counted lives in `patchbay.health`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from flask_babel import gettext

from blueprints.rendering import formats, said
from patchbay.errors import N_
from patchbay.health import AVAILABILITY_TARGET, FAILURES_TARGET, LONGEST_CALL_TARGET_MS, Figures, Hour
from patchbay.models import Outcome

WIDTH, HEIGHT = 120, 28


class Standing(StrEnum):
    """How a figure stands to its target."""

    MET = "met"
    MISSED = "missed"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Target:
    """A figure beside what it should be: `name` and `wanted` in words, `value` "–" when nothing was counted.

    `note` says in words what it counts or what it is made of, "" where the name says all.
    """

    name: str
    value: str
    wanted: str
    standing: Standing
    note: str = ""


@dataclass(frozen=True)
class Line:
    """Hours as a drawing of 120 by 28: a line of success rates, its last point, a bar for each hour with failures."""

    label: str
    points: str
    last: tuple[int, int] | None
    bars: str


def targets(figures: Sequence[Figures]) -> list[Target]:
    """The figures of these connections together, beside what they should be."""
    together = Figures.added(figures)
    available, p95, failed = together.availability, together.p95_ms, together.failure_rate
    return [
        Target(
            said(N_("Availability")),
            share(available),
            said(N_("above %(what)s"), {"what": share(AVAILABILITY_TARGET)}),
            _standing(None if available is None else available > AVAILABILITY_TARGET),
            said(N_("Calls at which the platform worked, even if it refused them")),
        ),
        Target(
            said(N_("95% of calls within")),
            length(p95),
            said(N_("under %(what)s"), {"what": length(LONGEST_CALL_TARGET_MS)}),
            _standing(None if p95 is None else p95 < LONGEST_CALL_TARGET_MS),
        ),
        Target(
            said(N_("Failed calls")),
            share(failed, up=True),
            said(N_("under %(what)s"), {"what": share(FAILURES_TARGET)}),
            _standing(None if failed is None else failed < FAILURES_TARGET),
            failures_told(together),
        ),
    ]


def failures_told(figures: Figures) -> str:
    """Whose the failures were: "2 temporary, 1 yours to mend"; "" when there were none."""
    kinds = (
        (Outcome.PASSING, N_("temporary")),
        (Outcome.OWNERS, N_("yours to mend")),
        (Outcome.OURS, N_("ours to mend")),
    )
    found = [(figures.counts.get(outcome, 0), said(word)) for outcome, word in kinds]
    return ", ".join(f"{formats.number(count)} {word}" for count, word in found if count)


def share(value: float | None, *, up: bool = False) -> str:
    """A share in percent with one decimal: cut, so that 100 % means all of them; `up`: so that 0 % means none."""
    if value is None:
        return "–"
    thousandths = math.ceil(value * 1000 - 1e-6) if up else math.floor(value * 1000 + 1e-6)
    return formats.share(thousandths / 1000)


def length(duration_ms: float | None) -> str:
    """A length of time as one reads it: "340 ms", "1.4 s"."""
    if duration_ms is None:
        return "–"
    if duration_ms < 1000:
        return str(gettext("%(n)s ms", n=formats.number(round(duration_ms))))
    if duration_ms < 60_000:
        return str(gettext("%(n)s s", n=formats.number(round(duration_ms / 1000, 1))))
    return formats.duration(timedelta(milliseconds=duration_ms))


def line_of(hours: Sequence[Hour]) -> Line:
    """The hours drawn; those without calls are passed over."""
    step = WIDTH / max(1, len(hours))
    drawn = [
        (round(step * (number + 0.5)), round(3 + (1 - hour.success_rate) * (HEIGHT - 6)), hour.success_rate)
        for number, hour in enumerate(hours)
        if hour.success_rate is not None
    ]
    return Line(
        label=_label(hours),
        points=" ".join(f"{x},{y}" for x, y, _ in drawn),
        last=drawn[-1][:2] if drawn else None,
        bars="".join(f"M{x} {HEIGHT}v-{max(2, round((1 - rate) * HEIGHT))}" for x, _, rate in drawn if rate < 1),
    )


def _label(hours: Sequence[Hour]) -> str:
    known = [(hour.success_rate, hour.starts_at) for hour in hours if hour.success_rate is not None]
    calls = sum(hour.calls for hour in hours)
    if not known:
        return str(gettext("24 hours: no calls"))
    good = sum((hour.success_rate or 0) * hour.calls for hour in hours)
    lowest, at = min(known)
    told = {"share": share(good / calls), "lowest": share(lowest), "hour": formats.hour(at)}
    if lowest == 1:
        return str(gettext("24 hours: all successful"))
    return str(gettext("24 hours: %(share)s successful, lowest %(lowest)s at %(hour)s", **told))


def _standing(is_met: bool | None) -> Standing:
    if is_met is None:
        return Standing.UNKNOWN
    return Standing.MET if is_met else Standing.MISSED
