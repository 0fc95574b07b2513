"""What is left of a platform's budget: shared through Redis, forgotten without harm."""

import pytest

from patchbay import limits
from patchbay.spec import Budget
from tests.servers import RedisServer
from tests.stage import FrozenClock

DATABASES = ("sqlite",)  # none of this is the database's
pytestmark = pytest.mark.usefixtures("context")


def test_a_budget_that_covers_the_next_request_needs_no_wait() -> None:
    limits.note("con_1", Budget(available=600, maximum=1000, per_second=50, cost=500))

    assert limits.wait_s("con_1") == 0.0


def test_what_is_lacking_flows_back_with_time(frozen_clock: FrozenClock) -> None:
    limits.note("con_1", Budget(available=100, maximum=1000, per_second=50, cost=500))

    before = limits.wait_s("con_1")
    frozen_clock.advance(seconds=6)

    assert before == pytest.approx(8.0)
    assert limits.wait_s("con_1") == pytest.approx(2.0)


def test_no_more_flows_back_than_the_bucket_holds(frozen_clock: FrozenClock) -> None:
    limits.note("con_1", Budget(available=0, maximum=1000, per_second=50, cost=2000))
    frozen_clock.advance(minutes=9)

    assert limits.wait_s("con_1") == pytest.approx(20.0)


def test_nothing_known_means_no_wait() -> None:
    assert limits.wait_s("con_unheard_of") == 0.0


def test_budgets_are_kept_apart() -> None:
    limits.note("con_1", Budget(available=0, maximum=1000, per_second=50, cost=500))

    assert limits.wait_s("con_2") == 0.0


def test_a_budget_that_never_fills_is_not_waited_for() -> None:
    limits.note("con_1", Budget(available=0, maximum=1000, per_second=0, cost=500))

    assert limits.wait_s("con_1") == 0.0


def test_without_redis_nothing_is_known_and_nothing_fails(redis_server: RedisServer) -> None:
    redis_server.stop()

    limits.note("con_1", Budget(available=0, maximum=1000, per_second=50, cost=500))

    assert limits.wait_s("con_1") == 0.0
