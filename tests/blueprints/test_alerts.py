"""The pages of alerts: the inbox, one alert, what is sent."""

from collections.abc import Callable

import pytest
from aiosmtpd.controller import Controller
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from patchbay import alerts
from patchbay.alerts import inbox, preferences
from patchbay.alerts.preferences import Preference
from patchbay.models import Alert, AlertKind, Connection, User, db
from patchbay.settings import Settings
from tests.blueprints.pages import HTMX, path_of, post, text_of
from tests.servers import free_port
from tests.stage import Walker, in_context

Login = Callable[[FlaskClient, User], str]
PUBLIC = "https://198.252.206.1/hook"
DECLINED = "It may have been deleted, or it belongs to someone else"


@pytest.fixture
def token(client: FlaskClient, ada: User, login: Login) -> str:
    """Ada is signed in; this is her session's token."""
    return login(client, ada)


def add(app: Flask, user: User, kind: AlertKind, subject: str = "con_1", **params: str | None) -> str:
    with in_context(app):
        alerts.raise_alert(kind, user_id=user.id, subject_id=subject, **params)  # type: ignore[arg-type]  # also connection_id
        found = db.session.scalars(select(Alert).where(Alert.subject_id == subject, Alert.kind == kind)).one()
        return found.id


def test_an_inbox_without_alerts_says_so(client: FlaskClient, token: str) -> None:
    page = client.get("/alerts")

    assert "Nothing needs your attention." in text_of(page)


def test_every_page_counts_what_is_open(app: Flask, client: FlaskClient, ada: User, token: str) -> None:
    assert "Alerts Account" not in text_of(client.get("/runs"))
    add(app, ada, AlertKind.DISK_LOW, free="10 MB")
    add(app, ada, AlertKind.BACKLOG_OLD)

    assert "Alerts 2 open" in text_of(client.get("/runs"))


@pytest.mark.parametrize(
    ("kind", "label", "leads_to"),
    [
        (AlertKind.AUTH_FAILED, "Reconnect", "/integrations/shopify/connect"),
        (AlertKind.LOGIN_ENDING, "Reconnect", "/integrations/shopify/connect"),
        (AlertKind.RUN_STUCK, "Open the run", "/runs/run_1"),
        (AlertKind.DELETIONS_HELD, "Review the deletions", "/runs/run_1"),
        (AlertKind.ERROR_RATE, "See the failed runs", "/runs?status=failed&amp;integration=shopify"),
        (AlertKind.QUOTA_NEAR, "Open the integration", "/integrations/shopify"),
        (AlertKind.DISK_LOW, "Open the health page", "/health-dashboard"),
    ],
)
def test_each_alert_has_the_one_button_that_mends_it(
    app: Flask, client: FlaskClient, ada: User, token: str, connect: Walker, kind: AlertKind, label: str, leads_to: str
) -> None:
    shop: Connection = connect(ada, "shopify", shop="demo-shop")
    alert_id = add(app, ada, kind, "run_1", connection_id=shop.id)

    for path in ("/alerts", f"/alerts/{alert_id}"):
        page = client.get(path)
        assert f'href="{leads_to}"' in page.get_data(as_text=True)
        assert label in text_of(page)


