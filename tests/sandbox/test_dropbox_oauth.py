"""Dropbox's consent, token and revocation calls."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from sandbox.grants import challenge_of

REDIRECT = "http://localhost:8000/integrations/callback"
VERIFIER = "abcdefghijklmnopqrstuvwxyz-0123456789_ABCDEF"
TERMS = {
    "client_id": "sandbox-dropbox",
    "redirect_uri": REDIRECT,
    "response_type": "code",
    "scope": "account_info.read files.content.write",
    "state": "st4te",
    "token_access_type": "offline",
}
SECRET = {"client_id": "sandbox-dropbox", "client_secret": "sandbox-secret-dropbox"}


def authorize(url: str, form: Mapping[str, str] | None = None, /, **changes: str) -> requests.Response:
    terms = {name: value for name, value in (TERMS | changes).items() if value}
    address = f"{url}/www.dropbox.com/oauth2/authorize"
    return requests.request(
        "POST" if form else "GET", address, params=terms, data=form, allow_redirects=False, timeout=10
    )


def landed(answer: requests.Response) -> dict[str, str]:
    assert answer.status_code == 302, answer.text
    assert answer.headers["Location"].startswith(REDIRECT + "?")
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


def token(url: str, client: Mapping[str, str] = SECRET, **form: str) -> requests.Response:
    return requests.post(f"{url}/api.dropboxapi.com/oauth2/token", data={**client, **form}, timeout=10)


def redeem(url: str, code: str, client: Mapping[str, str] = SECRET, **changes: str) -> requests.Response:
    return token(url, client, **{"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT} | changes)


def code_of(url: str, **changes: str) -> str:
    return landed(authorize(url, sandbox_consent="allow", **changes))["code"]


def tokens(url: str, **changes: str) -> dict[str, Any]:
    answer = redeem(url, code_of(url, **changes))
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def account(url: str, access_token: str) -> requests.Response:
    headers = {"Authorization": f"Bearer {access_token}"}
    return requests.post(f"{url}/api.dropboxapi.com/2/users/get_current_account", headers=headers, timeout=10)


def refused(answer: requests.Response) -> tuple[str, str]:
    assert answer.status_code == 400, answer.text
    return answer.json()["error"], answer.json()["error_description"]


def test_the_page_shows_the_asked_scopes_in_words(url: str) -> None:
    page = authorize(url)

    assert page.status_code == 200
    assert "Edit the content of your files and folders" in page.text
    assert "View your sharing settings" not in page.text


def test_allowing_leads_back_with_a_code(url: str) -> None:
    query = landed(authorize(url, {"decision": "allow", "account": "cleo@example.org"}))

    assert query["state"] == "st4te"
    assert redeem(url, query["code"]).json()["scope"] == "account_info.read files.content.write"


def test_denying_leads_back_with_words(url: str) -> None:
    query = landed(authorize(url, sandbox_consent="deny"))

    assert query["error"] == "access_denied"
    assert "chose not to give your app access" in query["error_description"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"client_id": "nobody"}, "Invalid client_id: &#34;nobody&#34;."),
        ({"redirect_uri": "https://elsewhere.example/"}, "Invalid redirect_uri."),
        ({"response_type": "token"}, "Invalid response_type"),
        ({"token_access_type": "legacy"}, "Invalid token_access_type"),
        ({"scope": "everything"}, "Invalid scope"),
        ({"state": "x" * 2001}, "Invalid state"),
        ({"code_challenge": "short", "code_challenge_method": "S256"}, "Invalid code_challenge"),
    ],
)
def test_a_bad_request_stays_on_the_page(url: str, changes: dict[str, str], said: str) -> None:
    answer = authorize(url, **changes)

    assert answer.status_code == 400
    assert said in answer.text


def test_offline_access_brings_a_refresh_token(url: str) -> None:
    offline, online = tokens(url), tokens(url, token_access_type="online")

    assert offline["access_token"].startswith("sl.")
    assert (offline["token_type"], offline["expires_in"]) == ("bearer", 14400)
    assert offline["account_id"].startswith("dbid:")
    assert offline["uid"].isdigit()
    assert "team_id" not in offline
    assert "refresh_token" in offline
    assert "refresh_token" not in online


def test_no_scope_asks_for_all_of_the_app(url: str) -> None:
    assert "sharing.write" in tokens(url, scope="")["scope"].split()


def test_a_role_can_be_asked_for(url: str) -> None:
    assert "team_id" in tokens(url, require_role="work")


def test_a_refresh_never_rotates(url: str) -> None:
    first = tokens(url)

    again = token(url, grant_type="refresh_token", refresh_token=first["refresh_token"]).json()

    assert set(again) == {"access_token", "token_type", "expires_in"}
    assert account(url, again["access_token"]).status_code == 200
    assert account(url, first["access_token"]).status_code == 200


def test_a_code_is_good_for_one_use(url: str) -> None:
    code = code_of(url)
    first = redeem(url, code).json()

    assert refused(redeem(url, code))[0] == "invalid_grant"
    assert account(url, first["access_token"]).status_code == 401


def test_the_redirect_address_must_be_the_same(url: str) -> None:
    answer = redeem(url, code_of(url), redirect_uri="http://localhost:9/other")

    assert refused(answer) == ("invalid_grant", "redirect_uri mismatch")


def test_an_unknown_code_is_told(url: str) -> None:
    assert refused(redeem(url, "made up")) == ("invalid_grant", "code doesn't exist or has expired")


@pytest.mark.parametrize(
    "client",
    [
        {"client_id": "sandbox-dropbox", "client_secret": "wrong"},
        {"client_id": "nobody", "client_secret": "wrong"},
        {"client_id": "sandbox-dropbox"},
        {},
    ],
)
def test_an_app_must_prove_who_it_is(url: str, client: dict[str, str]) -> None:
    answer = redeem(url, code_of(url), client)

    assert refused(answer) == ("invalid_client", "Invalid client_id or client_secret")


def test_the_app_may_prove_itself_by_basic_credentials(url: str) -> None:
    form = {"grant_type": "authorization_code", "code": code_of(url), "redirect_uri": REDIRECT}
    basic = ("sandbox-dropbox", "sandbox-secret-dropbox")
    answer = requests.post(f"{url}/api.dropboxapi.com/oauth2/token", data=form, auth=basic, timeout=10)

    assert answer.status_code == 200


def test_a_verifier_stands_in_for_the_secret(url: str) -> None:
    public = {"client_id": "sandbox-dropbox"}
    challenge = {"code_challenge": challenge_of(VERIFIER, "S256"), "code_challenge_method": "S256"}

    with_it = redeem(url, code_of(url, **challenge), public, code_verifier=VERIFIER).json()
    refreshed = token(url, public, grant_type="refresh_token", refresh_token=with_it["refresh_token"])
    wrong = redeem(url, code_of(url, **challenge), public, code_verifier=VERIFIER[::-1])
    unasked = redeem(url, code_of(url), public, code_verifier=VERIFIER)

    assert refreshed.status_code == 200
    assert refused(wrong) == ("invalid_grant", "invalid code verifier")
    assert refused(unasked)[0] == "invalid_client"


def test_a_refresh_token_of_another_app_is_refused(url: str) -> None:
    other = {"client_id": "other-dropbox", "client_secret": "other-secret-dropbox"}

    answer = token(url, other, grant_type="refresh_token", refresh_token=tokens(url)["refresh_token"])

    assert refused(answer) == ("invalid_grant", "refresh token is invalid or revoked")


def test_revoking_ends_all_that_came_from_the_refresh_token(url: str) -> None:
    first = tokens(url)
    second = token(url, grant_type="refresh_token", refresh_token=first["refresh_token"]).json()
    stranger = tokens(url)
    headers = {"Authorization": f"Bearer {second['access_token']}"}

    revoked = requests.post(f"{url}/api.dropboxapi.com/2/auth/token/revoke", headers=headers, timeout=10)

    assert (revoked.status_code, revoked.json()) == (200, None)
    assert account(url, first["access_token"]).status_code == 401
    assert refused(token(url, grant_type="refresh_token", refresh_token=first["refresh_token"]))[0] == "invalid_grant"
    assert account(url, stranger["access_token"]).status_code == 200


def test_an_unknown_grant_type_is_refused(url: str) -> None:
    assert refused(token(url, grant_type="password"))[0] == "unsupported_grant_type"
