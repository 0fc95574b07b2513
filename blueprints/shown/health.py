"""How connections are, as pages show it: the state in words, the one button, figures beside their targets, a line.

How the state comes about is decided in `patchbay.health`.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import url_for
from flask_babel import ngettext

from blueprints.rendering import formats, said
from blueprints.shown.figures import Line, length, line_of, share
from patchbay import health
from patchbay.errors import N_
from patchbay.health import (
    Condition,
    Figures,
    OperationHealth,
    Remedy,
    State,
)
from patchbay.models import Connection

WORDS = {
    State.WORKING: (N_("Working"), "ok", "check"),
    State.RETRYING: (N_("Retrying"), "warn", "clock"),
    State.WAITING: (N_("Waiting for you"), "err", "person"),
    State.PAUSED: (N_("Paused"), "soon", "pause"),
}
LABELS = {
    Remedy.RECONNECT: N_("Reconnect"),
    Remedy.ALLOW: N_("Allow"),
    Remedy.CHOOSE: N_("Choose"),
    Remedy.CONFIRM_DELETIONS: N_("Decide"),
    Remedy.RESUME: N_("Resume"),
    Remedy.RETRY: N_("Retry now"),
}


@dataclass(frozen=True)
class Badge:
    """A state by word (in the reader's language), tone and icon."""

    text: str
    tone: str
    icon: str


@dataclass(frozen=True)
class Button:
    """The one thing that helps: a link, or a form that is posted."""

    label: str
    address: str
    is_posted: bool = False


@dataclass(frozen=True)
class HealthRow:
    """A connection in the list."""

    _condition: Condition

    @property
    def key(self) -> str:
        """The provider's key."""
        return self._condition.provider.key

    @property
    def name(self) -> str:
        """The provider's name."""
        return self._condition.provider.name

    @property
    def account_label(self) -> str:
        """Whose account it is."""
        return self._condition.connection.account_label

    @property
    def badge(self) -> Badge:
        """Its state."""
        text, tone, icon = WORDS[self._condition.verdict.state]
        return Badge(said(text), tone, icon)

    @property
    def is_well(self) -> bool:
        """Whether there is nothing to read about it."""
        return self._condition.verdict.state is State.WORKING

    @property
    def reason(self) -> str:
        """Why it is in that state, in a sentence."""
        verdict = self._condition.verdict
        names = formats.listed(said(name) for name in verdict.names)
        return said(verdict.reason, {"provider": self.name, "what": names, **verdict.params})

    @property
    def button(self) -> Button | None:
        """What helps; None when nothing needs to be done."""
        verdict = self._condition.verdict
        label = LABELS.get(verdict.remedy)
        if label is None:
            return None
        if verdict.remedy is Remedy.RETRY:
            return Button(said(label), url_for("runs.retry", run_id=verdict.run_id), is_posted=True)
        if verdict.remedy is Remedy.RESUME:
            return Button(said(label), url_for("schedules.resume_all", key=self.key), is_posted=True)
        return Button(said(label), _address(verdict.remedy, self.key, verdict.run_id))

    @property
    def run_address(self) -> str | None:
        """The run that the reason speaks of."""
        run_id = self._condition.verdict.run_id
        return url_for("runs.show", run_id=run_id) if run_id else None

    @property
    def success(self) -> str:
        """The share of calls of the last 24 hours that did not fail."""
        return share(self._condition.figures.success_rate)

    @property
    def p95(self) -> str:
        """The length that 95 % of the calls of the last 24 hours did not pass."""
        return length(self._condition.figures.p95_ms)

    @property
    def quota(self) -> str:
        """What is left of the limit of which most is used; "–" while nothing is known."""
        used = [one.share for one in self._condition.headrooms]
        return said(N_("%(what)s free"), {"what": share(1 - max(used))}) if used else "–"

    @property
    def line(self) -> Line:
        """The last 24 hours."""
        return line_of(self._condition.hours)

    @property
    def next_at(self) -> datetime | None:
        """When something runs by itself."""
        return self._condition.next_at

    @property
    def answered_at(self) -> datetime | None:
        """When the platform last answered."""
        return self._condition.reached.answered_at

    @property
    def changed_at(self) -> datetime | None:
        """When something new last came from there."""
        return self._condition.reached.changed_at


@dataclass(frozen=True)
class Block:
    """What the page of the integration shows: the state, and the calls of seven days."""

    row: HealthRow
    _week: Figures

    @property
    def success(self) -> str:
        """The share of calls of seven days that did not fail."""
        return share(self._week.success_rate)

    @property
    def p95(self) -> str:
        """The length that 95 % of the calls of seven days did not pass."""
        return length(self._week.p95_ms)


def block_of(connection: Connection) -> Block:
    """The block of a connection that is not disconnected."""
    week = Figures.added([one.figures for one in health.operations(connection)])
    return Block(HealthRow(health.of_connection(connection)), week)


@dataclass(frozen=True)
class OperationRow:
    """One operation over seven days: title (a message id), figures in words, when it last went well."""

    _operation: OperationHealth

    @property
    def title(self) -> str:
        """Its title (a message id)."""
        return self._operation.title

    @property
    def success(self) -> str:
        """Of its calls."""
        return share(self._operation.figures.success_rate)

    @property
    def median(self) -> str:
        """Of its calls' lengths."""
        return length(self._operation.figures.median_ms)

    @property
    def p95(self) -> str:
        """Of its calls' lengths."""
        return length(self._operation.figures.p95_ms)

    @property
    def runs(self) -> str:
        """How many ended, and how many of these failed."""
        figures = self._operation.figures
        ended = ngettext("%(count)s run", "%(count)s runs", figures.runs, count=formats.number(figures.runs))
        if not figures.failed_runs:
            return str(ended)
        failed = ngettext("%(num)s failed", "%(num)s failed", figures.failed_runs)
        return f"{ended}, {failed}"

    @property
    def succeeded_at(self) -> datetime | None:
        """When it last ended well."""
        return self._operation.reached.succeeded_at


def version_of(rows: Sequence[HealthRow]) -> str:
    """Changes with whatever the list shows; not with the time that passes."""
    return hashlib.sha256(repr([_shown(row) for row in rows]).encode()).hexdigest()[:16]


def _shown(row: HealthRow) -> tuple[object, ...]:
    moments = (row.next_at, row.answered_at, row.changed_at)
    return (
        row.quota,
        row.key,
        row.account_label,
        row.badge,
        row.reason,
        row.button,
        row.success,
        row.p95,
        row.line,
        moments,
    )


def _address(remedy: Remedy, key: str, run_id: str | None) -> str:
    if remedy is Remedy.CONFIRM_DELETIONS:
        return url_for("deletions.show", run_id=run_id)
    if remedy is Remedy.CHOOSE:
        return url_for("catalog.integration", key=key, _anchor="settings")
    return url_for("connections.connect", key=key)
