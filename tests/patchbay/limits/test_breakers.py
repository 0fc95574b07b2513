"""Breakers open on a failure rate, let one probe through at a time, and close after it; Redis may forget them."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from patchbay import clock, queue
from patchbay.errors import CircuitOpen
from patchbay.limits import breakers
from patchbay.limits.breakers import Breaker, Event
from tests.servers import RedisServer
from tests.stage import FrozenClock

DATABASES = ("sqlite",)
pytestmark = pytest.mark.usefixtures("context")

OWN = Breaker("connection", "shopify", True, "con_1")
PLATFORM = Breaker("platform", "shopify", True)


def note(*outcomes: bool, connection_id: str = "con_1", provider: str = "shopify") -> list[tuple[Breaker, Event]]:
    """What came of requests that went well (True) or failed, and what that brought about."""
    told = [
        breakers.note(provider, connection_id, failed=not fine, is_sandbox=True, what="" if fine else "HTTP 503")
        for fine in outcomes
    ]
    return [(breaker, event) for each in told for breaker, event in each if event]


def is_let_through(connection_id: str = "con_1", provider: str = "shopify") -> bool:
    try:
        breakers.check(provider, connection_id, is_sandbox=True)
    except CircuitOpen:
        return False
    return True


def wait_out(breaker: Breaker = OWN) -> None:
    """As if the time until the next probe were over."""
    queue.redis().hset(breaker.place, "retry_at", str(time.time() - 1))


@pytest.fixture
def opened(context: None) -> None:
    """A connection that has just failed so often that it is left alone."""
    assert note(*[False] * 8) == [(OWN, Event.OPENED)]


def test_a_breaker_is_closed_when_nothing_is_known() -> None:
    assert is_let_through()
    assert not breakers.state("shopify", "con_1", is_sandbox=True).is_open


def test_a_few_failures_open_nothing() -> None:
    assert note(*[False] * 7) == []
    assert is_let_through()


def test_half_of_the_requests_failing_opens_it() -> None:
    assert note(*[True, False] * 4) == [(OWN, Event.OPENED)]
    assert not is_let_through()


def test_less_than_half_opens_nothing() -> None:
    assert note(*[True, True, False] * 10) == []
    assert is_let_through()


@pytest.mark.usefixtures("opened")
def test_another_connection_goes_on() -> None:
    assert is_let_through("con_2")


def test_a_platform_that_fails_for_many_is_left_alone_by_all() -> None:
    events = [event for number in range(4) for event in note(*[False] * 5, connection_id=f"con_{number}")]

    assert events == [(PLATFORM, Event.OPENED)]
    assert not is_let_through("con_99")


def test_a_store_of_an_owners_own_says_nothing_of_the_others() -> None:
    for number in range(6):
        note(*[False] * 5, connection_id=f"con_{number}", provider="woocommerce")

    assert is_let_through("con_99", provider="woocommerce")


@pytest.mark.usefixtures("opened")
def test_while_it_is_open_a_run_is_told_when_to_come_back(frozen_clock: FrozenClock) -> None:
    with pytest.raises(CircuitOpen) as caught:
        breakers.check("shopify", "con_1", is_sandbox=True)

    wait_s = (caught.value.retry_at - frozen_clock.now()).total_seconds()
    assert wait_s == pytest.approx(30, abs=1)
    assert caught.value.params["provider"] == "Shopify"


@pytest.mark.usefixtures("opened")
def test_one_probe_goes_through_at_a_time_over_all_workers() -> None:
    wait_out()

    with ThreadPoolExecutor(16) as workers:
        let_through = list(workers.map(lambda _: is_let_through(), range(64)))

    assert sum(let_through) == 1


@pytest.mark.usefixtures("opened")
def test_a_probe_that_goes_well_closes_it() -> None:
    wait_out()
    is_let_through()

    assert note(True) == [(OWN, Event.CLOSED)]
    assert all(is_let_through() for _ in range(5))


@pytest.mark.usefixtures("opened")
def test_a_probe_that_fails_opens_it_for_twice_as_long() -> None:
    wait_out()
    is_let_through()
    note(False)

    retry_at = breakers.state("shopify", "con_1", is_sandbox=True).retry_at
    assert retry_at is not None
    assert (retry_at - clock.now()).total_seconds() == pytest.approx(60, abs=1)


@pytest.mark.usefixtures("opened")
def test_the_time_does_not_grow_for_ever() -> None:
    for _ in range(8):
        wait_out()
        is_let_through()
        note(False)

    retry_at = breakers.state("shopify", "con_1", is_sandbox=True).retry_at
    assert retry_at is not None
    assert retry_at - clock.now() <= timedelta(minutes=15)


@pytest.mark.usefixtures("opened")
def test_answers_to_what_was_sent_before_change_nothing_while_it_is_open() -> None:
    assert note(True, False, True) == []
    assert not is_let_through()


@pytest.mark.usefixtures("opened")
def test_a_probe_whose_worker_was_killed_is_given_up() -> None:
    wait_out()
    is_let_through()
    held = is_let_through()
    queue.redis().hset(OWN.place, "probe_until", str(time.time() - 1))

    assert not held
    assert is_let_through()


@pytest.mark.usefixtures("opened")
def test_its_story_names_the_last_failures() -> None:
    state = breakers.state("shopify", "con_1", is_sandbox=True)

    assert state.is_open
    assert state.opened_at is not None
    assert state.opened_at.tzinfo is not None
    assert [failure.what for failure in state.failures] == ["HTTP 503"] * 8


def test_the_token_endpoint_has_a_breaker_of_its_own() -> None:
    for _ in range(5):
        breakers.note_login("shopify", failed=True, is_sandbox=True)

    assert is_let_through()
    with pytest.raises(CircuitOpen):
        breakers.check_login("shopify", is_sandbox=True)


@pytest.mark.usefixtures("opened")
def test_a_clock_set_back_by_an_hour_keeps_it_open_for_no_longer() -> None:
    queue.redis().hset(OWN.place, "retry_at", str(time.time() + 3600 + 30))
    is_let_through()

    retry_at = breakers.state("shopify", "con_1", is_sandbox=True).retry_at
    assert retry_at is not None
    assert (retry_at - clock.now()).total_seconds() < 31


@pytest.mark.usefixtures("opened")
def test_a_wiped_redis_closes_it(redis_server: RedisServer) -> None:
    redis_server.wipe()

    assert is_let_through()


@pytest.mark.usefixtures("opened")
def test_without_redis_all_are_closed(redis_server: RedisServer) -> None:
    redis_server.stop()

    assert is_let_through()
    assert note(False) == []
    assert not breakers.state("shopify", "con_1", is_sandbox=True).is_open
