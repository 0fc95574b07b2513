"""A month of simulated time over fifty connections, at five per cent of faults: the short form of `bench.month`.

Every schedule ran at its time, nothing was lost, nothing doubled, no alert came without a cause and none was missing.
"""

from flask import Flask

from bench import month

DATABASES = ("sqlite",)


def test_in_a_month_every_schedule_runs_and_nothing_is_lost_or_doubled(app: Flask) -> None:
    lived = month.Life(app, connections=50).go()

    assert lived.problems == []
    assert (lived.schedules, lived.records) == (50, 300)
    assert lived.started > 500
    assert lived.made_up > 0
    assert set(lived.faults) == {"rate limit", "unavailable", "no answer", "misshapen", "killed", "away"}
    assert (lived.alerts["auth_failed"], lived.alerts["unexpected_shape"] > 0) == (1, True)
