"""The list of schedules, the form that makes and changes one, and its line on the integration's page."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from patchbay import connections, schedules
from patchbay.models import Connection, ConnectionState, Schedule, User, transaction
from tests.blueprints.pages import HTMX, htmx_post, path_of, post, text_of
from tests.stage import FrozenClock, Queue, Walker, in_context

Login = Callable[[FlaskClient, User], str]
FORM = "/integrations/shopify/schedule/import_products"
DAILY = {"repeat": "daily", "time": "09:00", "timeZone": "Europe/Berlin", "overlap": "skip"}


@pytest.fixture
def token(frozen_clock: FrozenClock, client: FlaskClient, ada: User, login: Login, connect: Walker) -> str:
    """Ada is signed in and connected to the demo shop; this is her session's token."""
    connect(ada, "shopify", shop="demo-shop")
    return login(client, ada)


def made(app: Flask, user: User) -> Schedule:
    """The user's first schedule."""
    with in_context(app):
        return schedules.page(user.id, cursor=None, limit=1)[0][0]


def save(client: FlaskClient, token: str, **fields: object) -> str:
    """Save the form and read the page that it leads to."""
    answer = post(client, FORM, token, do="now", **fields)
    assert answer.status_code == 303, text_of(answer)
    return text_of(client.get(path_of(answer)))


def test_without_a_schedule_one_is_offered(client: FlaskClient, token: str) -> None:
    page = text_of(client.get("/integrations/shopify"))

    assert "Does not run by itself. Set a schedule : Import products" in page
    assert "No schedules yet." in text_of(client.get("/schedules"))


def test_the_form_proposes_the_readers_own_zone(client: FlaskClient, token: str) -> None:
    client.set_cookie("tz", "America/New_York")

    page = client.get(FORM).get_data(as_text=True)

    assert '<option value="America/New_York" selected>' in page
    assert 'name="time"' in page
    assert 'value="09:00"' in page


def test_a_saved_schedule_is_told_beside_its_import_and_in_the_list(client: FlaskClient, token: str) -> None:
    page = save(client, token, **DAILY)

    assert "Schedule saved." in page
    assert "Every day at 09:00 · next on Tue, 2 Mar about 09:00 Europe/Berlin" in page
    listed = text_of(client.get("/schedules"))
    assert "Import products Shopify · " in listed
    assert "none yet" in listed


def test_today_is_told_without_a_date(client: FlaskClient, token: str) -> None:
    page = save(client, token, repeat="hours", every="6", timeZone="Europe/Berlin", overlap="queue")

    assert "Every 6 hours · next about 19:00 Europe/Berlin" in page


def test_weekdays_are_chosen_by_their_boxes(app: Flask, client: FlaskClient, token: str, ada: User) -> None:
    page = save(client, token, **{**DAILY, "repeat": "weekly"}, weekdays=["friday", "monday"])

    assert "Monday and Friday at 09:00" in page
    assert made(app, ada).weekdays == ["monday", "friday"]


def test_another_choice_draws_the_form_anew_and_saves_nothing(client: FlaskClient, token: str) -> None:
    without = client.get(FORM, headers=HTMX).get_data(as_text=True)

    answer = htmx_post(client, FORM, token, **{**DAILY, "repeat": "weekly"})

    fragment = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert "Wednesday" in fragment
    assert "Wednesday" not in without
    assert "<html" not in fragment
    assert "No schedules yet." in text_of(client.get("/schedules"))


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({**DAILY, "time": "25:00"}, "This must be a time of day such as 09:30."),
        ({**DAILY, "timeZone": "Mars/Olympus"}, "This is not a time zone."),
        ({**DAILY, "repeat": "weekly"}, "This field is needed."),
        ({"repeat": "hours", "every": "1000000000", "timeZone": "UTC"}, "This number is out of range."),
        ({"repeat": "yearly"}, "This is not one of the choices."),
        ({}, "This field is needed."),
    ],
)
def test_what_is_wrong_is_told_beside_its_field(
    client: FlaskClient, token: str, fields: dict[str, str], sentence: str
) -> None:
    answer = post(client, FORM, token, do="now", **fields)

    assert answer.status_code == 422
    assert sentence in text_of(answer)


def test_what_is_wrong_with_the_weekdays_is_told_by_their_name(client: FlaskClient, token: str) -> None:
    answer = post(client, FORM, token, do="now", **{**DAILY, "repeat": "weekly"})

    assert "Weekdays : This field is needed." in text_of(answer)


