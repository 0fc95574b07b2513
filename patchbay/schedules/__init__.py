"""Schedules: made, changed, paused, resumed, removed and listed. One belongs to one import of one connection.

When one comes round is told by `schedules.rhythm`; starting what is due lives in `schedules.starting`.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import selectinload

from patchbay import audit, clock, runs
from patchbay.audit import Deed
from patchbay.errors import N_, Conflict, Invalid, NotFound
from patchbay.models import WITHOUT_CONTENT, Overlap, Schedule, db, new_id, transaction
from patchbay.models.schedule import WEEKDAYS
from patchbay.schedules import rhythm
from patchbay.schedules.rhythm import FIELDS, Rhythm, time_zones
from patchbay.schedules.starting import due, following, move_on, rhythm_of, shift_of, start
from patchbay.spec import Field, Import, Kind, is_asked

__all__ = [
    "ALL_FIELDS",
    "FIELDS",
    "OVERLAP",
    "WEEKDAYS",
    "Rhythm",
    "change",
    "due",
    "following",
    "get",
    "make",
    "of_connection",
    "page",
    "pause",
    "remove",
    "resume",
    "resume_all",
    "rhythm_of",
    "shift_of",
    "start",
    "time_zones",
    "values_of",
]

OVERLAP = Field(
    "overlap",
    N_("If the last run is still going on"),
    Kind.CHOICE,
    required=False,
    default=Overlap.SKIP.value,
    choices=tuple(Overlap),
    words=(N_("leave this one out"), N_("start when it has ended")),
)
ALL_FIELDS = (*FIELDS, OVERLAP)
WITH_RUN = (selectinload(Schedule.last_run).options(*WITHOUT_CONTENT), selectinload(Schedule.connection))


def make(
    user_id: str, integration_id: str, operation: str, values: Mapping[str, Any], data: Mapping[str, Any] | None = None
) -> Schedule:
    """Let an import run by itself, as `values` (of ALL_FIELDS) say, with `data` for its input.

    Raises Invalid, Conflict when it has a schedule already, and what `runs.order` raises.
    """
    wanted, overlap = _read(values)
    order = runs.order(user_id, integration_id, operation, data or {})
    if not isinstance(order.operation, Import):
        raise Invalid({"operation": N_("Only imports can be scheduled.")})
    schedule = Schedule(
        id=new_id("sch"),
        user_id=user_id,
        connection_id=order.connection.id,
        integration_id=integration_id,
        operation=operation,
        input=order.values,
        held_params={},
        created_at=clock.now(),
    )
    _set(schedule, wanted, overlap)
    try:
        with transaction() as session:
            session.add(schedule)
            _remember(Deed.SCHEDULE_SET, schedule)
    except IntegrityError:
        raise Conflict(sentence=N_("This import has a schedule already. Change that one.")) from None
    return get(user_id, schedule.id)


def change(user_id: str, schedule_id: str, values: Mapping[str, Any]) -> Schedule:
    """Change those of ALL_FIELDS that are given; minutes and hours are counted from now. Raises NotFound, Invalid."""
    with transaction():
        schedule = get(user_id, schedule_id)
        merged = {**values_of(schedule), **values}
        asked = {field.name for field in ALL_FIELDS if is_asked(field, ALL_FIELDS, merged)}
        _set(schedule, *_read({name: value for name, value in merged.items() if name in asked or name in values}))
        _remember(Deed.SCHEDULE_SET, schedule)
    return schedule


def pause(user_id: str, schedule_id: str) -> Schedule:
    """Start nothing until it is resumed. Raises NotFound."""
    with transaction():
        schedule = get(user_id, schedule_id)
        if schedule.paused_at is None:
            schedule.paused_at = schedule.updated_at = clock.now()
            schedule.next_at = None
            _remember(Deed.SCHEDULE_PAUSED, schedule)
    return schedule


def resume(user_id: str, schedule_id: str) -> Schedule:
    """Go on with the next moment; what was left out on purpose is not made up for. Raises NotFound."""
    with transaction():
        schedule = get(user_id, schedule_id)
        if schedule.paused_at is not None:
            schedule.paused_at, schedule.updated_at = None, clock.now()
            move_on(schedule, schedule.updated_at)
            _remember(Deed.SCHEDULE_RESUMED, schedule)
    return schedule


def resume_all(user_id: str, integration_id: str) -> int:
    """Go on with all that is paused of the user's connection; returns how many schedules that were."""
    paused = select(Schedule.id).where(
        Schedule.user_id == user_id, Schedule.integration_id == integration_id, Schedule.paused_at.is_not(None)
    )
    with transaction() as session:
        return len([resume(user_id, schedule_id) for schedule_id in session.scalars(paused).all()])


