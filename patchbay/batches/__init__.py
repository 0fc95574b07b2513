"""Batches: several runs asked for in one go, each with a result of its own, none stopping the others.

What does not live here: the jobs that need several stages (`batches.recipes`) and taking them on (`batches.stages`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import selectinload

from patchbay import audit, clock, providers, queue, runs
from patchbay.audit import Deed
from patchbay.errors import N_, Invalid, NotFound, PatchbayError, storable
from patchbay.leases import is_free
from patchbay.models import (
    OPEN,
    WITHOUT_CONTENT,
    Batch,
    BatchPart,
    Run,
    RunStatus,
    Trigger,
    WaitReason,
    db,
    new_id,
    transaction,
)
from patchbay.runs import Order

MOST_PARTS = 100
LEASE = timedelta(seconds=60)
"""How long planning the next stage may take without a sign of life."""


@dataclass(frozen=True)
class Part:
    """One operation to ask a connection for; `label` is what its row says, such as a product's title.

    `problem` is why it cannot be asked for at all: what was to be made for it could not be.
    """

    integration_id: str
    operation: str
    values: Mapping[str, Any] = field(default_factory=dict)
    label: str = ""
    problem: PatchbayError | None = None


@dataclass(frozen=True)
class Ordered:
    """A part that was checked: it may become a run, or it has failed already."""

    part: Part
    outcome: Order | PatchbayError


def start(user_id: str, title: str, parts: Sequence[Part], trigger: Trigger) -> Batch:
    """Ask for all parts. What cannot be started is a part that has failed, and the others go on.

    Raises Invalid for no parts at all, or too many.
    """
    if not 0 < len(parts) <= MOST_PARTS:
        raise Invalid({"parts": N_("Choose at least one place, and at most a hundred.")})
    return begin(new_batch(user_id, title, trigger), parts)


def new_batch(user_id: str, title: str, trigger: Trigger) -> Batch:
    """A batch without parts, not yet added."""
    now = clock.now()
    return Batch(
        id=new_id("bat"),
        user_id=user_id,
        title=storable(title)[:200],
        trigger=trigger,
        created_at=now,
        input={},
        memo={},
    )


def begin(batch: Batch, parts: Sequence[Part]) -> Batch:
    """Add a new batch and start the parts of its first stage; never inside a transaction."""
    ordered = order_parts(batch.user_id, parts)
    with transaction() as session:
        session.add(batch)
        session.flush()  # its parts name it
        add_parts(batch, ordered)
    return get(batch.user_id, batch.id)


def order_parts(user_id: str, parts: Sequence[Part]) -> list[Ordered]:
    """Check all parts; this looks names up, so never inside a transaction."""
    return [Ordered(part, part.problem or _order_or_error(user_id, part)) for part in parts]


def add_parts(batch: Batch, ordered: Sequence[Ordered]) -> None:
    """Start the parts of the batch's present stage, within the caller's transaction."""
    for one in ordered:
        row = BatchPart(
            batch_id=batch.id,
            stage=batch.stage,
            integration_id=one.part.integration_id,
            operation=one.part.operation,
            label=storable(one.part.label)[:255],
        )
        if isinstance(one.outcome, PatchbayError):
            row.error_kind, row.error_params = one.outcome.kind, told_of(one.outcome, one.part.integration_id)
        else:
            row.run_id = runs.place(one.outcome, batch.trigger).id
        db.session.add(row)
    audit.add(Deed.BATCH_STARTED, user_id=batch.user_id, subject_id=batch.id, parts=str(len(ordered)))
    queue.enqueue(queue.BATCH, batch.id)


def told_of(error: PatchbayError, integration_id: str) -> dict[str, str]:
    """What a row keeps of an error, so that its sentence can be made again in the reader's language."""
    known = {provider.key: provider.name for provider in providers.all()}
    fields = error.fields.values() if isinstance(error, Invalid) else ()
    sentence = next(iter(fields), error.sentence)
    return {"provider": known.get(integration_id, integration_id), **error.params, "sentence": sentence}


