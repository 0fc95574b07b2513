"""Lengths of time in buckets: where they fall, and what can be read from them again."""

import random

import pytest

from patchbay.health.durations import LAST, Durations, bound_ms, bucket_of

DAY_MS = 24 * 3600 * 1000


@pytest.mark.parametrize(("duration_ms", "bucket"), [(0, 0), (1, 0), (2, 2), (4, 4), (1024, 20), (1025, 21)])
def test_a_length_falls_into_the_first_bucket_that_holds_it(duration_ms: float, bucket: int) -> None:
    assert bucket_of(duration_ms) == bucket


@pytest.mark.parametrize("bucket", range(LAST))
def test_a_bound_belongs_to_its_own_bucket(bucket: int) -> None:
    assert bucket_of(bound_ms(bucket)) == bucket


def test_whatever_is_longer_falls_into_the_last_bucket() -> None:
    assert bucket_of(400 * DAY_MS) == LAST


@pytest.mark.parametrize("share", [0.5, 0.95, 0.99])
def test_a_figure_is_off_by_a_fifth_at_most(share: float) -> None:
    chance = random.Random(7)  # noqa: S311 - lengths to count, nothing secret
    lengths = sorted(chance.lognormvariate(5.5, 0.8) for _ in range(5_000))
    exact = lengths[int(len(lengths) * share)]

    read = Durations.added((bucket_of(length), 1) for length in lengths).within_ms(share)

    assert read == pytest.approx(exact, rel=0.2)


def test_buckets_of_several_hours_are_added_up() -> None:
    durations = Durations.added([(20, 3), (22, 1), (20, 6)])

    assert durations.counts == {20: 9, 22: 1}
    assert (durations.within_ms(0.5) or 0) < 1024 < (durations.within_ms(0.95) or 0)


def test_without_lengths_there_is_no_figure() -> None:
    assert Durations().within_ms(0.5) is None
