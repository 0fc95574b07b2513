"""The audit log as its readers see it: their own affairs, everybody's for administrators, as a page and as CSV."""

import csv
import io
import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from patchbay import audit
from patchbay.audit import chain
from patchbay.models import User, transaction
from tests.blueprints.pages import post, text_of, token_in
from tests.stage import PASSWORD, FrozenClock, in_context

Login = Callable[[FlaskClient, User], str]


@pytest.fixture
def _entries(app: Flask, ada: User, ben: User, frozen_clock: FrozenClock) -> None:
    with in_context(app):
        audit.add(audit.Deed.CONNECTED, user_id=ada.id, subject_id="con_1", account="ada-shop")
        audit.add(audit.Deed.CONNECTED, user_id=ben.id, subject_id="con_2", account="=ben-shop")


@pytest.mark.usefixtures("_entries")
def test_members_see_their_own_affairs_alone(client: FlaskClient, ben: User, login: Login) -> None:
    login(client, ben)

    for path in ("/audit", "/audit?whose=all", "/audit.csv?whose=all"):
        told = text_of(client.get(path))
        assert "ben-shop" in told
        assert "ada-shop" not in told


@pytest.mark.usefixtures("_entries")
def test_administrators_may_see_everybodys(client: FlaskClient, ada: User, login: Login) -> None:
    login(client, ada)

    assert "ben-shop" not in text_of(client.get("/audit"))
    assert "ben-shop" in text_of(client.get("/audit?whose=all"))


@pytest.mark.usefixtures("_entries")
def test_entries_are_narrowed_by_deed_and_day(
    client: FlaskClient, ada: User, login: Login, frozen_clock: FrozenClock
) -> None:
    login(client, ada)
    today = frozen_clock.now().date().isoformat()

    assert "ada-shop" in text_of(client.get(f"/audit?deed=connected&since={today}&until={today}"))
    assert "ada-shop" in text_of(client.get("/audit?deed=connected&until=9999-12-31"))
    assert "No entries like that." in text_of(client.get("/audit?deed=vault_rotated"))
    assert "No entries like that." in text_of(client.get("/audit?since=2099-01-01"))


def test_deeds_are_chosen_by_words(client: FlaskClient, ada: User, login: Login) -> None:
    login(client, ada)

    page = client.get("/audit").get_data(as_text=True)

    labels = re.findall(r'<option value="([a-z_]+)">([^<]+)</option>', page)
    assert {name for name, _ in labels} >= set(audit.Deed)
    assert dict(labels)["run_started"] == "Asked for a run"
    assert all("%" not in label and "_" not in label for _, label in labels)


def test_who_signs_in_is_who_did_it(client: FlaskClient, ada: User) -> None:
    token = token_in(client.get("/login"))

    post(client, "/login", token, email=ada.email, password=PASSWORD)

    assert re.search(r"Signed in\. You ", text_of(client.get("/audit")))


@pytest.mark.parametrize(
    ("query", "note"),
    [
        ("deed=sabotage", "deed : This is not one of the choices."),
        ("since=yesterday", "since : Write a date as 2026-01-31."),
        ("until=2026-02-30", "until : Write a date as 2026-01-31."),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_reason(
    client: FlaskClient, ada: User, login: Login, query: str, note: str
) -> None:
    login(client, ada)

    refused = client.get(f"/audit?{query}")
    in_a_toast = client.get(f"/audit?{query}", headers={"HX-Request": "true"})

    assert refused.status_code == in_a_toast.status_code == 422
    assert note in text_of(refused)
    assert note.replace(" :", ":") in text_of(in_a_toast)


def test_the_log_comes_in_pages(app: Flask, client: FlaskClient, ada: User, login: Login) -> None:
    login(client, ada)
    with in_context(app):
        for _ in range(60):
            audit.add(audit.Deed.SETTINGS_CHANGED, user_id=ada.id)

    assert "Load more" in text_of(client.get("/audit"))
    assert len(list(csv.reader(io.StringIO(client.get("/audit.csv").text)))) > 60


@pytest.mark.usefixtures("_entries")
def test_no_cell_of_the_csv_is_a_formula(client: FlaskClient, ben: User, login: Login) -> None:
    login(client, ben)

    rows = list(csv.DictReader(io.StringIO(client.get("/audit.csv").text)))

    assert {row["detail"] for row in rows} >= {"account==ben-shop"}
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())


def test_the_command_tells_a_whole_log_from_a_broken_one(app: Flask, ada: User, frozen_clock: FrozenClock) -> None:
    frozen_clock.advance(minutes=1)
    with in_context(app):
        chain.seal_all()

    whole = app.test_cli_runner().invoke(args=["audit", "verify"])
    with in_context(app):
        _remove_the_last_seal()
    broken = app.test_cli_runner().invoke(args=["audit", "verify"])

    assert (whole.exit_code, whole.stdout) == (0, "The audit log is whole.\n")
    assert broken.exit_code == 1
    assert "is missing" in broken.stdout


def _remove_the_last_seal() -> None:
    with transaction() as session:
        session.execute(text("DROP TRIGGER audit_seals_last"))
        session.execute(text("DELETE FROM audit_seals WHERE number = (SELECT max(number) FROM audit_seals)"))
