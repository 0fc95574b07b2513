"""A statement that forgot whose rows it is about reaches nothing of anybody else's, on either database."""

import contextlib
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Select, Table, delete, exists, func, insert, select, union_all, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import aliased
from sqlalchemy.orm.exc import StaleDataError

from patchbay import clock, tenancy
from patchbay.models import Base, Batch, Checkpoint, Connection, Run, RunLog, RunStatus, User, db, transaction
from patchbay.models.base import writing
from tests.patchbay.tenancy.conftest import Scope, Two, checkpoint, line

pytestmark = pytest.mark.usefixtures("context")

REFUSED = (PermissionError, ProgrammingError)
OWNED = [mapper.class_ for mapper in Base.registry.mappers if tenancy.belonging(mapper.local_table) is not None]
RUNS, BATCHES = Base.metadata.tables["runs"], Base.metadata.tables["batches"]
other = aliased(Run)
inner = select(Run).subquery()
UNFILTERED: dict[str, Callable[[], Select[Any]]] = {
    "entities": lambda: select(Run.user_id),
    "an alias": lambda: select(other.user_id),
    "a join": lambda: select(other.user_id).join(Run, Run.integration_id == other.integration_id),
    "an outer join": lambda: select(other.user_id).join(RunLog, RunLog.run_id != other.id, isouter=True),
    "a subquery": lambda: select(inner.c.user_id),
    "a common table": lambda: select(select(Run.user_id).cte("all_runs").c.user_id),
    "a union": lambda: select(union_all(select(Run.user_id), select(Batch.user_id)).subquery().c.user_id),
    "tables": lambda: select(Run.__table__.c.user_id),
    "the user": lambda: select(User.id),
}


def test_an_unfiltered_statement_reads_only_what_is_mine(two: Two, as_ben: Scope) -> None:
    with as_ben():
        found = {name: set(db.session.scalars(statement())) for name, statement in UNFILTERED.items()}

    assert found == {name: {two.ben} for name in UNFILTERED}


@pytest.mark.parametrize(
    "statement",
    [
        lambda: union_all(select(RUNS.c.user_id), select(BATCHES.c.user_id)),
        lambda: select(Run.user_id).from_statement(select(RUNS)),
        lambda: select(RUNS.c.user_id).except_(select(BATCHES.c.id)),
    ],
    ids=["a union of tables", "a class from a table", "a difference of tables"],
)
def test_what_cannot_be_narrowed_is_not_read(two: Two, as_ben: Scope, statement: Callable[[], Any]) -> None:
    with as_ben():
        found = read_or_refused(lambda: db.session.scalars(statement()))

    assert two.ada not in found


def test_what_is_read_past_the_session_is_only_mine(two: Two, as_ben: Scope) -> None:
    with as_ben():
        found = read_or_refused(lambda: db.session.connection().execute(select(RUNS.c.user_id)).scalars())

    assert two.ada not in found


def test_two_users_have_no_row_of_any_table_in_common(two: Two) -> None:
    for table in OWNED:
        with tenancy.of(two.ada):
            adas = set(db.session.scalars(select(next(iter(_columns(table))))))
        with tenancy.of(two.ben):
            bens = set(db.session.scalars(select(next(iter(_columns(table))))))

        assert not adas & bens, table.__name__


def test_where_nobody_was_named_nothing_is_seen(two: Two) -> None:
    with tenancy.nobody():
        counts = {table.__name__: db.session.scalar(select(func.count()).select_from(table)) for table in OWNED}

    assert counts == dict.fromkeys(counts, 0)
    assert db.session.scalars(select(Run)).all() != []


def test_a_question_is_answered_as_if_there_were_nobody_else(two: Two) -> None:
    with tenancy.nobody():
        answers = [
            db.session.scalar(select(func.count()).select_from(select(Run).where(Run.id != "").subquery())),
            db.session.scalar(select(User.id).where(exists().where(RunLog.id > 0))),
            answered_or_refused(select(exists().where(RunLog.id > 0))),
        ]

    assert not any(answers)


def test_a_row_that_the_session_holds_is_not_given_to_somebody_else(two: Two, as_ben: Scope) -> None:
    held = db.session.get(Run, two.ada_run)
    line = db.session.scalars(select(RunLog).where(RunLog.run_id == two.ada_run)).first()

    with as_ben():
        again, line_again = db.session.get(Run, two.ada_run), db.session.get(RunLog, line.id if line else 0)

    assert held is not None
    assert line is not None
    assert (again, line_again) == (None, None)


def test_the_scope_may_change_within_a_transaction(two: Two) -> None:
    seen = []
    with transaction() as session:
        for user_id in (two.ada, two.ben, two.ada):
            with tenancy.of(user_id):
                seen.append(set(session.scalars(select(Run.user_id))))
        with session.begin_nested() as point, tenancy.of(two.ben):
            session.scalars(select(Run.user_id)).all()
            point.rollback()
        with tenancy.of(two.ben):
            seen.append(set(session.scalars(select(Run.user_id))))

    assert seen == [{two.ada}, {two.ben}, {two.ada}, {two.ben}]


