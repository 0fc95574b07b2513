"""SQL written as text, which SQLite's rule cannot narrow: refused wherever the rows are not everyone's."""

from collections.abc import Callable

import pytest
from sqlalchemy import DDL, exists, func, literal_column, select, text, union_all, update
from sqlalchemy.orm import Session

from patchbay import tenancy
from patchbay.models import Base, Run, db, transaction
from tests.patchbay.tenancy.conftest import Scope, Two

DATABASES = ("sqlite",)  # PostgreSQL narrows text as well (`test_raw_sql`)
pytestmark = pytest.mark.usefixtures("context")

TEXTS: dict[str, Callable[[Session], object]] = {
    "a statement": lambda session: session.execute(text("SELECT * FROM runs")),
    "a change": lambda session: session.execute(text("UPDATE runs SET error_detail = 'x'")),
    "the driver's": lambda session: session.connection().exec_driver_sql("DELETE FROM runs"),
    "with columns": lambda session: session.execute(text("SELECT id FROM runs").columns(Run.id)),
    "into a class": lambda session: session.scalars(select(Run).from_statement(text("SELECT * FROM runs"))).all(),
    "a column": lambda session: session.execute(select(text("id")).select_from(Run)),
    "a literal column": lambda session: session.scalar(select(literal_column("(SELECT max(id) FROM users)"))),
    "a condition": lambda session: session.execute(select(Run.id).where(text("1 OR user_id <> ''"))),
    "a subquery": lambda session: session.scalar(select(exists().where(text("EXISTS (SELECT 1 FROM run_logs)")))),
    "a union": lambda session: session.execute(union_all(select(Run.id), select(text("id FROM runs")))),
    "a value": lambda session: session.execute(update(Run).values(error_detail=text("(SELECT max(id) FROM users)"))),
    "an order": lambda session: session.execute(select(Run.id).order_by(text("(SELECT count(*) FROM users)"))),
    "a command": lambda session: session.execute(DDL("DROP TABLE runs")),  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped
    "a table's end": lambda session: Base.metadata.tables["runs"].drop(session.connection()),
    "a question of the file": lambda session: session.execute(text("PRAGMA writable_schema = 1")),
}


@pytest.mark.parametrize("way", TEXTS)
def test_text_is_refused_for_a_user_and_for_nobody(two: Two, as_ben: Scope, way: str) -> None:
    for scope in (as_ben, tenancy.nobody):
        with scope(), pytest.raises(PermissionError, match="text"), transaction() as session:
            TEXTS[way](session)

    assert db.session.scalar(select(func.count()).select_from(Run)) == 2


def test_text_that_was_sent_for_everyone_is_refused_for_a_user_all_the_same(two: Two, as_ben: Scope) -> None:
    statement = text("SELECT count(*) FROM runs")
    with tenancy.everyone():
        count = db.session.scalar(statement)

    with as_ben(), pytest.raises(PermissionError, match="text"):
        db.session.scalar(statement)

    assert count == 2


def test_a_search_for_words_is_no_text(two: Two, as_ben: Scope) -> None:
    with as_ben():
        found = list(db.session.scalars(select(Run.user_id).where(Run.operation.icontains("%", autoescape=True))))
        mine = set(db.session.scalars(select(Run.user_id).where(Run.operation.icontains("_", autoescape=True))))

    assert found == []
    assert len(mine) == 1


def test_savepoints_are_no_text(two: Two, as_ben: Scope) -> None:
    with as_ben(), transaction() as session:
        with session.begin_nested() as point:
            session.execute(update(Run).values(error_detail="x"))
            point.rollback()
        with session.begin_nested():
            session.execute(update(Run).values(error_detail="mine"))

    assert set(db.session.scalars(select(Run.error_detail).where(Run.user_id == two.ben))) == {"mine"}
