"""How many retries there may be: a small share of the requests, for one run and for all of a platform's together."""

import pytest

from patchbay.client import retries
from patchbay.client.retries import Budget
from tests.servers import RedisServer

DATABASES = ("sqlite",)
pytestmark = pytest.mark.usefixtures("context", "frozen_clock")


def spent(budget: Budget) -> int:
    """How many retries are granted until one is not."""
    return next(number for number in range(10_000) if not budget.may_retry())


def test_a_run_retries_a_few_times_and_then_a_tenth_of_what_it_sends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "PLATFORM_FLOOR", 10_000)
    short, long = Budget("etsy:live"), Budget("figma:live")
    for _ in range(1000):
        long.spend_request()

    assert spent(short) == retries.RUN_FLOOR
    assert spent(long) == retries.RUN_FLOOR + 100


def test_the_runs_of_a_platform_share_a_budget() -> None:
    granted = sum(spent(Budget("etsy:live")) for _ in range(10))

    assert granted == retries.PLATFORM_FLOOR


def test_one_platform_does_not_spend_the_budget_of_another() -> None:
    for _ in range(10):
        spent(Budget("etsy:live"))

    assert Budget("figma:live").may_retry()
    assert Budget("etsy:sandbox").may_retry()


def test_without_redis_a_run_keeps_to_its_own_budget(redis_server: RedisServer) -> None:
    redis_server.stop()

    assert spent(Budget("etsy:live")) == retries.RUN_FLOOR
