"""What is attacked here: rows of Ada's, and of Ben's, who attacks."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from patchbay import clock, tenancy
from patchbay.models import (
    ApiKey,
    Batch,
    BatchPart,
    Checkpoint,
    Connection,
    ConnectionState,
    OneTimeLink,
    Record,
    Run,
    RunLog,
    RunStatus,
    User,
    new_id,
    transaction,
)
from tests.stage import in_context


@dataclass(frozen=True)
class Two:
    """The ids of the two, and of a run and a connection of each."""

    ada: str
    ben: str
    ada_run: str
    ben_run: str
    ada_connection: str
    ben_connection: str


@pytest.fixture
def two(app: Flask, ada: User, ben: User) -> Two:
    """Both have a row in the tables that other tables are like: by user, by parent, by the parent's parent."""
    with in_context(app), transaction() as session:
        mine, his = (_fill(session, user.id) for user in (ada, ben))
        _add_link(session, ada)
    return Two(ada.id, ben.id, mine[1], his[1], mine[0], his[0])


Scope = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def as_ben(two: Two) -> Scope:
    """`with as_ben():` is where whatever was injected or forgotten runs."""
    return lambda: tenancy.of(two.ben)


def line(run_id: str) -> dict[str, Any]:
    """What a new line of a run's log is made of."""
    return {"run_id": run_id, "at": clock.now(), "level": "info", "message": "x", "params": {}}


def checkpoint(connection_id: str) -> dict[str, Any]:
    """What a new checkpoint of a connection is made of."""
    kept = {"stream": "other", "run_id": "x", "is_complete": False, "updated_at": clock.now()}
    return {"connection_id": connection_id, **kept}


def _fill(session: Session, user_id: str) -> tuple[str, str]:
    """The ids of the user's connection and run."""
    now = clock.now()
    account = {"account_id": user_id, "account_label": f"secret of {user_id}", "connected_at": now}
    connection = Connection(
        id=new_id("con"), user_id=user_id, integration_id="shopify", state=ConnectionState.CONNECTED, **account,
        created_at=now, updated_at=now,
    )  # fmt: skip
    whose = {"user_id": user_id, "connection_id": connection.id, "integration_id": "shopify"}
    run = Run(
        id=new_id("run"),
        **whose,
        operation="import_products",
        trigger="api",
        status=RunStatus.SUCCEEDED,
        created_at=now,
    )
    batch = Batch(id=new_id("bat"), user_id=user_id, title="x", trigger="api", created_at=now)
    record = Record(
        id=new_id("rec"), **whose, stream="products", external_id="1", title=f"secret of {user_id}", data={},
        content_hash="", seen_in=run.id, first_seen_at=now, updated_at=now,
    )  # fmt: skip
    key = ApiKey(id=new_id("key"), user_id=user_id, name="x", key_hash=user_id, tail="x", scopes=[], created_at=now)
    session.add_all([connection, key])
    session.flush()  # in the order in which they name each other
    session.add_all([run, batch, record, Checkpoint(**{**checkpoint(connection.id), "stream": "products"})])
    session.flush()
    part = {"batch_id": batch.id, "stage": 0, "integration_id": "shopify", "operation": "x", "label": "x"}
    session.add_all([RunLog(**line(run.id)), BatchPart(**part, run_id=run.id)])
    return connection.id, run.id


def _add_link(session: Session, admin: User) -> None:
    now = clock.now()
    who = {"email": "new@example.org", "role": "member", "created_by": admin.id}
    session.add(OneTimeLink(id="lnk_1", kind="invitation", token_hash="x", created_at=now, expires_at=now, **who))
