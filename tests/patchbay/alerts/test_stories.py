"""What alerts say, whatever is known of them."""

from datetime import timedelta

import pytest

from patchbay.alerts import stories
from patchbay.models import Alert, AlertKind


@pytest.mark.parametrize("kind", AlertKind)
def test_every_kind_has_a_story_that_stands_without_its_words(kind: AlertKind) -> None:
    alert = Alert(kind=kind, params={})

    title, sentence = stories.told(alert, str, lambda moment: moment.isoformat())

    assert title
    assert sentence.endswith(".")
    assert "%(" not in title + sentence


def test_moments_and_operations_are_written_for_the_reader() -> None:
    params = {"provider": "Shopify", "operation": "Import products", "since": "2027-03-01T12:00:00Z", "run": "run_1"}
    alert = Alert(kind=AlertKind.RUN_STUCK, params=params)

    _, sentence = stories.told(alert, lambda message: message.replace("Import", "Hole"), lambda at: f"{at:%H.%M}")

    assert sentence.startswith("“Hole products” has made no progress since 12.00.")


def test_a_moment_that_is_none_is_shown_as_it_came() -> None:
    alert = Alert(kind=AlertKind.LOGIN_ENDING, params={"ends_at": "some day"})

    _, sentence = stories.told(alert, str, lambda moment: str(moment + timedelta()))

    assert "some day" in sentence
