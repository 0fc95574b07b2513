"""Batches: several runs asked for in one go, each with a result of its own, none stopping the others.

What does not live here: the jobs that need several stages (`batches.recipes`) and taking them on (`batches.stages`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select, update

from patchbay import audit, clock, providers, queue, runs
from patchbay.audit import Deed
from patchbay.errors import N_, Invalid, NotFound, PatchbayError
from patchbay.models import OPEN, Batch, BatchPart, Run, RunStatus, Trigger, db, new_id, transaction

MOST_PARTS = 100


@dataclass(frozen=True)
class Part:
    """One operation to ask a connection for; `label` is what its row says, such as a product's title."""

    integration_id: str
    operation: str
    values: Mapping[str, Any] = field(default_factory=dict)
    label: str = ""


def start(user_id: str, title: str, parts: Sequence[Part], trigger: Trigger) -> Batch:
    """Ask for all parts. What cannot be started is a part that has failed, and the others go on.

    Raises Invalid for no parts at all, or too many.
    """
    if not 0 < len(parts) <= MOST_PARTS:
        raise Invalid({"parts": N_("Choose at least one place, and at most a hundred.")})
    with transaction() as session:
        batch = new_batch(user_id, title, trigger)
        session.add(batch)
        session.flush()
        add_parts(batch, parts)
    return get(user_id, batch.id)


def new_batch(user_id: str, title: str, trigger: Trigger) -> Batch:
    """A batch without parts, not yet added."""
    return Batch(
        id=new_id("bat"), user_id=user_id, title=title[:200], trigger=trigger, created_at=clock.now(), input={}, memo={}
    )


def add_parts(batch: Batch, parts: Sequence[Part]) -> None:
    """Start the parts of the batch's present stage, within the caller's transaction."""
    for part in parts:
        row = BatchPart(
            batch_id=batch.id,
            stage=batch.stage,
            integration_id=part.integration_id,
            operation=part.operation,
            label=part.label[:255],
        )
        try:
            run = runs.start(batch.user_id, part.integration_id, part.operation, part.values, batch.trigger)
            row.run_id = run.id
        except PatchbayError as error:
            row.error_kind, row.error_params = error.kind, told_of(error, part.integration_id)
        db.session.add(row)
    audit.add(Deed.BATCH_STARTED, user_id=batch.user_id, subject_id=batch.id, parts=str(len(parts)))
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
    if cursor:
        statement = statement.where(Batch.id < cursor)
    found = list(db.session.scalars(statement))
    return found[:limit], found[limit - 1].id if len(found) > limit else None


def cancel(user_id: str, batch_id: str) -> Batch:
    """Cancel what is still open; what has been done stays done."""
    with transaction():
        batch = get(user_id, batch_id)
        if batch.ended_at is None:
            batch.cancelled_at = batch.cancelled_at or clock.now()
            batch.version += 1
            for part in batch.parts:
                if part.run is not None and part.run.is_open:
                    runs.cancel(user_id, part.run.id)
            queue.enqueue(queue.BATCH, batch.id)
    return get(user_id, batch_id)


def of_run(run_id: str) -> str | None:
    """The id of the newest batch that the run is a part of."""
    return db.session.scalar(
        select(BatchPart.batch_id).where(BatchPart.run_id == run_id).order_by(BatchPart.id.desc()).limit(1)
    )


def due(limit: int = 100) -> list[str]:
    """Ids of batches that have not ended although nothing of their stage is under way: a hint was lost, or a worker."""
    open_parts = (
        select(func.count())
        .select_from(BatchPart)
        .join(Run, Run.id == BatchPart.run_id)
        .where(BatchPart.batch_id == Batch.id, Run.status.in_(OPEN))
        .scalar_subquery()
    )
    statement = (
        select(Batch.id)
        .where(
            Batch.ended_at.is_(None),
            (Batch.lease_until.is_(None)) | (Batch.lease_until < clock.now()),
            open_parts == 0,
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
