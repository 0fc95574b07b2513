"""Hints: sent once the change they speak of is committed, and lost without harm."""

import pytest

from patchbay import queue as hints
from patchbay.models import transaction
from tests.servers import RedisServer
from tests.stage import Queue

pytestmark = pytest.mark.usefixtures("context")


def test_a_hint_waits_for_the_commit(queue: Queue) -> None:
    with transaction() as session:
        session.connection()
        hints.enqueue(hints.RUN, "run_1")
        before = queue.hints()

    assert before == []
    assert queue.hints() == [("jobs.run.execute", "run_1")]


def test_a_hint_goes_with_the_transaction_that_is_undone(queue: Queue) -> None:
    def fail() -> None:
        with transaction() as session:
            session.connection()
            hints.enqueue(hints.RUN, "run_1")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with transaction() as session:
        session.connection()

    assert queue.hints() == []


def test_what_still_waits_is_not_offered_again(queue: Queue) -> None:
    hints.enqueue(hints.RUN, "run_1")

    hints.offer(hints.RUN, ["run_1", "run_2"])
    hints.offer(hints.RUN, ["run_2"])
    first = queue.hints()
    queue.drop_all()
    hints.offer(hints.RUN, ["run_1"])

    assert first == [("jobs.run.execute", "run_1"), ("jobs.run.execute", "run_2")]
    assert queue.hints() == [("jobs.run.execute", "run_1")]


def test_a_hint_outside_a_transaction_goes_at_once(queue: Queue) -> None:
    hints.enqueue(hints.REFRESH, "con_1")

    assert queue.hints() == [("jobs.tokens.refresh", "con_1")]


def test_hints_keep_their_order_and_tokens_come_first(queue: Queue) -> None:
    for job, row in ((hints.RUN, "run_1"), (hints.RUN, "run_2"), (hints.REFRESH, "con_1")):
        hints.enqueue(job, row)

    assert [row for _, row in queue.hints()] == ["con_1", "run_1", "run_2"]
    assert hints.depth() == 3


def test_without_redis_a_hint_is_lost_and_nothing_fails(redis_server: RedisServer) -> None:
    redis_server.stop()

    hints.enqueue(hints.RUN, "run_1")

    assert hints.depth() is None


def test_redis_is_used_again_when_it_is_back(redis_server: RedisServer, queue: Queue) -> None:
    redis_server.stop()
    hints.enqueue(hints.RUN, "run_1")
    redis_server.start()

    hints.enqueue(hints.RUN, "run_2")

    assert queue.hints() == [("jobs.run.execute", "run_2")]
