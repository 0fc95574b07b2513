"""Whose rows a job may see: those of the user for whom it is done. What the job does lives beside this file."""

import functools
from collections.abc import Callable

import structlog
from sqlalchemy.exc import OperationalError

from patchbay import tenancy
from patchbay.models import Base, owner_of

log = structlog.get_logger()

Job = Callable[[str], None]


def of_owner(table: type[Base]) -> Callable[[Job], Job]:
    """Do the job in the scope of the user whom its row of `table` belongs to; not at all when the row has gone.

    A database that is away or locked costs the hint alone: the clock finds the row again.
    """

    def decorate(job: Job) -> Job:
        @functools.wraps(job)
        def narrowed(row_id: str) -> None:
            try:
                owner = owner_of(table, row_id)
                if owner is not None:
                    with tenancy.of(owner):
                        job(row_id)
            except OperationalError as error:
                log.warning("The database did not take a job's step.", row_id=row_id, error=type(error).__name__)

        return narrowed

    return decorate
