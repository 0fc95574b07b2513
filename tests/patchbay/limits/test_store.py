"""Talking to Redis: what is only said is done before what is asked next, and no question gets the answer of another."""

import multiprocessing
from collections.abc import Iterator
from threading import Thread

import pytest

from patchbay import queue
from patchbay.limits import store
from tests.servers import RedisServer

DATABASES = ("sqlite",)  # none of this is the database's
pytestmark = pytest.mark.usefixtures("context")

OPEN, PLACE = "test:open", "test:breaker"
PASSES = [b"0", 0]


@pytest.fixture(autouse=True)
def _from_the_beginning(context: None, redis_server: RedisServer) -> Iterator[None]:
    store.come_back()
    yield
    store.come_back()


def tell(words: str = "") -> None:
    """Count a call, which failed in the way that `words` say."""
    store.tell("breaker_note", [OPEN, PLACE], words, 1)


def ask() -> object:
    """How long to wait, and for which breaker: the script's answer to a telling is another one."""
    return store.run("breaker_check", [PLACE], 20.0)


def told() -> int:
    """How many failures were counted."""
    return store.ask(lambda redis: int(redis.llen(f"{PLACE}:errors")))


def test_what_was_said_is_done_before_what_is_asked_next() -> None:
    for at in range(1, 20):
        tell("broken")

        assert told() == min(at, 10)


def test_each_question_gets_its_own_answer() -> None:
    for _ in range(20):
        tell()

        assert ask() == PASSES


def test_each_thread_gets_its_own_answers() -> None:
    answers: list[object] = []

    def converse() -> None:
        for _ in range(50):
            tell()
            answers.append(ask())

    threads = [Thread(target=converse) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers == [PASSES] * 400


def test_a_forked_process_leaves_its_parents_answers_alone() -> None:
    fork = multiprocessing.get_context("fork")
    mine, childs = fork.Pipe(duplex=False)
    tell("broken")

    child = fork.Process(target=lambda: childs.send([told(), told()]))
    child.start()
    child.join()

    assert mine.recv() == [1, 1]
    assert told() == 1


def test_a_redis_that_was_started_anew_is_talked_to_at_once(redis_server: RedisServer) -> None:
    ask()
    tell("broken")
    redis_server.stop()
    redis_server.start()

    tell("broken anew")

    assert told() == 1
    assert ask() != PASSES


def test_scripts_that_redis_forgot_are_sent_again() -> None:
    ask()
    tell("broken")
    assert told() == 1
    queue.redis().script_flush()

    tell("lost with the scripts")
    assert ask() != PASSES
    tell("broken again")

    assert told() == 2


@pytest.mark.usefixtures("in_haste")
def test_an_answer_that_comes_too_late_is_nobodys() -> None:
    tell()
    queue.redis().client_pause(60_000, all=False)
    tell()
    with pytest.raises(store.Unreachable):
        ask()
    queue.redis().client_unpause()
    store.come_back()

    assert [ask() for _ in range(3)] == [PASSES] * 3


def test_what_cannot_be_done_comes_out_with_the_next_question() -> None:
    store.tell("settle", [OPEN], "no JSON")

    with pytest.raises(store.Unreachable):
        ask()
    store.come_back()
    assert ask() == PASSES
