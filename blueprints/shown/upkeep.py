"""Deletions, comparisons and clashes as pages show them: their states in words, and what can be done about them."""

from dataclasses import dataclass
from datetime import datetime

from blueprints.shown.platforms import AtPlatform
from patchbay.errors import N_
from patchbay.models import Clash, Comparison, Deletion, DeletionState, Difference, DifferenceKind, Record
from patchbay.records import deletions
from patchbay.spec import Provider

STATES = {
    DeletionState.HELD: N_("Waits for you"),
    DeletionState.DELETED: N_("Deleted here"),
    DeletionState.KEPT: N_("Kept"),
    DeletionState.REPLACED: N_("No longer asked"),
    DeletionState.UNDONE: N_("Brought back"),
}
TONES = {DeletionState.HELD: ("warn", "pause"), DeletionState.DELETED: ("soon", "stop")}
KINDS = {
    DifferenceKind.MISSING: N_("Missing here"),
    DifferenceKind.CHANGED: N_("Changed"),
    DifferenceKind.DELETED: N_("Deleted there"),
}


@dataclass(frozen=True)
class DeletionShown(AtPlatform):
    """What a run missed; `remaining` is how many records it is still about."""

    _deletion: Deletion
    _provider: Provider
    remaining: int

    @property
    def run_id(self) -> str:
        """The run that missed them."""
        return self._deletion.run_id

    @property
    def stream(self) -> str:
        """What kind of objects they are."""
        return self._deletion.stream

    @property
    def state(self) -> str:
        """In words (a message id)."""
        return STATES[self._deletion.state]

    @property
    def tone(self) -> tuple[str, str]:
        """Tone and icon of its badge."""
        return TONES.get(self._deletion.state, ("ok", "check"))

    @property
    def is_held(self) -> bool:
        """Whether it waits for a decision."""
        return self._deletion.state is DeletionState.HELD

    @property
    def can_undo(self) -> bool:
        """Whether the records can be brought back."""
        return deletions.can_be_undone(self._deletion)

    @property
    def undo_until(self) -> datetime:
        """Until when."""
        return (self._deletion.decided_at or self._deletion.created_at) + deletions.UNDO_FOR

    @property
    def count(self) -> int:
        """How many records the run missed."""
        return self._deletion.count

    @property
    def known(self) -> int:
        """Of how many."""
        return self._deletion.known

    @property
    def percent(self) -> int:
        """What share that is, in whole percent."""
        return round(100 * self._deletion.count / self._deletion.known) if self._deletion.known else 0

    @property
    def at(self) -> datetime:
        """When the run came to its end."""
        return self._deletion.created_at


@dataclass(frozen=True)
class ComparisonShown(AtPlatform):
    """What a comparison has found."""

    _comparison: Comparison
    _provider: Provider

    @property
    def run_id(self) -> str:
        """The run that compared."""
        return self._comparison.run_id

    @property
    def stream(self) -> str:
        """What was compared."""
        return self._comparison.stream

    @property
    def at(self) -> datetime:
        """When it began."""
        return self._comparison.created_at

    @property
    def has_ended(self) -> bool:
        """Whether all was compared."""
        return self._comparison.ended_at is not None

    @property
    def is_whole(self) -> bool:
        """Whether the platform's list can be trusted to have been all of it."""
        return self._comparison.is_whole

    @property
    def same(self) -> int:
        """How many agree."""
        return self._comparison.count_same

    @property
    def differences(self) -> int:
        """How many do not."""
        return self._comparison.differences

    @property
    def counts(self) -> list[tuple[str, str, int]]:
        """Kind, its words (a message id), how many."""
        return [(kind.value, words, getattr(self._comparison, f"count_{kind.value}")) for kind, words in KINDS.items()]

    @property
    def repair_id(self) -> str | None:
        """The run that repaired it."""
        return self._comparison.repair_id

    @property
    def can_repair(self) -> bool:
        """Whether there is something to repair, and nobody has begun to."""
        return self.has_ended and self.differences > 0 and self.repair_id is None


@dataclass(frozen=True)
class DifferenceRow:
    """One object that disagrees."""

    _difference: Difference

    @property
    def id(self) -> str:
        """Its id."""
        return self._difference.id

    @property
    def kind(self) -> str:
        """In which way, in words (a message id)."""
        return KINDS[self._difference.kind]

    @property
    def title(self) -> str:
        """What people know the object by."""
        return self._difference.title or self._difference.external_id

    @property
    def external_id(self) -> str:
        """Its id at the platform."""
        return self._difference.external_id

    @property
    def record_id(self) -> str | None:
        """The record, where there is one."""
        return self._difference.record_id

    @property
    def fields(self) -> list[str]:
        """What has changed."""
        return self._difference.fields


@dataclass(frozen=True)
class ClashRow:
    """One field where an edit made here met a change made there."""

    _clash: Clash
    _record: Record
    label: str
    integration_name: str

    @property
    def id(self) -> str:
        """Its id."""
        return self._clash.id

    @property
    def record_id(self) -> str:
        """Of which record."""
        return self._record.id

    @property
    def title(self) -> str:
        """What people know the record by."""
        return self._record.title or self._record.external_id

    @property
    def local(self) -> object:
        """The value from here."""
        return self._clash.local_value

    @property
    def remote(self) -> object:
        """The value from there."""
        return self._clash.remote_value

    @property
    def winner(self) -> str:
        """Whose value stays: open, local, remote."""
        return self._clash.winner.value

    @property
    def at(self) -> datetime:
        """When they met."""
        return self._clash.created_at
