"""Seats for those who wait: never more than there are, and none kept by one who has left."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from patchbay.connections.seats import Seats


def test_no_more_sit_than_there_are_seats() -> None:
    seats = Seats()

    with seats.take(2) as first, seats.take(2) as second, seats.take(2) as third:
        seated = (first, second, third)

    assert seated == (True, True, False)


def test_a_seat_is_free_again_when_its_holder_leaves() -> None:
    seats = Seats()
    with seats.take(1):
        pass

    with seats.take(1) as is_seated:
        assert is_seated


def test_a_seat_is_free_again_when_its_holder_fails() -> None:
    seats = Seats()
    with pytest.raises(ValueError, match="gone"), seats.take(1):
        raise ValueError("gone")

    with seats.take(1) as is_seated:
        assert is_seated


def test_many_threads_never_lose_count() -> None:
    seats = Seats()

    def sit(_: int) -> None:
        with seats.take(3):
            pass

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(sit, range(2_000)))

    with seats.take(3) as first, seats.take(3) as second, seats.take(3) as third, seats.take(3) as fourth:
        assert (first, second, third, fourth) == (True, True, True, False)
