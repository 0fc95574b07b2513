"""What is left of a platform's budget for one connection, shared by all workers through Redis.

Knowledge only: Redis may be wiped, and then the platform's own answers teach it again.
"""

import contextlib

from redis.exceptions import RedisError

from patchbay import clock, queue
from patchbay.spec import Budget

KEPT_S = 600


def note(connection_id: str, budget: Budget) -> None:
    """Remember the budget that the platform has just reported."""
    fields: dict[
        bytes | bytearray | memoryview[int] | str | int | float, bytes | bytearray | memoryview[int] | str | int | float
    ] = {
        "available": budget.available,
        "maximum": budget.maximum,
        "per_second": budget.per_second,
        "cost": budget.cost,
        "at": clock.now().timestamp(),
    }
    with contextlib.suppress(RedisError):
        pipe = queue.redis().pipeline(transaction=False)
        pipe.hset(_key(connection_id), mapping=fields)
        pipe.expire(_key(connection_id), KEPT_S)
        pipe.execute()


def wait_s(connection_id: str) -> float:
    """Seconds until the budget covers one more request like the last one; 0.0 when it does, or nothing is known."""
    try:
        raw = queue.redis().hgetall(_key(connection_id))
    except RedisError:
        return 0.0
    if not raw:
        return 0.0
    known = {_text(name): float(value) for name, value in raw.items()}
    flowed_back = (clock.now().timestamp() - known["at"]) * known["per_second"]
    lacking = known["cost"] - min(known["maximum"], known["available"] + flowed_back)
    return max(0.0, lacking / known["per_second"]) if known["per_second"] else 0.0


def _key(connection_id: str) -> str:
    return f"patchbay:budget:{connection_id}"


def _text(name: bytes | str) -> str:
    return name.decode() if isinstance(name, bytes) else name