def remove(user_id: str, schedule_id: str) -> None:
    """Take the schedule away; its runs stay. Raises NotFound."""
    with transaction() as session:
        schedule = get(user_id, schedule_id)
        session.delete(schedule)
        _remember(Deed.SCHEDULE_REMOVED, schedule)


def get(user_id: str, schedule_id: str) -> Schedule:
    """One schedule of the user's, as it is now. Raises NotFound."""
    statement = select(Schedule).where(Schedule.id == schedule_id, Schedule.user_id == user_id)
    found = db.session.scalar(statement.options(*WITH_RUN).execution_options(populate_existing=True))
    if found is None:
        raise NotFound(schedule_id)
    return found


def page(
    user_id: str, *, cursor: str | None, limit: int, integration_id: str | None = None
) -> tuple[list[Schedule], str | None]:
    """Schedules in the order in which they were made, behind `cursor`; and the cursor of the next page."""
    statement = select(Schedule).where(Schedule.user_id == user_id).order_by(Schedule.id).limit(limit + 1)
    if integration_id is not None:
        statement = statement.where(Schedule.integration_id == integration_id)
    if cursor is not None:
        statement = statement.where(Schedule.id > cursor)
    found = list(db.session.scalars(statement.options(*WITH_RUN)))
    return found[:limit], found[limit - 1].id if len(found) > limit else None


def of_connection(connection_id: str) -> dict[str, Schedule]:
    """The connection's schedules by the name of their import."""
    statement = select(Schedule).where(Schedule.connection_id == connection_id).options(*WITH_RUN)
    return {schedule.operation: schedule for schedule in db.session.scalars(statement)}


def values_of(schedule: Schedule) -> dict[str, Any]:
    """The values of ALL_FIELDS, as `make` takes them."""
    return {
        "repeat": schedule.repeat.value,
        "every": schedule.every,
        "weekdays": list(schedule.weekdays),
        "time": schedule.time,
        "timeZone": schedule.time_zone,
        "overlap": schedule.overlap.value,
    }


def _read(values: Mapping[str, Any]) -> tuple[Rhythm, Overlap]:
    chosen = values.get("overlap")
    problems = {} if chosen in (None, "", *Overlap) else {"overlap": N_("This is not one of the choices.")}
    try:
        found = rhythm.read({name: value for name, value in values.items() if name != "overlap"})
    except Invalid as error:
        raise Invalid({**error.fields, **problems}) from None
    if problems:
        raise Invalid(problems)
    return found, Overlap(chosen or Overlap.SKIP)


def _set(schedule: Schedule, wanted: Rhythm, overlap: Overlap) -> None:
    now = clock.now()
    schedule.repeat, schedule.every, schedule.time = wanted.repeat, wanted.every, wanted.time
    schedule.weekdays, schedule.time_zone, schedule.overlap = list(wanted.weekdays), wanted.time_zone, overlap
    schedule.counts_from = schedule.updated_at = now
    schedule.next_at = None
    if schedule.paused_at is None:
        move_on(schedule, now)


def _remember(deed: Deed, schedule: Schedule) -> None:
    audit.add(
        deed,
        user_id=schedule.user_id,
        subject_id=schedule.connection_id,
        what=schedule.operation,
        schedule=schedule.id,
    )
