"""What all workers know together, in Redis: scripts that each run whole, with short patience for a Redis that fails.

What the scripts decide stands in the `.lua` files beside this one; nothing here is needed to go on working.
"""

import hashlib
import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import structlog
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError
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


def ask(question: Callable[[Redis], T]) -> T:
    """The answer of Redis. Raises Unreachable, at once for two seconds after it did not answer."""
    if time.monotonic() < _Absence.until:
        raise Unreachable
    try:
        return question(_redis(settings.current().redis_url))
    except RedisError as error:
        _Absence.until = time.monotonic() + LEFT_ALONE_S
        log.warning(
            "Redis does not answer; each process keeps to its own part of the limits.",
            error=f"{type(error).__name__}: {error}"[:200],
        )
        raise Unreachable from None


def run(name: str, keys: Sequence[str], *arguments: str | bytes | float) -> Any:
    """What the script of that name answers. Raises Unreachable."""
    text, digest = _script(name)

    def call(redis: Any) -> Any:  # its own `evalsha` takes half as long again
        try:
            return redis.execute_command("EVALSHA", digest, len(keys), *keys, *arguments)
        except NoScriptError:  # Redis was started anew
            return redis.execute_command("EVAL", text, len(keys), *keys, *arguments)

    return ask(call)


def members(name: str) -> list[str]:
    """What is in a set. Raises Unreachable."""
    found = ask(lambda redis: redis.smembers(name))
    return sorted(one.decode() if isinstance(one, bytes) else one for one in found)


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
