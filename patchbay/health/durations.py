"""Lengths of time counted in fixed buckets, which can be added up over hours, operations and connections.

What is counted there lives in `calls`. A bound is the square root of two times the one before it, so a figure read
from the buckets is off by a fifth at most.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

LAST = 56
"""The bucket of everything longer: its bound is 2^28 ms, about three days."""


def bucket_of(duration_ms: float) -> int:
    """The number of the bucket whose bound is the first that `duration_ms` does not pass; 0 up to 1 ms."""
    return 0 if duration_ms <= 1 else min(LAST, math.ceil(2 * math.log2(duration_ms) - 1e-9))


def bound_ms(bucket: int) -> float:
    """The longest length of time that the bucket holds."""
    return float(2 ** (bucket / 2))


@dataclass(frozen=True)
class Durations:
    """How many lengths of time fell into which bucket."""

    counts: Mapping[int, int] = field(default_factory=dict)

    @classmethod
    def added(cls, pairs: Iterable[tuple[int, int]]) -> "Durations":
        """From pairs of bucket and count; a bucket may come more than once."""
        counts: dict[int, int] = {}
        for bucket, count in pairs:
            counts[bucket] = counts.get(bucket, 0) + count
        return cls(counts)

    def within_ms(self, share: float) -> float | None:
        """The length in milliseconds that `share` of all (0 < share ≤ 1) did not pass; None when there are none.

        Inside its bucket the lengths are taken to lie evenly.
        """
        wanted, seen = share * sum(self.counts.values()), 0
        for bucket in sorted(self.counts):
            count = self.counts[bucket]
            if count and seen + count >= wanted:
                lower = bound_ms(bucket - 1) if bucket else 0.0
                return lower + (bound_ms(bucket) - lower) * (wanted - seen) / count
            seen += count
        return None