@pytest.mark.parametrize("statement", [lambda: update(Run).values(error_detail="was here"), lambda: delete(RunLog)])
def test_an_unfiltered_change_reaches_only_what_is_mine(two: Two, as_ben: Scope, statement: Callable[[], Any]) -> None:
    with as_ben(), transaction() as session:
        session.execute(statement(), execution_options={"synchronize_session": False})

    with tenancy.of(two.ada):
        assert set(db.session.scalars(select(Run.error_detail))) == {None}
        assert db.session.scalars(select(RunLog.id)).first() is not None


def test_a_change_past_the_session_reaches_only_what_is_mine(two: Two, as_ben: Scope) -> None:
    with as_ben(), writing(), db.engine.begin() as connection:
        changed = connection.execute(update(Run).values(error_detail="was here").returning(Run.user_id))
        owners = set(changed.scalars())

    assert owners == {two.ben}


def test_a_change_learns_nothing_of_other_rows(two: Two, as_ben: Scope) -> None:
    theirs = select(Connection.account_label).where(Connection.user_id == two.ada).scalar_subquery()
    with contextlib.suppress(PermissionError), as_ben(), transaction() as session:
        session.execute(update(Run).values(error_detail=theirs), execution_options={"synchronize_session": False})

    assert set(db.session.scalars(select(Run.error_detail))) == {None}


def test_an_insert_does_not_change_the_row_in_its_way_that_is_somebody_elses(
    app: Flask, two: Two, as_ben: Scope
) -> None:
    dialect: Any = sqlite if db.engine.dialect.name == "sqlite" else postgresql
    row = {"id": two.ada_run, "user_id": two.ben, "connection_id": two.ben_connection, "integration_id": "shopify",
           "operation": "x", "trigger": "api", "status": "failed", "created_at": clock.now()}  # fmt: skip
    added = dialect.insert(Run).values(**row)
    for changed in ({"error_detail": "was here"}, {"user_id": two.ben}):
        with contextlib.suppress(*REFUSED), as_ben(), transaction() as session:
            session.execute(added.on_conflict_do_update(index_elements=["id"], set_=changed))

    with tenancy.of(two.ada):
        assert db.session.execute(select(Run.user_id, Run.error_detail)).all() == [(two.ada, None)]


def test_a_row_changed_in_memory_is_not_written_for_somebody_else(two: Two, as_ben: Scope) -> None:
    held = db.session.get_one(Run, two.ada_run)

    def change() -> None:
        with as_ben(), transaction():
            held.status = RunStatus.FAILED

    with pytest.raises(StaleDataError):
        change()
    assert db.session.scalar(select(Run.status).where(Run.id == two.ada_run)) is RunStatus.SUCCEEDED


@pytest.mark.parametrize("way", ["the session", "the engine", "many at once", "a child of theirs", "nobody's"])
def test_nothing_is_added_that_belongs_to_somebody_else(app: Flask, two: Two, as_ben: Scope, way: str) -> None:
    def add() -> None:
        scope = tenancy.nobody if way == "nobody's" else as_ben
        with scope(), transaction() as session:
            if way == "the engine":
                session.connection().execute(insert(Checkpoint), [checkpoint(two.ada_connection)])
            elif way == "many at once":
                session.execute(insert(RunLog), [line(two.ben_run), line(two.ada_run)])
            elif way == "a child of theirs":
                session.add(RunLog(**line(two.ada_run)))
            else:
                session.add(Batch(id="bat_new", user_id=two.ada, title="x", trigger="api", created_at=clock.now()))

    with pytest.raises(REFUSED):
        add()
    assert db.session.get(Batch, "bat_new") is None


@pytest.mark.parametrize("table", [Run, Batch])
def test_nothing_of_mine_is_given_to_somebody_else(two: Two, as_ben: Scope, table: Any) -> None:
    def give() -> None:
        with as_ben(), transaction() as session:
            session.execute(update(table).values(user_id=two.ada), execution_options={"synchronize_session": False})

    before = db.session.scalar(select(func.count()).select_from(table).where(table.user_id == two.ada))
    with pytest.raises(REFUSED):
        give()

    assert db.session.scalar(select(func.count()).select_from(table).where(table.user_id == two.ada)) == before


def test_what_is_mine_can_be_added_changed_and_deleted(two: Two, as_ben: Scope) -> None:
    with as_ben():
        with transaction() as session:
            session.add(RunLog(**line(two.ben_run)))
            session.execute(insert(RunLog), [line(two.ben_run)])
            session.get_one(Run, two.ben_run).error_detail = "mine"
        with transaction() as session:
            session.execute(delete(RunLog).where(RunLog.run_id == two.ben_run))
            gone = session.get_one(Run, two.ben_run)
            detail = gone.error_detail
            session.delete(gone)
        left = db.session.get(Run, two.ben_run)

    assert detail == "mine"
    assert left is None


def _columns(table: type[Base]) -> Any:
    found: Table = table.__table__  # type: ignore[assignment]  # each is a table
    return list(found.primary_key)


def read_or_refused(read: Callable[[], Iterable[str]]) -> set[str]:
    """What was read; nothing where the rule of SQLite's cannot narrow it, and refuses."""
    try:
        return set(read())
    except PermissionError:
        return set()


def answered_or_refused(statement: Select[Any]) -> Any:
    """The answer; None where the rule of SQLite's does not reach so deep, and refuses."""
    try:
        return db.session.scalar(statement)
    except PermissionError:
        return None
