"""Who is told that a platform is left alone, or that most of a long budget is used, and when it is over."""

import time
from dataclasses import replace

import pytest
from sqlalchemy import select

from patchbay import limits, queue
from patchbay.limits import alarms, breakers
from patchbay.limits.breakers import Breaker
from patchbay.models import Alert, AlertKind, Connection, ConnectionState, User, db, new_id, transaction
from patchbay.spec import Answer, Budget, CountedBy, Request, Throttle
from tests.servers import RedisServer
from tests.stage import FrozenClock, count_answer

DATABASES = ("sqlite",)  # queries of one table each
pytestmark = pytest.mark.usefixtures("context")

DAY = Budget(15, 100, 0, cost=0, name="day", seconds=86_400)
READ = Request("GET", "https://x.example/read")


def connected(user: User, account: str, integration_id: str = "etsy") -> Connection:
    now = FrozenClock().now()
    row = Connection(
        id=new_id("con"), user_id=user.id, integration_id=integration_id, state=ConnectionState.CONNECTED,
        account_id=account, account_label=account, is_sandbox=True, connected_at=now, created_at=now, updated_at=now,
    )  # fmt: skip
    with transaction() as session:
        session.add(row)
    return row


def fail(*connections: Connection, times: int) -> None:
    for _ in range(times):
        for connection in connections:
            count_answer(connection.integration_id, connection.id, "HTTP 503")


def tell(connection: Connection, budget: Budget) -> None:
    """Let an answer for that connection tell a budget."""
    throttle = Throttle(read=lambda _answer: (budget,))
    permit = limits.reserve(limits.of(connection), throttle, READ, is_action=True)
    limits.settle(permit, Answer(200, {}, b"", ""), took_s=0.01)


def told(kind: AlertKind) -> set[str]:
    """The connections that have an open alert of that kind."""
    alarms.look()
    return set(db.session.scalars(select(Alert.connection_id).where(Alert.kind == kind, Alert.is_open)))


def test_nothing_is_told_as_long_as_all_is_well(ada: User) -> None:
    fail(connected(ada, "1"), times=3)

    assert told(AlertKind.INTEGRATION_DOWN) == set()


def test_the_owner_of_a_connection_that_is_left_alone_is_told(ada: User, ben: User) -> None:
    mine, other = connected(ada, "1"), connected(ben, "2")
    fail(mine, times=8)

    assert told(AlertKind.INTEGRATION_DOWN) == {mine.id}
    assert db.session.scalar(select(Alert.user_id)) == ada.id
    assert other.id not in told(AlertKind.INTEGRATION_DOWN)


def test_all_who_use_a_platform_that_is_left_alone_are_told(ada: User, ben: User, cleo: User) -> None:
    connections = [connected(user, user.email) for user in (ada, ben, cleo)]
    fail(*connections, times=7)

    assert told(AlertKind.INTEGRATION_DOWN) == {each.id for each in connections}


def test_a_look_that_finds_the_same_again_tells_nothing_new(ada: User) -> None:
    fail(connected(ada, "1"), times=8)

    told(AlertKind.INTEGRATION_DOWN)
    told(AlertKind.INTEGRATION_DOWN)

    assert db.session.scalars(select(Alert.count)).all() == [1]


def test_it_is_over_when_a_probe_went_well(ada: User) -> None:
    mine = connected(ada, "1")
    fail(mine, times=8)
    before = told(AlertKind.INTEGRATION_DOWN)
    place = Breaker("connection", "etsy", True, mine.id).place
    queue.redis().hset(place, "retry_at", str(time.time() - 1))
    passing = breakers.of_requests("etsy", mine.id, is_sandbox=True)
    limits.settle(
        limits.reserve(limits.of(mine), Throttle(), READ, is_action=True, passing=passing),
        Answer(200, {}, b"", ""),
        took_s=0.01,
    )

    assert before == {mine.id}
    assert told(AlertKind.INTEGRATION_DOWN) == set()


def test_what_redis_forgot_is_over(ada: User, redis_server: RedisServer) -> None:
    mine = connected(ada, "1")
    fail(mine, times=8)
    before = told(AlertKind.INTEGRATION_DOWN)
    redis_server.wipe()

    assert before == {mine.id}
    assert told(AlertKind.INTEGRATION_DOWN) == set()


def test_without_redis_nothing_is_taken_back(ada: User, redis_server: RedisServer) -> None:
    mine = connected(ada, "1")
    fail(mine, times=8)
    told(AlertKind.INTEGRATION_DOWN)
    redis_server.stop()

    assert told(AlertKind.INTEGRATION_DOWN) == {mine.id}


def test_the_owner_is_told_at_four_fifths_of_a_day(ada: User) -> None:
    mine = connected(ada, "1")
    tell(mine, DAY)

    assert told(AlertKind.QUOTA_NEAR) == {mine.id}
    assert db.session.scalars(select(Alert.params)).one()["percent"] == "85"


def test_less_than_that_is_nobodys_affair(ada: User) -> None:
    tell(connected(ada, "1"), replace(DAY, available=21))

    assert told(AlertKind.QUOTA_NEAR) == set()


def test_a_short_budget_that_is_spent_is_nobodys_affair(ada: User) -> None:
    tell(connected(ada, "1"), replace(DAY, available=0, seconds=1))

    assert told(AlertKind.QUOTA_NEAR) == set()


def test_what_an_app_has_used_up_concerns_all_its_accounts(ada: User, ben: User) -> None:
    connections = [connected(user, user.email) for user in (ada, ben)]
    tell(connections[0], replace(DAY, by=CountedBy.APP))

    assert told(AlertKind.QUOTA_NEAR) == {each.id for each in connections}


def test_it_is_over_when_there_is_room_again(ada: User) -> None:
    mine = connected(ada, "1")
    tell(mine, DAY)
    before = told(AlertKind.QUOTA_NEAR)
    tell(mine, replace(DAY, available=90))

    assert before == {mine.id}
    assert told(AlertKind.QUOTA_NEAR) == set()
