"""What administrators do: people, their links, and our app's credentials."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from patchbay import accounts
from patchbay.models import User
from patchbay.settings import Settings
from tests.blueprints.pages import address_in, post, text_of
from tests.stage import in_context

Login = Callable[[FlaskClient, User], str]
SECRET = "a-very-secret-secret-1a2b"


@pytest.fixture
def token(client: FlaskClient, ada: User, login: Login) -> str:
    """Ada, an administrator, is signed in."""
    return login(client, ada)


@pytest.mark.parametrize("path", ["/admin/users", "/admin/credentials/shopify"])
def test_members_are_refused(client: FlaskClient, ben: User, login: Login, path: str) -> None:
    login(client, ben)

    assert client.get(path).status_code == 403


def test_an_invitation_link_is_shown_once_and_works(app: Flask, client: FlaskClient, token: str) -> None:
    made = post(client, "/admin/users/invite", token, email="dora@example.org", role="member")

    link = address_in(made, r"/invitation/[\w-]+")
    assert made.status_code == 201
    assert made.headers["Cache-Control"] == "no-store"
    assert link not in client.get("/admin/users").get_data(as_text=True)
    assert "dora@example.org" in text_of(app.test_client().get(link))


@pytest.mark.parametrize(
    ("fields", "status", "sentence"),
    [
        ({"email": "no address", "role": "member"}, 422, "Enter an e-mail address."),
        ({"email": "ben@example.org", "role": "member"}, 409, "There is an account with this e-mail address already."),
        ({"email": "dora@example.org", "role": "king"}, 422, "This is not one of the choices."),
    ],
)
def test_a_wrong_invitation_is_refused_in_words(
    client: FlaskClient, token: str, fields: dict[str, str], status: int, sentence: str
) -> None:
    answer = post(client, "/admin/users/invite", token, **fields)

    assert answer.status_code == status
    assert sentence in text_of(answer)


def test_a_reset_link_sets_a_new_password(app: Flask, client: FlaskClient, token: str, ben: User) -> None:
    made = post(client, f"/admin/users/{ben.id}/reset", token)
    browser = app.test_client()
    link = address_in(made, r"/invitation/[\w-]+")
    page = browser.get(link)
    csrf = address_in(page, r'(?<=name="csrf_token" value=")[^"]+')

    answer = post(browser, link, csrf, password="a brand new password")

    assert "Choose a new password" in text_of(page)
    assert answer.status_code == 303
    assert "ben@example.org" in text_of(browser.get("/account"))


def test_a_locked_out_user_is_out_at_once(app: Flask, client: FlaskClient, token: str, ben: User, login: Login) -> None:
    browser = app.test_client()
    login(browser, ben)

    post(client, f"/admin/users/{ben.id}/active", token, active="off")

    assert browser.get("/account").status_code == 401
    assert "ben@example.org is signed out and locked out." in text_of(client.get("/admin/users"))


def test_nobody_locks_themselves_out(client: FlaskClient, token: str, ada: User) -> None:
    assert post(client, f"/admin/users/{ada.id}/active", token, active="off").status_code == 409


def test_a_secret_is_kept_and_never_shown_again(client: FlaskClient, token: str) -> None:
    post(client, "/admin/credentials/shopify", token, client_id="our-app", client_secret=SECRET)

    page = client.get("/admin/credentials/shopify")
    assert SECRET not in page.get_data(as_text=True)
    assert "Saved: ••••1a2b" in text_of(page)
    assert 'value="our-app"' in page.get_data(as_text=True)
    assert "http://localhost/integrations/callback" in text_of(page)


def test_an_empty_secret_keeps_the_present_one(client: FlaskClient, token: str) -> None:
    post(client, "/admin/credentials/shopify", token, client_id="our-app", client_secret=SECRET)

    answer = post(client, "/admin/credentials/shopify", token, client_id="our-other-app", client_secret="")

    page = client.get("/admin/credentials/shopify")
    assert answer.status_code == 303
    assert 'value="our-other-app"' in page.get_data(as_text=True)
    assert "••••1a2b" in text_of(page)


def test_a_first_secret_is_needed(client: FlaskClient, token: str) -> None:
    answer = post(client, "/admin/credentials/shopify", token, client_id="our-app", client_secret="")

    assert answer.status_code == 422
    assert "This field is needed." in text_of(answer)


def test_what_was_entered_can_be_deleted(client: FlaskClient, token: str) -> None:
    post(client, "/admin/credentials/shopify", token, client_id="our-app", client_secret=SECRET)

    post(client, "/admin/credentials/shopify/clear", token)

    assert "our-app" not in client.get("/admin/credentials/shopify").get_data(as_text=True)


def test_what_the_environment_sets_is_locked(
    app_for: Callable[[Settings], Flask], settings_for: Callable[..., Settings], login: Login
) -> None:
    app = app_for(settings_for(SHOPIFY_CLIENT_ID="live-app", SHOPIFY_CLIENT_SECRET="live-secret-0000"))
    client = app.test_client()
    with in_context(app):
        admin = accounts.by_email("ada@example.org")
    assert admin is not None
    token = login(client, admin)

    page = client.get("/admin/credentials/shopify")
    answer = post(client, "/admin/credentials/shopify", token, client_id="x", client_secret="y")

    assert "SHOPIFY_CLIENT_ID" in text_of(page)
    assert "live-app" in text_of(page)
    assert "live-secret" not in page.get_data(as_text=True)
    assert answer.status_code == 409


def test_administrators_find_the_setup_guide_from_the_integrations_page(
    client: FlaskClient, token: str, ben: User, login: Login
) -> None:
    guide = 'href="/admin/credentials/figma"'

    assert guide in client.get("/integrations/figma").get_data(as_text=True)
    assert "/admin/credentials/" not in client.get("/integrations/pinterest").get_data(as_text=True)
    login(client, ben)
    assert guide not in client.get("/integrations/figma").get_data(as_text=True)


def test_what_is_coming_soon_has_nothing_to_set_up(client: FlaskClient, token: str) -> None:
    assert client.get("/admin/credentials/pinterest").status_code == 404
