"""The brake on guessing: how often something may be tried, counted in Redis for all web processes together."""

from functools import cache

from limits import RateLimitItem, RateLimitItemPerMinute, parse
from limits.storage import MemoryStorage, RedisStorage, Storage
from limits.strategies import SlidingWindowCounterRateLimiter
from redis.exceptions import RedisError

from patchbay import queue, settings
from patchbay.errors import TooManyRequests

PER_ACCOUNT = parse("10 per 15 minutes")
PER_ADDRESS = RateLimitItemPerMinute(30)


def brake(limit: RateLimitItem, *who: str) -> None:
    """Count an attempt against a limit. Raises TooManyRequests when it is used up."""
    try:
        allowed = _limiter().hit(limit, *who)
    except RedisError:
        return  # a lost Redis must not lock everybody out; argon2 slows guessing all the same
    if not allowed:
        raise TooManyRequests(retry_after_s=limit.get_expiry())


@cache
def _limiter() -> SlidingWindowCounterRateLimiter:
    """Counts in Redis, so that all web processes count together."""
    url = settings.current().redis_url
    storage: Storage
    if url.startswith("memory:"):
        storage = MemoryStorage()
    else:
        storage = RedisStorage("redis://", connection_pool=queue.redis().connection_pool)
    return SlidingWindowCounterRateLimiter(storage)
