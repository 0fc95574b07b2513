"""Each job sees what belongs to the user for whom it is done, and nothing else."""

import importlib

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from jobs.owners import of_owner
from patchbay import clock, queue, tenancy
from patchbay.models import Batch, User, db, new_id, transaction

pytestmark = pytest.mark.usefixtures("context")


def batch_of(user: User) -> str:
    row = Batch(id=new_id("bat"), user_id=user.id, title="x", trigger="api", created_at=clock.now())
    with transaction() as session:
        session.add(row)
    return row.id


def test_a_job_sees_what_belongs_to_the_owner_of_its_row(app: Flask, ada: User, ben: User) -> None:
    adas, bens = batch_of(ada), batch_of(ben)
    seen: dict[str, list[str]] = {}

    @of_owner(Batch)
    def look(batch_id: str) -> None:
        seen[batch_id] = list(db.session.scalars(select(Batch.id)))

    with tenancy.nobody():
        look(adas)
        look(bens)
        after = db.session.scalars(select(Batch.id)).all()

    assert seen == {adas: [adas], bens: [bens]}
    assert after == []


def test_a_database_that_is_locked_costs_the_hint_and_breaks_no_job(ada: User) -> None:
    tried: list[str] = []

    @of_owner(Batch)
    def work(batch_id: str) -> None:
        tried.append(batch_id)
        raise OperationalError("BEGIN IMMEDIATE", {}, Exception("database is locked"))

    batch_id = batch_of(ada)
    work(batch_id)

    assert tried == [batch_id]


def test_a_job_for_a_row_that_has_gone_is_not_done() -> None:
    done: list[str] = []

    of_owner(Batch)(done.append)("bat_gone")

    assert done == []


@pytest.mark.parametrize("job", queue.ALL, ids=lambda job: job.function)
def test_every_job_is_done_for_an_owner(job: queue.Job) -> None:
    module, _, function = job.function.rpartition(".")

    done = getattr(importlib.import_module(module), function)

    assert hasattr(done, "__wrapped__"), "say whose job it is with `of_owner`"