def test_an_inbox_is_read_page_by_page_and_narrowed(
    app: Flask, client: FlaskClient, ada: User, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("blueprints.alerts.A_PAGE", 2)
    ids = [add(app, ada, AlertKind.INTEGRATION_DOWN, f"con_{number}", provider=f"P{number}") for number in range(3)]
    with in_context(app):
        alerts.resolve(AlertKind.INTEGRATION_DOWN, "con_0")

    first = client.get("/alerts")
    second = client.get(f"/alerts?cursor={ids[1]}", headers=HTMX)

    assert "P2 does not answer" in text_of(first)
    assert "P0 does not answer" not in text_of(first)
    assert f"cursor={ids[1]}" in first.get_data(as_text=True)
    assert "P0 does not answer" in text_of(second)
    assert "P1 does not answer" not in text_of(client.get("/alerts?status=resolved"))


def test_an_alert_is_put_off_and_woken_by_a_form(app: Flask, client: FlaskClient, ada: User, token: str) -> None:
    alert_id = add(app, ada, AlertKind.BACKLOG_OLD)

    answer = post(client, f"/alerts/{alert_id}/snooze", token, **{"for": "day"})
    assert (answer.status_code, path_of(answer)) == (303, f"/alerts/{alert_id}")
    assert "Put off until" in text_of(client.get(f"/alerts/{alert_id}"))
    post(client, f"/alerts/{alert_id}/wake", token)

    assert "Put off until" not in text_of(client.get(f"/alerts/{alert_id}"))


def test_alerts_are_marked_as_read_one_by_one_or_all(app: Flask, client: FlaskClient, ada: User, token: str) -> None:
    first = add(app, ada, AlertKind.BACKLOG_OLD)
    add(app, ada, AlertKind.DISK_LOW)
    assert text_of(client.get("/alerts")).count(" New ") == 2

    post(client, f"/alerts/{first}/read", token)
    assert text_of(client.get("/alerts")).count(" New ") == 1
    post(client, "/alerts/read", token)

    assert text_of(client.get("/alerts")).count(" New ") == 0


@pytest.mark.parametrize("deed", ["read", "snooze", "wake"])
def test_anothers_alert_is_not_found(app: Flask, client: FlaskClient, ben: User, token: str, deed: str) -> None:
    alert_id = add(app, ben, AlertKind.BACKLOG_OLD)

    shown = client.get(f"/alerts/{alert_id}")
    changed = post(client, f"/alerts/{alert_id}/{deed}", token, **{"for": "week"})

    assert (shown.status_code, changed.status_code) == (404, 404)
    assert client.get(f"/alerts?cursor={alert_id}").status_code == 404
    with in_context(app):
        assert inbox.get(ben.id, alert_id).read_at is None


def test_a_length_that_nobody_offered_is_refused(app: Flask, client: FlaskClient, ada: User, token: str) -> None:
    alert_id = add(app, ada, AlertKind.BACKLOG_OLD)

    assert post(client, f"/alerts/{alert_id}/snooze", token, **{"for": "ever"}).status_code == 422


def test_words_of_a_platform_are_only_text(app: Flask, client: FlaskClient, ada: User, token: str) -> None:
    alert_id = add(app, ada, AlertKind.INTEGRATION_DOWN, provider="<script>alert(1)</script>%(run)s")

    page = client.get(f"/alerts/{alert_id}").get_data(as_text=True)

    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;" in page


def test_preferences_are_kept(app: Flask, client: FlaskClient, ada: User, token: str) -> None:
    kinds = [kind.value for kind in AlertKind]
    answer = client.post(
        "/alerts/preferences",
        data={"csrf_token": token, "email.kinds": kinds[:2], "address.kinds": kinds, "patience": "15"},
    )

    assert answer.status_code == 303
    with in_context(app):
        kept = preferences.of(ada.id)
    assert (kept.wants_email, kept.patience_minutes, kept.address) == (False, 15, None)
    assert [kind for kind in AlertKind if not kept.mutes("email", kind)] == list(AlertKind)[:2]  # type: ignore[arg-type]  # as the form says it
    assert 'value="15" checked' in client.get("/alerts/preferences").get_data(as_text=True)


def test_a_secret_is_shown_once_and_anew_when_wanted(client: FlaskClient, token: str) -> None:
    saved = post(client, "/alerts/preferences", token, address=PUBLIC, patience="0")
    renewed = post(client, "/alerts/preferences/secret", token)
    later = client.get("/alerts/preferences")

    for page in (saved, renewed):
        assert page.status_code == 201
        assert "whsec_" in page.get_data(as_text=True)
        assert "no-store" in page.headers["Cache-Control"]
    assert "whsec_" not in later.get_data(as_text=True)
    assert PUBLIC in later.get_data(as_text=True)


@pytest.mark.parametrize(
    "wrong",
    [{"address": "https://127.0.0.1/"}, {"address": "http://example.com/"}, {"patience": "7"}, {"patience": "x"}],
)
def test_what_cannot_be_kept_is_said_beside_the_field(
    app: Flask, client: FlaskClient, ada: User, token: str, wrong: dict[str, str]
) -> None:
    answer = post(client, "/alerts/preferences", token, **{"patience": "0", **wrong})

    assert answer.status_code == 422
    assert 'class="error"' in answer.get_data(as_text=True)
    with in_context(app):
        assert preferences.of(ada.id) == Preference()


def test_a_test_without_a_channel_says_what_is_missing(client: FlaskClient, token: str) -> None:
    no_address = post(client, "/alerts/preferences/test", token, channel="address")
    no_server = post(client, "/alerts/preferences/test", token, channel="email")

    assert (no_address.status_code, no_server.status_code) == (409, 502)
    assert "No mail server is set up." in text_of(no_server)


def test_a_test_mail_arrives_and_not_too_many_of_them(
    settings_for: Callable[..., Settings], app_for: Callable[[Settings], Flask], ada: User, login: Login
) -> None:
    arrived: list[object] = []

    class Taker:
        async def handle_DATA(self, *given: object) -> str:  # noqa: N802 - the name aiosmtpd looks for
            arrived.append(given[-1])
            return "250 OK"

    controller = Controller(Taker(), hostname="127.0.0.1", port=free_port())
    controller.start()
    here = settings_for(SMTP_URL=f"smtp://localhost:{controller.port}", SMTP_TLS="none", MAIL_FROM="hub@hub.example")
    client = app_for(here).test_client()
    token = login(client, ada)

    answers = [post(client, "/alerts/preferences/test", token, channel="email").status_code for _ in range(8)]

    controller.stop()
    assert answers == [303] * 6 + [429] * 2
    assert len(arrived) == 6


def test_strangers_are_asked_to_sign_in(client: FlaskClient) -> None:
    for path in ("/alerts", "/alerts/alt_1", "/alerts/preferences"):
        assert client.get(path).status_code == 401
