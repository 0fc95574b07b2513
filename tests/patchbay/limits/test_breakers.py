"""Breakers open on a failure rate, let one probe through at a time, and close after it; Redis may forget them."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest

from patchbay import clock, limits, queue
from patchbay.errors import CircuitOpen
from patchbay.limits import Key, breakers
from patchbay.limits.breakers import Breaker
from patchbay.spec import Answer, Request, Throttle, Window
from tests.servers import RedisServer
from tests.stage import FrozenClock, count_answer

DATABASES = ("sqlite",)
pytestmark = pytest.mark.usefixtures("context")

OWN = Breaker("connection", "shopify", True, "con_1")
PLATFORM = Breaker("platform", "shopify", True)
READ = Request("GET", "https://x.example/read")


def note(*outcomes: bool, connection_id: str = "con_1", provider: str = "shopify") -> None:
    """Tell of requests that went well (True) or failed."""
    for fine in outcomes:
        count_answer(provider, connection_id, "" if fine else "HTTP 503")


def is_let_through(connection_id: str = "con_1", provider: str = "shopify", lasts_s: float = 35) -> bool:
    """Whether a request may go, each of an account that nobody has asked before."""
    passing = breakers.of_requests(provider, connection_id, is_sandbox=True)
    key = Key(provider, True, uuid4().hex)
    try:
        permit = limits.reserve(key, Throttle(), READ, is_action=True, passing=passing, lasts_s=lasts_s)
    except CircuitOpen:
        return False
    return permit.wait_s == 0


def is_open(breaker: Breaker) -> bool:
    return breakers.states([breaker])[0].is_open


def wait_out(breaker: Breaker = OWN) -> None:
    """As if the time until the next probe were over."""
    queue.redis().hset(breaker.place, "retry_at", str(time.time() - 1))


@pytest.fixture
def opened(context: None) -> None:
    """A connection that has just failed so often that it is left alone."""
    note(*[False] * 8)
    assert is_open(OWN)


def test_a_breaker_is_closed_when_nothing_is_known() -> None:
    assert is_let_through()
    assert not breakers.state("shopify", "con_1", is_sandbox=True).is_open


def test_a_few_failures_open_nothing() -> None:
    note(*[False] * 7)

    assert is_let_through()


def test_half_of_the_requests_failing_opens_it() -> None:
    note(*[True, False] * 4)

    assert is_open(OWN)
    assert not is_let_through()


def test_less_than_half_opens_nothing() -> None:
    note(*[True, True, False] * 10)

    assert is_let_through()


@pytest.mark.usefixtures("opened")
def test_another_connection_goes_on() -> None:
    assert is_let_through("con_2")


def test_a_platform_that_fails_for_many_is_left_alone_by_all() -> None:
    for number in range(4):
        note(*[False] * 5, connection_id=f"con_{number}")

    assert is_open(PLATFORM)
    assert not is_let_through("con_99")


def test_a_store_of_an_owners_own_says_nothing_of_the_others() -> None:
    for number in range(6):
        note(*[False] * 5, connection_id=f"con_{number}", provider="woocommerce")

    assert is_let_through("con_99", provider="woocommerce")


@pytest.mark.usefixtures("opened")
def test_while_it_is_open_a_run_is_told_when_to_come_back(frozen_clock: FrozenClock) -> None:
    passing = breakers.of_requests("shopify", "con_1", is_sandbox=True)
    with pytest.raises(CircuitOpen) as caught:
        limits.reserve(Key("shopify", True, "ada"), Throttle(), READ, is_action=True, passing=passing)

    wait_s = (caught.value.retry_at - frozen_clock.now()).total_seconds()
    assert 20 < wait_s <= 30
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

    note(True)

    assert not is_open(OWN)
    assert all(is_let_through() for _ in range(5))


@pytest.mark.usefixtures("opened")
def test_a_probe_that_fails_opens_it_for_twice_as_long() -> None:
    wait_out()
    is_let_through()
    note(False)

    retry_at = breakers.state("shopify", "con_1", is_sandbox=True).retry_at
    assert retry_at is not None
    assert 45 < (retry_at - clock.now()).total_seconds() <= 60.5


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
    note(True, False, True)

    assert is_open(OWN)
    assert not is_let_through()


@pytest.mark.usefixtures("opened")
def test_a_probe_whose_worker_was_killed_is_given_up_when_no_answer_can_come_any_more() -> None:
    wait_out()
    is_let_through(lasts_s=20)
    held = is_let_through()
    left_s = float(queue.redis().hget(OWN.place, "probe_until") or 0) - time.time()
    queue.redis().hset(OWN.place, "probe_until", str(time.time() - 1))

    assert not held
    assert 10 < left_s <= 20.5
    assert is_let_through()


@pytest.mark.usefixtures("opened")
def test_a_probe_that_must_wait_for_its_budget_is_none_yet() -> None:
    key, passing = Key("shopify", True, "ada"), breakers.of_requests("shopify", "con_1", is_sandbox=True)
    full = Throttle(windows=(Window("second", 1, 60),))
    limits.settle(limits.reserve(key, full, READ, is_action=True), Answer(200, {}, b"", ""), took_s=0.01)
    wait_out()

    waits = limits.reserve(key, full, READ, is_action=True, passing=passing).wait_s > 0

    assert waits
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

    note(False)

    assert is_let_through()
    assert not breakers.state("shopify", "con_1", is_sandbox=True).is_open
