"""What all workers know together, in Redis: scripts that each run whole, with short patience for a Redis that fails.

What the scripts decide stands in the `.lua` files beside this one; nothing here is needed to go on working.
"""

import hashlib
import os
import threading
import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import structlog
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as Disconnected
from redis.exceptions import NoScriptError, RedisError, ResponseError
from redis.retry import Retry

from patchbay import settings

T = TypeVar("T")

TIMEOUT_S = 0.25  # a platform is asked for tens of milliseconds: a Redis that takes longer is no help
LEFT_ALONE_S = 2.0

log = structlog.get_logger()


class Unreachable(Exception):
    """Redis does not answer in time; whoever asked goes on with what this process knows alone."""


class _Absence:
    """Until when this process leaves Redis alone, by the monotonic clock."""

    until = 0.0


class _Line(threading.local):
    """A thread's own connection: what a pool does around a question takes half as long as the question.

    Of what was only said the answer is heard before anything else is. A connection on which it is not sure what comes
    next is not used again, nor is a parent's by a process that was forked from it.
    """

    def __init__(self) -> None:
        self._made_by: tuple[Redis, int] | None = None
        self._connection: Any = None  # redis-py does not type its connections
        self._known: set[str] = set()
        self._is_unheard = False

    def say(self, name: str, keys: Sequence[str], arguments: Sequence[str | bytes | float]) -> None:
        """Have the script run, without waiting for it."""
        self.hear()
        text, digest = _script(name)
        command = ("EVALSHA", digest) if digest in self._known else ("EVAL", text)
        self._is_unheard = True
        try:
            self._connected().send_command(*command, len(keys), *keys, *arguments)
        except BaseException:
            self._hang_up()
            raise
        self._known.add(digest)

    def hear(self) -> Any:
        """The answer to what was said last, None when it has been heard."""
        connection = self._connected()
        if not self._is_unheard:
            return None
        try:
            answer = connection.read_response()
        except NoScriptError:
            self._hang_up()  # a new connection sends the texts again
            raise Disconnected("the scripts are gone") from None
        except ResponseError:
            self._is_unheard = False
            raise
        except BaseException:
            self._hang_up()
            raise
        self._is_unheard = False
        return answer

    def _connected(self) -> Any:
        redis, process = _redis(settings.current().redis_url), os.getpid()
        if self._connection is None or self._made_by != (redis, process):
            self._hang_up()
            self._made_by, self._connection = (redis, process), redis.connection_pool.make_connection()
        return self._connection

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.disconnect()
        self._connection, self._is_unheard = None, False
        self._known.clear()


_line = _Line()


def run(name: str, keys: Sequence[str], *arguments: str | bytes | float) -> Any:
    """What the script of that name answers. Raises Unreachable."""

    def converse() -> Any:
        _line.say(name, keys, arguments)
        return _line.hear()

    return _patiently(converse)


def tell(name: str, keys: Sequence[str], *arguments: str | bytes | float) -> None:
    """Have the script of that name run, before anything that this thread asks later. Raises Unreachable.

    Whether it ran well comes out with the next question: only for what does no harm when it is lost.
    """
    _patiently(lambda: _line.say(name, keys, arguments))


def ask(question: Callable[[Redis], T]) -> T:
    """The answer of Redis. Raises Unreachable."""

    def converse() -> T:
        _line.hear()
        return question(_redis(settings.current().redis_url))

    return _patiently(converse)


def members(name: str) -> list[str]:
    """What is in a set. Raises Unreachable."""
    found = ask(lambda redis: redis.smembers(name))
    return sorted(one.decode() if isinstance(one, bytes) else one for one in found)


def _patiently(converse: Callable[[], T]) -> T:
    """What comes of talking to Redis; Unreachable at once for two seconds after it did not answer."""
    if time.monotonic() < _Absence.until:
        raise Unreachable
    try:
        try:
            return converse()
        except Disconnected:  # it may have been started anew since the last time
            return converse()
    except RedisError as error:
        _Absence.until = time.monotonic() + LEFT_ALONE_S
        log.warning(
            "Redis does not answer; each process keeps to its own part of the limits.",
            error=f"{type(error).__name__}: {error}"[:200],
        )
        raise Unreachable from None


def come_back() -> None:
    """Ask Redis again at once."""
    _Absence.until = 0.0


@cache
def _redis(url: str) -> Redis:
    return Redis.from_url(url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S, retry=Retry(NoBackoff(), 1))


@cache
def _script(name: str) -> tuple[str, str]:
    """The text of a script, and the digest by which Redis knows it."""
    folder = Path(__file__).parent
    text = "\n".join((folder / f"{part}.lua").read_text(encoding="utf-8") for part in ("prelude", "breakers", name))
    return text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