def get(user_id: str, batch_id: str) -> Batch:
    """One batch of the user's with its parts and runs as they are now. Raises NotFound."""
    batch = db.session.scalar(
        select(Batch).where(Batch.id == batch_id, Batch.user_id == user_id),
        execution_options={"populate_existing": True},
    )
    if batch is None:
        raise NotFound(batch_id)
    return batch


def page(user_id: str, *, cursor: str | None, limit: int) -> tuple[list[Batch], str | None]:
    """The user's batches, newest first, behind `cursor`; and the cursor of the next page."""
    statement = select(Batch).where(Batch.user_id == user_id).order_by(Batch.id.desc()).limit(limit + 1)
    statement = statement.options(selectinload(Batch.parts).selectinload(BatchPart.run).options(*WITHOUT_CONTENT))
    if cursor:
        statement = statement.where(Batch.id < cursor)
    found = list(db.session.scalars(statement))
    return found[:limit], found[limit - 1].id if len(found) > limit else None


def cancel(user_id: str, batch_id: str) -> Batch:
    """Cancel what is still open; what has been done stays done.

    A run goes on that another batch waits for too, or that somebody asked for by itself before.
    """
    with transaction():
        batch = get(user_id, batch_id)
        if batch.ended_at is None:
            batch.cancelled_at = batch.cancelled_at or clock.now()
            batch.version += 1
            for run_id in _own_runs(batch):
                runs.cancel(user_id, run_id)
            queue.enqueue(queue.BATCH, batch.id)
    return get(user_id, batch_id)


def of_run(run_id: str) -> list[str]:
    """Ids of the batches that the run is a part of and that have not ended."""
    return list(
        db.session.scalars(
            select(Batch.id)
            .join(BatchPart, BatchPart.batch_id == Batch.id)
            .where(BatchPart.run_id == run_id, Batch.ended_at.is_(None))
            .distinct()
        )
    )


def due(limit: int = 100) -> list[str]:
    """Ids of batches that have not ended although nothing of their stage is under way, or although they were called
    off: a hint was lost, or a worker.
    """
    open_parts = (
        select(func.count())
        .select_from(BatchPart)
        .join(Run, Run.id == BatchPart.run_id)
        .where(
            BatchPart.batch_id == Batch.id,
            Run.status.in_(OPEN),
            Run.wait_reason.is_distinct_from(WaitReason.CONFIRM_DELETIONS),
        )
        .scalar_subquery()
    )
    statement = (
        select(Batch.id)
        .where(
            Batch.ended_at.is_(None),
            is_free(Batch.lease_until, LEASE),
            (open_parts == 0) | Batch.cancelled_at.is_not(None),
        )
        .order_by(Batch.id)
        .limit(limit)
    )
    return list(db.session.scalars(statement))


def end(batch: Batch) -> None:
    """Write the end, within the caller's transaction."""
    done = sum(part.run is not None and part.run.status is RunStatus.SUCCEEDED for part in batch.parts)
    db.session.execute(
        update(Batch)
        .where(Batch.id == batch.id, Batch.ended_at.is_(None))
        .values(ended_at=clock.now(), version=Batch.version + 1, lease_token=None, lease_until=None)
    )
    audit.add(Deed.BATCH_ENDED, user_id=batch.user_id, subject_id=batch.id, done=str(done), parts=str(len(batch.parts)))


def _order_or_error(user_id: str, part: Part) -> Order | PatchbayError:
    try:
        return runs.order(user_id, part.integration_id, part.operation, part.values)
    except PatchbayError as error:
        return error


def _own_runs(batch: Batch) -> set[str]:
    """Ids of the batch's open runs that a batch began and that no other batch waits for."""
    open_runs = [part.run_id for part in batch.parts if part.run is not None and part.run.is_open]
    in_batches = select(Run.id).join(BatchPart).join(Batch).where(Run.id.in_(open_runs))
    begun = in_batches.where(Batch.created_at <= Run.created_at)
    awaited = in_batches.where(Batch.id != batch.id, Batch.ended_at.is_(None), Batch.cancelled_at.is_(None))
    return set(db.session.scalars(begun)) - set(db.session.scalars(awaited))
