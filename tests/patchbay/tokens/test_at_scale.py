"""Short forms of the benches of refreshing: 40 jobs at once by 4 workers where the bench has 1,000 by 8, and 100 due
connections where it has 10,000.
"""

import pytest
from flask import Flask

from bench import refresh_once, refresh_sweep
from patchbay.settings import Settings


@pytest.mark.usefixtures("sandbox")
def test_forty_jobs_at_once_on_an_ended_one_use_token_by_four_workers_refresh_once(
    app: Flask, settings: Settings
) -> None:
    told = refresh_once.measure(app, settings, jobs=40, workers=4)

    assert told["refreshes"] == 1
    assert (told["succeeded"], told["failed"]) == (40, 0)


@pytest.mark.usefixtures("sandbox")
def test_a_hundred_due_connections_are_kept_alive_with_one_question_per_batch(app: Flask, settings: Settings) -> None:
    told = refresh_sweep.measure(app, settings.sandbox_url, count=100)

    assert told["alive"] == told["refreshes"] == 100
    assert len(told["queries_per_batch"]) == 1
    assert told["statements_per_refresh"] < 12
    assert told["share_of_a_core"] < 0.5
