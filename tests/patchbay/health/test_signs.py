"""Signs of life, and what `/health` makes of them."""

import pytest

from patchbay import health
from tests.servers import RedisServer
from tests.stage import FrozenClock

pytestmark = pytest.mark.usefixtures("context")


def test_all_is_well_when_everybody_gives_signs_of_life() -> None:
    health.beat("worker-1")
    health.beat("clock")

    assert health.checks() == {"database": "ok", "queue": "ok", "workers": "ok", "scheduler": "ok"}


def test_silence_is_noticed_after_twenty_seconds(frozen_clock: FrozenClock) -> None:
    health.beat("worker-1")
    health.beat("clock")
    frozen_clock.advance(seconds=20)

    checks = health.checks()

    assert checks["workers"] == "no worker gives signs of life"
    assert checks["scheduler"] == "the clock gives no signs of life"


def test_one_worker_is_enough(frozen_clock: FrozenClock) -> None:
    health.beat("worker-1")
    frozen_clock.advance(seconds=19)
    health.beat_quietly("worker-2")
    frozen_clock.advance(seconds=5)

    assert health.checks()["workers"] == "ok"


def test_a_lost_redis_is_noticed(redis_server: RedisServer) -> None:
    redis_server.stop()

    assert health.checks()["queue"] == "Redis does not answer"
