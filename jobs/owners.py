"""Whose rows a job may see: those of the user for whom it is done. What the job does lives beside this file."""

import functools
from collections.abc import Callable

from patchbay import tenancy
from patchbay.models import Base, owner_of

Job = Callable[[str], None]


def of_owner(table: type[Base]) -> Callable[[Job], Job]:
    """Do the job in the scope of the user whom its row of `table` belongs to; not at all when the row has gone."""

    def decorate(job: Job) -> Job:
        @functools.wraps(job)
        def narrowed(row_id: str) -> None:
            owner = owner_of(table, row_id)
            if owner is not None:
                with tenancy.of(owner):
                    job(row_id)

        return narrowed

    return decorate