def test_it_is_changed_paused_resumed_and_removed(app: Flask, client: FlaskClient, token: str, ada: User) -> None:
    save(client, token, **DAILY)
    path = f"/schedules/{made(app, ada).id}"

    changed = save(client, token, **{**DAILY, "time": "18:30"})
    paused = text_of(client.get(path_of(post(client, f"{path}/pause", token, on="list"))))
    resumed = text_of(client.get(path_of(post(client, f"{path}/resume", token))))
    removed = text_of(client.get(path_of(post(client, f"{path}/remove", token))))

    assert "Every day at 18:30 · next about 18:30 Europe/Berlin" in changed
    assert "Paused" in paused
    assert "next about 18:30 Europe/Berlin" in resumed
    assert "Schedule removed. The runs it started stay." in removed
    assert "Does not run by itself." in removed


def test_while_disconnected_the_list_says_that_nothing_starts(
    app: Flask, client: FlaskClient, token: str, ada: User
) -> None:
    save(client, token, **DAILY)
    with in_context(app):
        connections.disconnect(ada.id, "shopify")

    page = text_of(client.get("/schedules"))

    assert "Shopify is not connected. Once it is again, one sync makes up for what was missed." in page
    assert "about 09:00" not in page


def test_until_its_owner_reconnects_no_page_promises_a_next_sync(
    app: Flask, client: FlaskClient, token: str, ada: User
) -> None:
    save(client, token, **DAILY)
    with in_context(app), transaction() as session:
        connection = session.scalars(select(Connection).where(Connection.user_id == ada.id)).one()
        connection.state = ConnectionState.RECONNECT_NEEDED

    listed = text_of(client.get("/schedules"))
    health = text_of(client.get("/integrations/shopify/health"))

    assert "Shopify needs you to reconnect first." in listed
    assert "about 09:00" not in listed
    assert "nothing is planned" in health


def test_reconnecting_tells_the_next_sync(
    app: Flask, client: FlaskClient, token: str, ada: User, connect: Walker
) -> None:
    save(client, token, **DAILY)
    with in_context(app):
        connections.disconnect(ada.id, "shopify")
        caller = connections.Caller(ada.id, None)
        returned = connect.walk(caller, "shopify", shop="demo-shop")

    page = text_of(client.get(f"/integrations/shopify?outcome={returned.token}"))

    assert "Your settings were kept. Next sync on Tue, 2 Mar about 09:00 Europe/Berlin." in page


def test_reconnecting_tells_of_a_sync_that_was_missed(
    app: Flask, client: FlaskClient, token: str, ada: User, connect: Walker, frozen_clock: FrozenClock
) -> None:
    save(client, token, **DAILY)
    with in_context(app):
        connections.disconnect(ada.id, "shopify")
        frozen_clock.advance(days=1)
        schedules.start(schedules.due()[0])
        returned = connect.walk(connections.Caller(ada.id, None), "shopify", shop="demo-shop")

    page = text_of(client.get(f"/integrations/shopify?outcome={returned.token}"))

    assert "Your settings were kept. A sync that was missed starts now." in page


def test_the_last_run_is_told_with_its_outcome(
    app: Flask, client: FlaskClient, token: str, ada: User, frozen_clock: FrozenClock, queue: Queue
) -> None:
    save(client, token, **DAILY)
    frozen_clock.moment = datetime(2027, 3, 2, 8, 6, tzinfo=UTC)
    with in_context(app):
        schedules.start(made(app, ada).id)
    queue.run_all()
    run_id = made(app, ada).last_run_id

    assert "Last scheduled run Succeeded" in text_of(client.get("/integrations/shopify"))
    assert "by its schedule" in text_of(client.get(f"/runs/{run_id}"))


def test_what_is_no_import_of_a_connection_has_no_schedule(client: FlaskClient, token: str) -> None:
    for path in ("shopify/schedule/get_products", "shopify/schedule/nothing", "etsy/schedule/import_listings"):
        assert client.get(f"/integrations/{path}").status_code == 404


def test_somebody_elses_is_not_found(
    app: Flask, client: FlaskClient, token: str, ada: User, cleo: User, login: Login
) -> None:
    save(client, token, **DAILY)
    path, stranger = f"/schedules/{made(app, ada).id}", app.test_client()
    theirs = login(stranger, cleo)

    answers = [post(stranger, f"{path}/{what}", theirs).status_code for what in ("pause", "resume", "remove")]

    assert answers == [404, 404, 404]
    assert stranger.get(FORM).status_code == 404
    assert "No schedules yet." in text_of(stranger.get("/schedules"))


def test_weekdays_are_said_in_the_readers_language(client: FlaskClient, token: str) -> None:
    page = post(client, FORM, token, **{**DAILY, "repeat": "weekly"})
    german = client.post(
        FORM, data={"csrf_token": token, **DAILY, "repeat": "weekly"}, headers={"Accept-Language": "de"}
    )

    assert "Monday" in text_of(page)
    assert "Montag" in text_of(german)
