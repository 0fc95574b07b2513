"""When a row that a worker has claimed may be claimed by another, because the first one has died.

How a lease is taken, renewed and lost lives with what it guards; those of runs and tokens lapse by rules of their own.
"""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, or_
from sqlalchemy.orm import InstrumentedAttribute

from patchbay import clock


def is_free(until: InstrumentedAttribute[datetime | None], length: timedelta) -> ColumnElement[bool]:
    """Whether nobody holds the lease whose end stands in the column `until`, and that is never longer than `length`.

    One that ends later than any can was made before the clock was set back. Twice the length, since the clocks of two
    machines differ a little, and who claims may wait for the database after having looked at the clock.
    """
    now = clock.now()
    return or_(until.is_(None), until < now, until > now + 2 * length)
