"""Signing in and out, one-time links, the own account, API keys."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from patchbay import accounts
from patchbay.models import Role, User
from patchbay.settings import Settings
from tests.blueprints.pages import path_of, post, text_of, token_in
from tests.stage import PASSWORD, in_context

Login = Callable[[FlaskClient, User], str]
EMAIL = "ada@example.org"


def sign_in(client: FlaskClient, **fields: str) -> Any:
    """Fill in the sign-in form as the page gives it."""
    token = token_in(client.get("/login"))
    return post(client, "/login", token, **{"email": EMAIL, "password": PASSWORD, **fields})


def test_the_right_password_signs_in_and_renews_the_token(client: FlaskClient) -> None:
    before = token_in(client.get("/login"))

    answer = sign_in(client)

    page = client.get("/account")
    assert answer.status_code == 303
    assert path_of(answer) == "/integrations"
    assert EMAIL in text_of(page)
    assert token_in(page) != before


def test_a_script_may_sign_in_with_json(client: FlaskClient) -> None:
    fields = {"email": EMAIL, "password": PASSWORD, "csrf_token": token_in(client.get("/login"))}

    answer = client.post("/login", json=fields)

    assert answer.status_code == 303
    assert EMAIL in text_of(client.get("/account"))


def test_a_script_that_may_not_sign_in_is_told_in_the_one_error_shape(client: FlaskClient) -> None:
    fields = {"email": EMAIL, "password": "wrong", "csrf_token": token_in(client.get("/login"))}

    answer = client.post("/login", json=fields)

    body = answer.get_json()
    assert (answer.status_code, body["type"], body["success"]) == (401, "UNAUTHENTICATED", False)
    assert client.get("/account").status_code == 401


@pytest.mark.parametrize("fields", [{"csrf_token": "guessed"}, {"csrf_token": 7}, {}, ["csrf_token"]])
def test_json_needs_the_token_like_a_form(client: FlaskClient, fields: Any) -> None:
    client.get("/login")

    answer = client.post("/login", json=fields)

    assert (answer.status_code, answer.get_json()["type"]) == (403, "FORBIDDEN")


@pytest.mark.parametrize("fields", [{"password": "wrong"}, {"email": "nobody@example.org"}])
def test_a_wrong_password_and_an_unknown_address_are_told_alike(client: FlaskClient, fields: dict[str, str]) -> None:
    answer = sign_in(client, **fields)

    assert answer.status_code == 401
    assert "E-mail or password is not right." in text_of(answer)
    assert client.get("/account").status_code == 401


def test_sign_in_goes_on_to_the_page_that_asked_for_it(client: FlaskClient) -> None:
    answer = sign_in(client, next="/integrations/shopify/connect")

    assert path_of(answer) == "/integrations/shopify/connect"


@pytest.mark.parametrize(
    "foreign", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/\t/evil.example"]
)
def test_sign_in_sends_nobody_to_another_site(client: FlaskClient, foreign: str) -> None:
    answer = sign_in(client, next=foreign)

    assert path_of(answer) == "/integrations"


def test_guessing_is_braked(client: FlaskClient) -> None:
    answers = [sign_in(client, password="wrong") for _ in range(11)]

    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["Retry-After"]) > 0


def test_a_form_without_the_token_signs_nobody_in(client: FlaskClient) -> None:
    answer = client.post("/login", data={"email": EMAIL, "password": PASSWORD})

    assert answer.status_code == 403


def test_a_form_from_another_site_signs_nobody_in(client: FlaskClient) -> None:
    token = token_in(client.get("/login"))

    answer = client.post(
        "/login",
        data={"email": EMAIL, "password": PASSWORD, "csrf_token": token},
        headers={"Sec-Fetch-Site": "cross-site"},
    )

    assert answer.status_code == 403


def test_the_demo_user_needs_no_password_on_this_machine(client: FlaskClient) -> None:
    token = token_in(client.get("/login"))

    answer = post(client, "/login/demo", token, next="/records")

    assert path_of(answer) == "/records"
    assert "demo@patchbay.local" in text_of(client.get("/account"))


def test_the_demo_user_is_for_this_machine_alone(client: FlaskClient) -> None:
    far = {"REMOTE_ADDR": "192.0.2.7"}
    page = client.get("/login", environ_overrides=far)

    answer = client.post("/login/demo", data={"csrf_token": token_in(page)}, environ_overrides=far)

    assert "demo user" not in text_of(page)
    assert answer.status_code == 404


def test_without_the_sandbox_there_is_no_demo_user(
    app_for: Callable[[Settings], Flask], settings_for: Callable[..., Settings]
) -> None:
    client = app_for(settings_for(SANDBOX="off")).test_client()
    page = client.get("/login")

    answer = post(client, "/login/demo", token_in(page))

    assert "demo user" not in text_of(page)
    assert answer.status_code == 404


def test_signing_out_ends_the_session(client: FlaskClient, ada: User, login: Login) -> None:
    token = login(client, ada)

    post(client, "/logout", token)

    assert client.get("/account").status_code == 401


def test_an_invitation_makes_an_account_once(app: Flask, client: FlaskClient, ada: User) -> None:
    with in_context(app):
        link = accounts.invite(ada, "dora@example.org", Role.MEMBER)
    page = client.get(f"/invitation/{link}")
    weak = post(client, f"/invitation/{link}", token_in(page), password="short")

    answer = post(client, f"/invitation/{link}", token_in(page), password="a long enough one")

    again = app.test_client().get(f"/invitation/{link}")
    assert page.headers["Cache-Control"] == "no-store"
    assert weak.status_code == 422
    assert answer.status_code == 303
    assert "dora@example.org" in text_of(client.get("/account"))
    assert again.status_code == 404
    assert "This link has ended" in text_of(again)


def test_changing_the_password_ends_other_sessions_and_keeps_this_one(
    app: Flask, client: FlaskClient, ada: User, login: Login
) -> None:
    other = app.test_client()
    login(other, ada)
    token = login(client, ada)

    answer = post(client, "/account/password", token, present=PASSWORD, password="another long one")

    assert answer.status_code == 303
    assert client.get("/account").status_code == 200
    assert other.get("/account").status_code == 401


def test_a_wrong_present_password_changes_nothing(client: FlaskClient, ada: User, login: Login) -> None:
    token = login(client, ada)

    answer = post(client, "/account/password", token, present="wrong", password="another long one")

    assert answer.status_code == 422
    assert "This is not your present password." in text_of(answer)


def test_the_theme_is_remembered_by_the_browser(client: FlaskClient, ada: User, login: Login) -> None:
    token = login(client, ada)

    post(client, "/account/look", token, theme="dark")

    page = client.get("/account").get_data(as_text=True)
    assert 'data-theme="dark"' in page
    assert "aria-keyshortcuts" not in client.get("/integrations").get_data(as_text=True)


def test_a_key_is_shown_once_and_ends_when_revoked(client: FlaskClient, ada: User, login: Login, app: Flask) -> None:
    token = login(client, ada)

    made = post(client, "/keys", token, name="a script", scopes=["runs:read"])
    key = next(word for word in text_of(made).split() if word.startswith("pb_") and "…" not in word)
    listed = client.get("/keys")
    used = app.test_client().get("/runs", headers={"Authorization": f"Bearer {key}"})
    with in_context(app):
        (row,), _ = accounts.keys(ada.id, cursor=None, limit=2)
    post(client, f"/keys/{row.id}/revoke", token)
    refused = app.test_client().get("/runs", headers={"Authorization": f"Bearer {key}"})

    assert made.status_code == 201
    assert made.headers["Cache-Control"] == "no-store"
    assert key not in listed.get_data(as_text=True)
    assert (used.status_code, refused.status_code) == (200, 401)


def test_a_key_without_a_name_or_scope_is_refused_beside_the_fields(
    client: FlaskClient, ada: User, login: Login
) -> None:
    token = login(client, ada)

    answer = post(client, "/keys", token, name="", scopes=[])

    assert answer.status_code == 422
    assert "Give the key a name" in text_of(answer)
    assert "Choose from the known scopes." in text_of(answer)


def test_a_member_is_not_offered_and_not_given_the_scope_admin(client: FlaskClient, ben: User, login: Login) -> None:
    token = login(client, ben)

    page = client.get("/keys").get_data(as_text=True)
    answer = post(client, "/keys", token, name="mine", scopes=["admin"])

    assert 'value="admin"' not in page
    assert answer.status_code == 422


def test_a_narrow_key_cannot_make_itself_a_wider_one(
    client: FlaskClient, ada: User, key_for: Callable[..., Mapping[str, str]]
) -> None:
    answer = client.post("/keys", data={"name": "wider", "scopes": "*"}, headers=key_for(ada, "runs:read"))

    assert answer.status_code == 403


def test_nobody_revokes_anothers_key(app: Flask, client: FlaskClient, ada: User, cleo: User, login: Login) -> None:
    with in_context(app):
        key = accounts.create_key(ada, "hers", ["*"]).row
    token = login(client, cleo)

    answer = post(client, f"/keys/{key.id}/revoke", token)

    assert answer.status_code == 404
