"""How much of each limit is used, for people to see; nothing is decided by these figures.

What keeps to the limits lives in `budgets`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from patchbay import providers
from patchbay.limits import store
from patchbay.limits.budgets import Key
from patchbay.spec import CountedBy, Throttle


@dataclass(frozen=True)
class Headroom:
    """One limit: of `most` requests or points in so many `seconds` (0: at the same time), so many are `used`."""

    name: str
    used: float
    most: float
    seconds: float

    @property
    def share(self) -> float:
        """How much is used, 0.0 to 1.0."""
        return min(1.0, max(0.0, self.used / self.most)) if self.most > 0 else 0.0


class _Kept(msgspec.Struct):
    """A budget as the scripts keep it; `at` is Redis's time."""

    available: float
    maximum: float
    per_second: float
    at: float
    seconds: float = 0.0


class _Size(msgspec.Struct):
    """How large an answer said that a window is."""

    most: float


def headrooms(keys: Sequence[Key]) -> Mapping[Key, tuple[Headroom, ...]]:
    """All limits of each that something is known of, in one question to Redis; nothing while it is away."""
    throttles = {key: providers.get(key.provider_key).throttle or Throttle() for key in keys}

    def look(redis: Any) -> list[Any]:
        pipe = redis.pipeline(transaction=False)
        pipe.time()
        for key, throttle in throttles.items():
            for owner in key.owners:
                pipe.hgetall(owner)
            for window in throttle.windows:
                pipe.zcard(_place(key, window.name, window.by))
        return list(pipe.execute())

    try:
        answers = iter(store.ask(look))
    except store.Unreachable:
        return dict.fromkeys(keys, ())
    seconds, microseconds = next(answers)
    now = seconds + microseconds / 1_000_000
    return {key: tuple(_read(throttle, answers, now)) for key, throttle in throttles.items()}


def _read(throttle: Throttle, answers: Iterator[Any], now: float) -> Iterator[Headroom]:
    known = {owner: next(answers) for owner in CountedBy}
    for window in throttle.windows:
        told = known[window.by].get(f"size:{window.name}".encode())
        most = msgspec.json.decode(told, type=_Size).most if told else window.most
        used = next(answers)
        if most > 0 and used:
            yield Headroom(window.name, used, most, window.seconds)
    for name, text in (field for fields in known.values() for field in fields.items()):
        if name.startswith(b"budget:"):
            kept = msgspec.json.decode(text, type=_Kept)
            available = min(kept.maximum, kept.available + max(0.0, now - kept.at) * kept.per_second)
            called = name.decode().removeprefix("budget:")
            yield Headroom(called, kept.maximum - available, kept.maximum, kept.seconds)


def _place(key: Key, window: str, by: CountedBy) -> str:
    return f"{key.owners[list(CountedBy).index(by)]}:window:{window}"
