"""Headers by which platforms announce ends, read in all the forms that occur."""

from datetime import UTC, datetime

import pytest

from patchbay.alerts.run_notes import is_deprecated, sunset
from tests.stage import FrozenClock


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("@1688169599", True),
        ("true", True),
        ("Sun, 11 Nov 2026 23:59:59 GMT", True),
        ("", False),
        ("false", False),
        ("@soon", False),
        ("@", False),
        ("<script>", False),
    ],
)
def test_a_deprecation_header_is_read_in_all_its_forms(text: str, is_one: bool, frozen_clock: FrozenClock) -> None:
    assert is_deprecated(text) is is_one


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("Sat, 01 May 2027 00:00:00 GMT", datetime(2027, 5, 1, tzinfo=UTC)),
        ("Sat, 01 May 2027 02:00:00 +0200", datetime(2027, 5, 1, tzinfo=UTC)),
        ("tomorrow", None),
        ("", None),
        ("Sat, 01 May 9999 00:00:00 GMT", None),
        ("Mon, 99 Foo 2027 99:99:99 GMT", None),
    ],
)
def test_a_sunset_header_is_an_http_date(text: str, moment: datetime | None, frozen_clock: FrozenClock) -> None:
    assert sunset(text) == moment
