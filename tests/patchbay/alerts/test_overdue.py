"""How long scheduled imports may go without a success; when that is told is tested in `test_rules`."""

from datetime import timedelta
from typing import Any

import pytest

from patchbay.alerts import overdue
from patchbay.models import Repeat, Schedule


@pytest.mark.parametrize(
    ("repeat", "values", "hours"),
    [
        (Repeat.MINUTES, {"every": 5}, 1),
        (Repeat.HOURS, {"every": 2}, 6),
        (Repeat.HOURS, {"every": 20}, 44),
        (Repeat.DAILY, {"every": None, "time": "09:00"}, 48),
        (Repeat.WEEKLY, {"every": None, "time": "09:00", "weekdays": ["monday", "friday"]}, 5 * 24),
        (Repeat.WEEKLY, {"every": None, "time": "09:00", "weekdays": ["sunday"]}, 8 * 24),
    ],
)
def test_how_long_an_import_may_go_without_success_follows_its_schedule(
    repeat: Repeat, values: dict[str, Any], hours: int
) -> None:
    told = {"every": None, "weekdays": [], **values}

    assert overdue.patience(Schedule(repeat=repeat, **told)) == timedelta(hours=hours)
