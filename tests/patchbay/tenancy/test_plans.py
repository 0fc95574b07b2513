"""The policies as PostgreSQL plans them: the pass is checked once in a statement, and rows are still found by index."""

from collections.abc import Callable

import pytest
from sqlalchemy import ClauseElement, delete, select, text, update

from patchbay import tenancy
from patchbay.models import Checkpoint, Record, Run, RunLog, db
from tests.patchbay.tenancy.conftest import Two

DATABASES = ("postgresql",)
pytestmark = pytest.mark.usefixtures("context")

STATEMENTS: dict[str, Callable[[Two], ClauseElement]] = {
    "records of a user": lambda two: select(Record).where(Record.user_id == two.ben).order_by(Record.id).limit(50),
    "records by id": lambda two: update(Record).where(Record.id.in_(["a", "b"])).values(title=two.ben),
    "records of a stream": lambda two: select(Record.id).where(
        Record.connection_id == two.ben_connection, Record.stream == "products", Record.external_id.in_(["1", "2"])
    ),
    "a run": lambda two: update(Run).where(Run.id == two.ben_run, Run.lease_token == "x").values(version=2),
    "lines of a run": lambda two: select(RunLog).where(RunLog.run_id == two.ben_run).order_by(RunLog.id),
    "a checkpoint": lambda two: select(Checkpoint).where(Checkpoint.connection_id == two.ben_connection),
    "all records of a user, away": lambda two: delete(Record).where(Record.user_id == two.ben),
}


@pytest.mark.parametrize("name", STATEMENTS)
def test_rows_are_found_by_index_under_the_policies(two: Two, name: str) -> None:
    plan = planned(STATEMENTS[name](two), two)

    assert "Seq Scan" not in plan
    assert "Index Cond" in plan


def test_the_pass_is_checked_once_in_a_statement_and_not_once_a_row(two: Two) -> None:
    with tenancy.of(two.ben):
        function = db.session.execute(
            text("SELECT provolatile, prosecdef, proparallel FROM pg_proc WHERE oid = 'tenancy.present'::regproc")
        ).one()
        plan = planned(select(Record), two)

    assert tuple(function) == ("s", True, "s")
    assert "Filter: (((user_id)::text = (InitPlan 1).col1) OR ((InitPlan 2).col1 = '*'::text))" in plan


def test_who_sees_everything_asks_no_other_row_whose_a_row_is(two: Two) -> None:
    with tenancy.everyone():
        told = db.session.scalars(text(f"EXPLAIN ANALYZE {sql_of(select(RunLog))}")).all()

    assert any("never executed" in line for line in told if "owner" in line)


def planned(statement: ClauseElement, two: Two) -> str:
    """The plan for Ben; where a table is too small for an index to be worth it, as if it were not."""
    with tenancy.of(two.ben):
        db.session.execute(text("SET LOCAL enable_seqscan = off"))
        db.session.execute(text("SET LOCAL enable_bitmapscan = off"))
        return "\n".join(db.session.scalars(text(f"EXPLAIN {sql_of(statement)}")))


def sql_of(statement: ClauseElement) -> str:
    """The statement with its values in it."""
    compiled = statement.compile(db.engine, compile_kwargs={"literal_binds": True})
    return str(compiled).replace(":", r"\:")
