"""Storing a page of which an object may be poisoned: one that no database takes is set aside, and the rest goes on.

Writing a page as such is the affair of `patchbay.records`; what is set aside is told in the run's log and counted.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy.exc import DataError, IntegrityError, NotSupportedError, ProgrammingError, StatementError

from patchbay import records
from patchbay.errors import storable
from patchbay.models import Connection, db
from patchbay.spec import Item

LONGEST_ID = 255
LONGEST_VERSION = 100
LONGEST_REASON = 200
POISONED = (
    DataError,
    IntegrityError,
    NotSupportedError,
    ProgrammingError,
    ValueError,
    TypeError,
    ArithmeticError,
    RecursionError,
)
"""What a value comes to that cannot be stored. A database that is away or full raises others."""


@dataclass(frozen=True)
class Refused:
    """An object that was set aside, and why, in technical words."""

    external_id: str
    title: str
    reason: str


Store = Callable[[Connection, str, str, Sequence[Item]], tuple[records.Tally, list[Refused]]]


def store(
    connection: Connection, stream: str, run_id: str, items: Sequence[Item]
) -> tuple[records.Tally, list[Refused]]:
    """Store a page as it is, in the present transaction; raises where a value of it is poisoned."""
    return records.upsert(connection, stream, run_id, items), []


def fit(items: Sequence[Item]) -> tuple[list[Item], list[Refused]]:
    """Those whose ids can be kept, and the others; a version that is too long is not to be trusted."""
    good, bad = [], []
    for item in items:
        reason = _wrong_id(item.external_id)
        if reason:
            bad.append(Refused(storable(str(item.external_id))[:LONGEST_ID], item.title, reason))
        elif item.version is not None and len(item.version) > LONGEST_VERSION:
            good.append(replace(item, version=None))
        else:
            good.append(item)
    return good, bad


def is_poisoned(error: Exception) -> bool:
    """Whether a value was to blame, and not the database."""
    return isinstance(error, POISONED) or type(error) is StatementError


def sift(
    connection: Connection, stream: str, run_id: str, items: Sequence[Item]
) -> tuple[records.Tally, list[Refused]]:
    """Store, in the present transaction, what can be stored, halving what cannot; raises what is no fault of a value.

    Where nothing of several objects can be stored, no single one is to blame: then the error is raised.
    """
    tally, refused, error = _sift(connection, stream, run_id, items)
    if error is not None and len(refused) == len(items) > 1:
        raise error
    return tally, refused


def _sift(
    connection: Connection, stream: str, run_id: str, items: Sequence[Item]
) -> tuple[records.Tally, list[Refused], Exception | None]:
    try:
        with db.session.begin_nested():
            return records.upsert(connection, stream, run_id, items), [], None
    except Exception as error:
        if not is_poisoned(error):
            raise
        if len(items) == 1:
            return records.Tally(), [Refused(items[0].external_id, storable(items[0].title), _reason(error))], error
        cause = error
    middle = len(items) // 2
    tally, refused = records.Tally(), list[Refused]()
    for half in (items[:middle], items[middle:]):
        stored, left, _ = _sift(connection, stream, run_id, half)
        tally, refused = tally + stored, [*refused, *left]
    return tally, refused, cause


def _wrong_id(external_id: object) -> str:
    if not isinstance(external_id, str) or not external_id:
        return "it has no id"
    if len(external_id) > LONGEST_ID:
        return f"its id is longer than {LONGEST_ID} characters"
    return "its id holds what cannot be stored" if storable(external_id) != external_id else ""


def _reason(error: Exception) -> str:
    """The beginning of what was said, without the statement and the values that SQLAlchemy adds."""
    said = str(error.orig if isinstance(error, StatementError) and error.orig else error).partition("\n")[0]
    return storable(f"{type(error).__name__}: {said}")[:LONGEST_REASON]
