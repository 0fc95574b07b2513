"""The short form of the bench of lost answers and kills: 8 seconds, 20 connections and 2 processes, where it has ten
minutes, 1,000 and 8. On SQLite alone: what both databases must do is tested one by one in `test_recovery`.
"""

from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from bench import refresh_churn
from patchbay.settings import Settings
from patchbay.tokens import lease

DATABASES = ("sqlite",)


@pytest.mark.usefixtures("sandbox")
def test_eight_seconds_of_kills_and_lost_answers_cost_none_of_the_connections_that_can_be_saved(
    app: Flask, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "LEASE", timedelta(seconds=6))
    monkeypatch.setattr(lease, "LONGEST_EXCHANGE_S", 2.0)
    monkeypatch.setattr(lease, "LONGEST_ANSWER_S", 1.5)
    monkeypatch.setattr(refresh_churn, "KILL_EVERY_S", 1.0)

    told = refresh_churn.measure(app, settings.sandbox_url, count=20, processes=2, seconds=8, folder=tmp_path)

    assert told["kills"] >= 2
    assert told["outcomes"]["ok"] > 0
    assert told["shopify"]["refreshes"] > 0
    assert told["shopify"]["lost"] == {}
    assert refresh_churn.UNEXPLAINED not in told["canva"]["reasons"]
