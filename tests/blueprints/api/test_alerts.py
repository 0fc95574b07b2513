"""Alerts over the JSON API."""

from collections.abc import Callable, Mapping

import pytest
from flask import Flask
from flask.testing import FlaskClient

from patchbay import alerts
from patchbay.models import AlertKind, User
from tests.stage import in_context

KeyFor = Callable[..., Mapping[str, str]]
SHAPE = {
    "id",
    "kind",
    "severity",
    "status",
    "title",
    "text",
    "isRead",
    "count",
    "openedAt",
    "lastRaisedAt",
    "resolvedAt",
    "snoozedUntil",
    "repair",
}


@pytest.fixture
def headers(ada: User, key_for: KeyFor) -> Mapping[str, str]:
    """Of a key of Ada's."""
    return key_for(ada, "alerts:read", "alerts:write")


@pytest.fixture
def alert_id(app: Flask, ada: User, client: FlaskClient, headers: Mapping[str, str]) -> str:
    """Something amiss of Ada's."""
    with in_context(app):
        alerts.raise_alert(AlertKind.BACKLOG_OLD, user_id=ada.id, subject_id="one", since="2027-03-01T12:00:00Z")
    found: str = client.get("/api/alerts", headers=headers).get_json()["data"][0]["id"]
    return found


def test_alerts_are_listed_in_words(client: FlaskClient, headers: Mapping[str, str], alert_id: str) -> None:
    listed = client.get("/api/alerts", headers=headers).get_json()

    (alert,) = listed["data"]
    assert set(alert) == SHAPE
    assert (alert["kind"], alert["status"], alert["severity"]) == ("backlog_old", "open", "error")
    assert alert["title"] == "Runs wait for a worker"
    assert "%(" not in alert["text"]
    assert alert["repair"] == {"label": "Open the health page", "address": "/health-dashboard"}
    assert listed["nextCursor"] is None
    assert client.get(f"/api/alerts/{alert_id}", headers=headers).get_json() == alert


def test_lists_are_narrowed_and_read_on(
    app: Flask, client: FlaskClient, ada: User, headers: Mapping[str, str], alert_id: str
) -> None:
    with in_context(app):
        alerts.raise_alert(AlertKind.DISK_LOW, user_id=ada.id, subject_id="two", free="1 MB")

    first = client.get("/api/alerts?limit=1", headers=headers).get_json()
    second = client.get(f"/api/alerts?limit=1&cursor={first['nextCursor']}", headers=headers).get_json()
    narrowed = client.get("/api/alerts?kind=disk_low&status=open", headers=headers).get_json()

    assert [row["kind"] for row in first["data"] + second["data"]] == ["disk_low", "backlog_old"]
    assert [row["kind"] for row in narrowed["data"]] == ["disk_low"]
    assert client.get("/api/alerts?status=snoozed", headers=headers).get_json()["data"] == []


def test_an_alert_is_put_off_and_read(client: FlaskClient, headers: Mapping[str, str], alert_id: str) -> None:
    read = client.post(f"/api/alerts/{alert_id}/read", headers=headers)
    snoozed = client.post(f"/api/alerts/{alert_id}/snooze", json={"for": "hour"}, headers=headers)

    assert (read.status_code, read.get_json()["isRead"]) == (200, True)
    assert (snoozed.status_code, snoozed.get_json()["status"]) == (200, "snoozed")
    assert snoozed.get_json()["snoozedUntil"].endswith("Z")


@pytest.mark.parametrize("body", [{}, {"for": "year"}, {"for": 7}, {"for": None}, {"for": "hour", "more": 1}])
def test_a_length_that_is_none_is_refused(
    client: FlaskClient, headers: Mapping[str, str], alert_id: str, body: dict[str, object]
) -> None:
    answer = client.post(f"/api/alerts/{alert_id}/snooze", json=body, headers=headers)

    assert answer.status_code == 422


def test_what_is_over_cannot_be_put_off(
    app: Flask, client: FlaskClient, headers: Mapping[str, str], alert_id: str
) -> None:
    with in_context(app):
        alerts.resolve(AlertKind.BACKLOG_OLD, "one")

    answer = client.post(f"/api/alerts/{alert_id}/snooze", json={"for": "hour"}, headers=headers)

    assert answer.status_code == 409


@pytest.mark.parametrize("call", ["", "/read", "/snooze"])
def test_anothers_alert_is_not_found(
    client: FlaskClient, cleo: User, key_for: KeyFor, alert_id: str, call: str
) -> None:
    hers = key_for(cleo)
    path = f"/api/alerts/{alert_id}{call}"

    answer = client.post(path, json={"for": "hour"} if call == "/snooze" else {}, headers=hers) if call else None
    answer = answer or client.get(path, headers=hers)

    assert answer.status_code == 404
    assert client.get("/api/alerts", headers=hers).get_json()["data"] == []
    assert client.get(f"/api/alerts?cursor={alert_id}", headers=hers).status_code == 404


def test_each_call_needs_its_scope(client: FlaskClient, ada: User, key_for: KeyFor, alert_id: str) -> None:
    reader = key_for(ada, "alerts:read")

    assert client.get("/api/alerts", headers=key_for(ada, "runs:read")).status_code == 403
    assert client.get("/api/alerts", headers=reader).status_code == 200
    assert client.post(f"/api/alerts/{alert_id}/read", headers=reader).status_code == 403


def test_a_cursor_that_is_none_is_refused(client: FlaskClient, headers: Mapping[str, str]) -> None:
    assert client.get("/api/alerts?cursor=nonsense", headers=headers).status_code == 422
    assert client.get(f"/api/alerts?cursor=alt_{'0' * 26}", headers=headers).status_code == 404
