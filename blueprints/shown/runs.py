"""Runs as pages show them: their titles, lengths, errors in words, and how often to look again."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from blueprints.rendering import said, told
from blueprints.shown.platforms import AtPlatform
from blueprints.shown.results import Told
from blueprints.shown.results import told as told_of
from patchbay import clock
from patchbay.errors import N_, named
from patchbay.models import Purpose, Run, RunStatus, Trigger
from patchbay.records import deletions
from patchbay.spec import Provider

RECONNECTABLE = {"GrantExpired", "CredentialsRefused", "ScopeMissing"}
"""Kinds of errors that another login helps against, and another try does not."""
TITLES = {
    Purpose.COMPARE: N_("Comparison"),
    Purpose.REPAIR: N_("Repair"),
    Purpose.IDS: N_("Look for deletions"),
}
FRESH, RECENT = timedelta(seconds=30), timedelta(minutes=3)


@dataclass(frozen=True)
class RunError:
    """Why a run failed. `action`: retry, reconnect, or "" when neither helps."""

    title: str
    sentence: str
    code: str
    detail: str | None
    action: str


@dataclass(frozen=True)
class RunRow(AtPlatform):
    """A run in a list or on a card."""

    _run: Run
    _provider: Provider

    @property
    def id(self) -> str:
        """Its id."""
        return self._run.id

    @property
    def title(self) -> str:
        """The operation's title (a message id)."""
        if self._run.purpose in TITLES:
            return TITLES[self._run.purpose]
        operation = self._provider.operation(self._run.operation)
        return operation.title if operation is not None else self._run.operation

    @property
    def status(self) -> RunStatus:
        """Where it stands."""
        return self._run.status

    @property
    def version(self) -> int:
        """Grows with every change that a page would show."""
        return self._run.version

    @property
    def is_open(self) -> bool:
        """Whether it may still change by itself."""
        return self._run.is_open

    @property
    def resumes_at(self) -> datetime | None:
        """When it goes on, while it waits."""
        return self._run.resumes_at if self._run.status is RunStatus.WAITING else None

    @property
    def is_asking(self) -> bool:
        """Whether it waits for its owner to decide about deletions."""
        return self._run.is_asking

    @property
    def is_comparison(self) -> bool:
        """Whether it compares and changes nothing."""
        return self._run.purpose is Purpose.COMPARE

    @property
    def created_at(self) -> datetime:
        """When it was asked for."""
        return self._run.created_at

    @property
    def started_at(self) -> datetime | None:
        """When it was first taken up."""
        return self._run.started_at

    @property
    def ended_at(self) -> datetime | None:
        """When it ended."""
        return self._run.ended_at

    @property
    def duration(self) -> timedelta | None:
        """From the first take-up to the end, or to now."""
        if self._run.started_at is None:
            return None
        return (self._run.ended_at or clock.now()) - self._run.started_at

    @property
    def progress_done(self) -> int:
        """Items so far."""
        return self._run.progress_done

    @property
    def progress_total(self) -> int | None:
        """Items in all, where the platform says."""
        return self._run.progress_total

    @property
    def counts(self) -> dict[str, int]:
        """The six counts, by name."""
        return self._run.counts

    @property
    def poll_s(self) -> int:
        """Seconds between two looks: often at first, seldom later."""
        age = clock.now() - self._run.created_at
        return 2 if age < FRESH else 5 if age < RECENT else 15


@dataclass(frozen=True)
class RunPage(RunRow):
    """A run on its own page, with the account that it works for."""

    account_label: str

    @property
    def trigger(self) -> Trigger:
        """Who asked for it."""
        return self._run.trigger

    @property
    def request_id(self) -> str | None:
        """Of the request that asked for it."""
        return self._run.request_id

    @property
    def is_cancelling(self) -> bool:
        """Whether it was told to stop and has not yet."""
        return self._run.cancel_requested_at is not None and self._run.is_open

    @property
    def stream(self) -> str | None:
        """What an import brings in; None for an action."""
        return self._run.stream

    @property
    def has_deletions(self) -> bool:
        """Whether it deleted something that can be looked at."""
        return self._run.count_deleted > 0 and deletions.of_run(self._run.id) is not None

    @property
    def told(self) -> Told | None:
        """What an action came to, for people; None while it is open, and when there is nothing to tell."""
        if self._run.result is None or self._run.stream is not None:
            return None
        found = told_of(self._provider, self._run.user_id, self._run.result)
        return None if found.is_empty else found

    @property
    def error(self) -> RunError | None:
        """Why it failed."""
        return error_of(self._run)


def error_of(run: Run) -> RunError | None:
    """Why the run failed, in words; None when it did not."""
    if run.status is not RunStatus.FAILED or run.error_kind is None:
        return None
    kind = named(run.error_kind)
    title, _ = told(run.error_kind, run.error_params)
    action = "reconnect" if run.error_kind in RECONNECTABLE else "retry"
    return RunError(title, reason_of(run), kind.code, run.error_detail, action)


def reason_of(run: Run) -> str:
    """The sentence of a failed run's error: the row's own, else that of its kind."""
    if run.error_kind is None:
        return ""
    return said(run.error_params.get("sentence") or named(run.error_kind).sentence, run.error_params)
