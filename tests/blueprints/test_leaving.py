"""Taking one's data along and leaving, as pages: one's own archives, one's own account, and other people's for
administrators."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from patchbay.accounts import exports
from patchbay.models import User
from tests.blueprints.pages import post, text_of
from tests.stage import PASSWORD, Queue, in_context

Login = Callable[[FlaskClient, User], str]


def test_an_archive_is_made_and_downloaded(client: FlaskClient, ben: User, login: Login, queue: Queue) -> None:
    token = login(client, ben)

    post(client, "/account/exports", token)
    waiting = client.get("/account/data")
    queue.run_all()
    ready = client.get("/account/data")

    assert "Being made" in text_of(waiting)
    assert "Download the archive" in text_of(ready)
    path = ready.text.partition('href="/account/exports/')[2].partition('"')[0]
    with client.get(f"/account/exports/{path}") as archive:
        assert archive.data.startswith(b"PK")
        assert archive.headers["Cache-Control"] == "no-store"


def test_nobody_elses_archive_is_to_be_had(
    app: Flask, client: FlaskClient, ben: User, cleo: User, login: Login, queue: Queue
) -> None:
    with in_context(app):
        export = exports.ask(ben.id)
    queue.run_all()
    token = login(client, cleo)

    assert client.get(f"/account/exports/{export.id}.zip").status_code == 404
    assert post(client, f"/account/exports/{export.id}/withdraw", token).status_code == 404


def test_whoever_deletes_their_account_is_signed_out(client: FlaskClient, ben: User, login: Login) -> None:
    token = login(client, ben)

    wrong = post(client, "/account/delete", token, password="not it")
    right = post(client, "/account/delete", token, password=PASSWORD)

    assert wrong.status_code == 422
    assert "This is not your password." in text_of(wrong)
    assert right.status_code == 303
    assert client.get("/account").status_code == 401


def test_the_last_administrator_is_told_to_stay(client: FlaskClient, ada: User, login: Login) -> None:
    token = login(client, ada)

    refused = post(client, "/account/delete", token, password=PASSWORD)

    assert refused.status_code == 409
    assert "last administrator" in text_of(refused)


def test_administrators_delete_people(
    app: Flask, client: FlaskClient, ada: User, ben: User, login: Login, queue: Queue
) -> None:
    token = login(client, ada)

    assert ben.email in text_of(client.get(f"/admin/users/{ben.id}/delete"))
    post(client, f"/admin/users/{ben.id}/delete", token)
    queue.run_all()

    client.get("/admin/users")  # which shows the notice
    assert ben.email not in text_of(client.get("/admin/users"))


@pytest.mark.parametrize("method", ["get", "post"])
def test_members_delete_nobody_else(client: FlaskClient, ben: User, cleo: User, login: Login, method: str) -> None:
    token = login(client, ben)

    answer = getattr(client, method)(f"/admin/users/{cleo.id}/delete", data={"csrf_token": token})

    assert answer.status_code == 403


def test_the_command_deletes_people(app: Flask, ben: User, queue: Queue) -> None:
    result = app.test_cli_runner().invoke(args=["users", "delete", ben.email])
    queue.run_all()

    assert result.exit_code == 0
    assert app.test_cli_runner().invoke(args=["users", "delete", ben.email]).exit_code == 2
