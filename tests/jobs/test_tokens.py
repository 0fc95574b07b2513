"""The clock's job for one connection: refresh its token; where an answer was lost, see whether it still works."""

import pytest

from jobs import tokens as jobs
from patchbay import tenancy
from patchbay.models import Alert, AlertKind, Connection, ConnectionState, User, db, fresh_view
from tests.stage import FrozenClock, Sandbox, Walker

pytestmark = pytest.mark.usefixtures("context")

TOKEN_CALL, PROFILE_CALL = "oauth/token", "users/me/profile"


@pytest.fixture
def studio(frozen_clock: FrozenClock, connect: Walker, ada: User) -> Connection:
    """A connection to a platform where a refresh token works once; its token is about to end."""
    connection = connect(ada, "canva")
    frozen_clock.advance(hours=3, minutes=57)
    return connection


def refresh(connection: Connection) -> Connection:
    with tenancy.nobody():
        jobs.refresh(connection.id)
    fresh_view()
    return db.session.get_one(Connection, connection.id, populate_existing=True)


def probes(sandbox: Sandbox) -> int:
    return len([row for row in sandbox.received("canva") if PROFILE_CALL in row["path"]])


def test_a_login_in_doubt_that_still_works_is_left_as_it_is(studio: Connection, sandbox: Sandbox) -> None:
    before = probes(sandbox)
    sandbox.fault("canva", "lost_response", match=TOKEN_CALL)

    after = refresh(studio)

    assert probes(sandbox) == before + 1
    assert after.is_connected
    assert after.token_version == 1


def test_a_login_that_the_lost_exchange_has_ended_asks_its_owner_at_once(studio: Connection, sandbox: Sandbox) -> None:
    sandbox.fault("canva", "lost_response", match=TOKEN_CALL)
    sandbox.fault("canva", "expired_token")

    after = refresh(studio)

    assert after.state is ConnectionState.RECONNECT_NEEDED
    assert db.session.query(Alert).filter_by(connection_id=studio.id, kind=AlertKind.AUTH_FAILED).count() == 1


def test_a_login_whose_refresh_token_was_not_spent_is_saved_at_once(studio: Connection, sandbox: Sandbox) -> None:
    sandbox.fault("canva", "reset", match=TOKEN_CALL)  # nothing was done there
    sandbox.fault("canva", "expired_token")

    after = refresh(studio)

    assert after.is_connected
    assert (after.token_version, after.refresh_sent_at) == (2, None)


def test_a_login_that_is_in_no_doubt_is_not_probed(studio: Connection, sandbox: Sandbox) -> None:
    before = probes(sandbox)

    after = refresh(studio)

    assert probes(sandbox) == before
    assert after.token_version == 2
