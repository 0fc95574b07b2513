"""The clock's part: what is due, how often it asks, and what owners are told of logins that end."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
from sqlalchemy import event, insert, select

from patchbay import providers, tokens
from patchbay.models import Alert, AlertKind, Connection, ConnectionState, User, db, fresh_view, new_id, transaction
from patchbay.oauth import Grant
from patchbay.tokens import timing
from tests.stage import FrozenClock, Sandbox, Walker

pytestmark = pytest.mark.usefixtures("context")

FACEBOOK_DAYS = 60


def stored(user: User, integration_id: str, grant: Grant, now: datetime) -> Connection:
    connection = Connection(
        id=new_id("con"), user_id=user.id, integration_id=integration_id, state=ConnectionState.CONNECTED,
        account_id="1", account_label="ada", scopes=[], is_sandbox=True, settings={}, setting_labels={},
        token_version=1, connected_at=now, created_at=now,
    )  # fmt: skip
    tokens.keep(connection, grant)
    with transaction() as session:
        session.add(connection)
    return connection


def reread(connection: Connection) -> Connection:
    fresh_view()
    return db.session.get_one(Connection, connection.id, populate_existing=True)


def told(connection: Connection) -> list[tuple[AlertKind, bool]]:
    fresh_view()
    found = select(Alert).where(Alert.connection_id == connection.id).order_by(Alert.id)
    return [(alert.kind, alert.is_open) for alert in db.session.scalars(found)]


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements that the database is sent."""
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        sent.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def many(user: User, count: int, now: datetime) -> None:
    """So many connections of one user, all due; the rule of one per platform is the page's, not the sweep's."""
    columns = {column.key for column in Connection.__table__.columns}
    row = stored(user, "shopify", Grant("a", "r", now + timedelta(hours=1)), now)
    kept = {name: getattr(row, name) for name in columns}
    users = [{**_user_row(user), "id": f"usr_{n}", "email": f"{n}@example.org"} for n in range(count)]
    rows = [{**kept, "id": f"con_{n:05}", "user_id": f"usr_{n}", "refresh_due_at": now} for n in range(count)]
    with transaction() as session:
        session.execute(insert(User), users)
        session.execute(insert(Connection), rows)


def _user_row(user: User) -> dict[str, object]:
    return {column.key: getattr(user, column.key) for column in User.__table__.columns}


@pytest.mark.parametrize("count", [10, 300])
def test_a_batch_is_found_with_one_question_however_large_it_is(
    ada: User, frozen_clock: FrozenClock, count: int
) -> None:
    many(ada, count, frozen_clock.now())

    with counted() as sent:
        due = tokens.due(limit=250)

    assert len(due) == min(count, 250)
    assert len([one for one in sent if one.startswith("SELECT")]) == 1


def test_what_was_connected_together_is_not_refreshed_together(ada: User, frozen_clock: FrozenClock) -> None:
    now = frozen_clock.now()
    connection = stored(ada, "shopify", Grant("a", "r", now + timedelta(hours=1)), now)
    due = []
    for number in range(1000):
        connection.id = f"con_{number}"
        due.append(timing._ahead_of(providers.get("shopify"), connection, now))

    minutes = [(each - now).total_seconds() / 60 for each in due if each is not None]
    db.session.expunge(connection)

    assert 44.9 <= min(minutes) < 46
    assert 54 < max(minutes) <= 55
    assert sum(49 <= each < 51 for each in minutes) > 150


def test_an_idle_refresh_token_is_used_before_it_would_lapse(
    ada: User, frozen_clock: FrozenClock, connect: Walker, sandbox: Sandbox
) -> None:
    idle = connect(ada, "google-drive")
    with transaction():
        tokens.keep(idle, Grant(idle.access_token or "", idle.refresh_token, expires_at=None))
    frozen_clock.advance(days=89)
    early = tokens.due()
    frozen_clock.advance(days=2)
    due = tokens.due()

    tokens.refresh_if_due(idle.id)

    assert (early, due) == ([], [idle.id])
    assert len(sandbox.received("google-drive", grantType="refresh_token")) == 1


def test_a_refresh_token_with_an_end_is_exchanged_halfway(ada: User, frozen_clock: FrozenClock) -> None:
    now = frozen_clock.now()
    grant = Grant("a", "r", expires_at=now + timedelta(days=90), refresh_expires_at=now + timedelta(days=60))
    connection = stored(ada, "figma", grant, now)

    assert connection.refresh_due_at == now + timedelta(days=30)
    assert connection.login_ends_at == now + timedelta(days=60)


def test_an_owner_is_told_a_week_before_a_login_ends_and_on_its_last_day(ada: User, frozen_clock: FrozenClock) -> None:
    now = frozen_clock.now()
    connection = stored(ada, "facebook", Grant("a", expires_at=now + timedelta(days=FACEBOOK_DAYS)), now)
    stages = []
    for days in (52, 2, 3, 2, 0.5):
        frozen_clock.advance(days=days)
        tokens.watch_logins()
        tokens.watch_logins()
        stages.append(len(told(connection)))

    assert stages == [0, 1, 1, 2, 2]
    assert {kind for kind, _ in told(connection)} == {AlertKind.LOGIN_ENDING}
    assert reread(connection).is_connected


def test_a_login_that_ended_is_marked_only_when_that_is_certain(ada: User, frozen_clock: FrozenClock) -> None:
    now = frozen_clock.now()
    connection = stored(ada, "facebook", Grant("a", expires_at=now + timedelta(days=1)), now)
    frozen_clock.advance(days=1, hours=3)
    tokens.watch_logins()
    doubtful = reread(connection).state
    frozen_clock.advance(days=1)

    tokens.watch_logins()

    assert doubtful is ConnectionState.CONNECTED
    assert reread(connection).state is ConnectionState.RECONNECT_NEEDED
    assert [kind for kind, is_open in told(connection) if is_open] == [AlertKind.AUTH_FAILED]


def test_reconnecting_settles_what_was_told(ada: User, connect: Walker, frozen_clock: FrozenClock) -> None:
    connection = connect(ada, "shopify", shop="demo-shop")
    tokens.mark_reconnect_needed(connection.id, "revoked")
    before = told(connection)

    connect(ada, "shopify", shop="demo-shop")

    assert before == [(AlertKind.AUTH_FAILED, True)]
    assert told(connection) == [(AlertKind.AUTH_FAILED, False)]
