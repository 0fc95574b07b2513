"""Short forms of the benches of refreshing: 60 uses at once by 3 processes where the bench has 1,000 by 8, and 100 due
connections where it has 10,000.
"""

import pytest
from flask import Flask

from bench import refresh_once, refresh_sweep, refreshing
from patchbay import tenancy
from patchbay.settings import Settings
from tests.stage import Sandbox


def test_sixty_uses_at_once_of_an_ended_one_use_token_by_three_processes_refresh_once(
    app: Flask, settings: Settings, sandbox: Sandbox
) -> None:
    sandbox.lifetimes("shopify", oneUse=True)
    with app.app_context(), tenancy.everyone():
        (connection_id,) = refreshing.connect(settings.sandbox_url, "shopify", 1)

    told = refresh_once.measure(settings, connection_id, jobs=60, processes=3, threads=5)

    assert told["outcomes"] == {"ok": 60}
    assert told["refreshes"] == 1


@pytest.mark.usefixtures("sandbox")
def test_a_hundred_due_connections_are_kept_alive_with_one_question_per_batch(app: Flask, settings: Settings) -> None:
    told = refresh_sweep.measure(app, settings.sandbox_url, count=100)

    assert told["alive"] == told["refreshes"] == 100
    assert len(told["queries_per_batch"]) == 1
    assert told["statements_per_refresh"] < 16
    assert told["share_of_a_core"] < 0.5
