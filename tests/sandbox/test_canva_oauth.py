"""Canva's consent, token, introspection and revocation calls."""

import json
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from sandbox.grants import challenge_of

REDIRECT = "http://127.0.0.1:8000/integrations/callback"
VERIFIER = "abcdefghijklmnopqrstuvwxyz-0123456789_ABCDEF"
APP = ("sandbox-canva", "sandbox-secret-canva")
OTHER_APP = ("other-canva", "other-secret-canva")
TERMS = {
    "client_id": "sandbox-canva",
    "redirect_uri": REDIRECT,
    "response_type": "code",
    "scope": "design:meta:read asset:write",
    "state": "st4te",
    "code_challenge": challenge_of(VERIFIER, "S256"),
    "code_challenge_method": "s256",
}


def authorize(url: str, form: Mapping[str, str | list[str]] | None = None, /, **changes: str) -> requests.Response:
    address = f"{url}/www.canva.com/api/oauth/authorize"
    terms = {name: value for name, value in (TERMS | changes).items() if value}
    method = "POST" if form else "GET"
    return requests.request(method, address, params=terms, data=form, allow_redirects=False, timeout=10)


def landed(answer: requests.Response) -> dict[str, str]:
    assert answer.status_code == 302, answer.text
    assert answer.headers["Location"].startswith(REDIRECT + "?")
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


def oauth(
    url: str, call: str, *, app: tuple[str, str] | None = APP, at: str = "auth", **form: str
) -> requests.Response:
    return requests.post(f"{url}/api.canva.com/{at}/v1/oauth/{call}", data=form, auth=app, timeout=10)


def redeem(url: str, code: str, **changes: Any) -> requests.Response:
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, "code_verifier": VERIFIER}
    return oauth(url, "token", **form | changes)


def code(url: str, **changes: str) -> str:
    return landed(authorize(url, sandbox_consent="allow", **changes))["code"]


def tokens(url: str) -> dict[str, Any]:
    answer = redeem(url, code(url))
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def refresh(url: str, token: str, **changes: Any) -> requests.Response:
    return oauth(url, "token", grant_type="refresh_token", refresh_token=token, **changes)


def me(url: str, access_token: str) -> requests.Response:
    headers = {"Authorization": f"Bearer {access_token}"}
    return requests.get(f"{url}/api.canva.com/rest/v1/users/me", headers=headers, timeout=10)


def test_allowed_consent_brings_code_and_state(url: str) -> None:
    answer = landed(authorize(url, sandbox_consent="allow"))

    assert answer["state"] == "st4te"
    assert answer["code"]


def test_denied_consent_brings_access_denied(url: str) -> None:
    answer = landed(authorize(url, sandbox_consent="deny"))

    assert (answer["error"], answer["state"]) == ("access_denied", "st4te")
    assert "code" not in answer


def test_the_page_shows_scopes_that_are_allowed_together_or_not_at_all(url: str) -> None:
    page = authorize(url)

    assert page.status_code == 200
    assert "See the titles and dates of your designs" in page.text
    assert page.text.count('type="checkbox"') == page.text.count("disabled")
    allowed = landed(authorize(url, {"decision": "allow"}))
    assert redeem(url, allowed["code"]).json()["scope"] == TERMS["scope"]


def test_an_unknown_app_and_an_unknown_redirect_address_are_told_apart_without_a_redirect(url: str) -> None:
    unknown_app = authorize(url, client_id="nobody")
    unknown_address = authorize(url, redirect_uri="https://elsewhere.example/callback")

    assert (unknown_app.status_code, unknown_address.status_code) == (400, 400)
    assert "client ID" in unknown_app.text
    assert "redirect URL" in unknown_address.text


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": ""}, "invalid_request"),
        ({"scope": "design:everything"}, "invalid_scope"),
        ({"scope": "design:meta:read openid"}, "invalid_scope"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": ""}, "invalid_request"),
    ],
)
def test_terms_that_make_no_sense_come_back_as_an_error(url: str, changes: dict[str, str], error: str) -> None:
    answer = landed(authorize(url, sandbox_consent="allow", **changes))

    assert (answer["error"], answer["state"]) == (error, "st4te")


@pytest.mark.parametrize("method", ["s256", "S256"])
def test_both_spellings_of_the_challenge_method_are_taken(url: str, method: str) -> None:
    assert redeem(url, code(url, code_challenge_method=method)).status_code == 200


@pytest.mark.parametrize("at", ["auth", "rest"])
def test_a_code_becomes_a_pair_for_four_hours_at_both_addresses(url: str, at: str) -> None:
    answer = redeem(url, code(url), at=at).json()

    assert (answer["token_type"], answer["expires_in"], answer["scope"]) == ("Bearer", 14400, TERMS["scope"])
    assert me(url, answer["access_token"]).status_code == 200


def test_the_client_may_show_itself_in_the_form(url: str) -> None:
    answer = redeem(url, code(url), app=None, client_id=APP[0], client_secret=APP[1])

    assert answer.status_code == 200


def test_an_access_token_tells_whose_it_is(url: str) -> None:
    access_token = tokens(url)["access_token"]

    claims = json.loads(urlsafe_b64decode(access_token.split(".")[1] + "=="))

    assert claims["sub"] == me(url, access_token).json()["team_user"]["user_id"]
    assert claims["aud"] == "sandbox-canva"
    assert len(access_token) < 4096


def test_another_app_knows_the_same_person_by_another_id(url: str) -> None:
    own = tokens(url)
    answer = redeem(url, code(url, client_id=OTHER_APP[0]), app=OTHER_APP).json()

    first, second = (me(url, each["access_token"]).json()["team_user"] for each in (own, answer))

    assert first["user_id"] != second["user_id"]
    assert first["team_id"] == second["team_id"]


@pytest.mark.parametrize(
    ("app", "form", "status", "code"),
    [
        (("nobody", "secret"), {}, 401, "invalid_client"),
        (("sandbox-canva", "wrong"), {}, 401, "invalid_access_token"),
        (("sandbox-canva", ""), {}, 400, "invalid_field"),
        (("", "secret"), {}, 400, "invalid_field"),
        (None, {}, 400, "unauthorized_client"),
        (None, {"client_id": "sandbox-canva", "client_secret": "wrong"}, 401, "invalid_access_token"),
    ],
)
def test_a_client_that_shows_itself_wrongly_is_refused(
    url: str, app: tuple[str, str] | None, form: dict[str, str], status: int, code: str
) -> None:
    answer = refresh(url, "whatever", app=app, **form)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert set(answer.json()) == {"code", "message"}


@pytest.mark.parametrize(
    "changes",
    [
        {"code_verifier": "wrong" * 10},
        {"redirect_uri": "http://127.0.0.1:9/other"},
        {"code": "nonsense"},
        {"app": OTHER_APP},
    ],
)
def test_a_code_wants_its_own_verifier_address_and_app(url: str, changes: dict[str, Any]) -> None:
    answer = redeem(url, **{"code": code(url)} | changes)

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_grant")


@pytest.mark.parametrize("missing", ["code", "code_verifier"])
def test_code_and_verifier_must_be_there(url: str, missing: str) -> None:
    answer = redeem(url, **{"code": code(url)} | {missing: ""})

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")


def test_a_code_that_comes_twice_ends_what_it_gave(url: str) -> None:
    text = code(url)
    given = redeem(url, text).json()

    again = redeem(url, text)

    assert again.json()["code"] == "invalid_grant"
    assert me(url, given["access_token"]).json()["code"] == "revoked_access_token"


def test_an_unknown_grant_type_is_refused(url: str) -> None:
    answer = oauth(url, "token", grant_type="client_credentials")

    assert (answer.status_code, answer.json()["code"]) == (400, "unsupported_grant_type")


def test_a_refresh_brings_a_new_pair(url: str) -> None:
    first = tokens(url)

    second = refresh(url, first["refresh_token"]).json()

    assert second["refresh_token"] != first["refresh_token"]
    assert second["scope"] == first["scope"]
    assert me(url, second["access_token"]).status_code == 200


def test_a_refresh_token_that_comes_twice_ends_its_lineage(url: str) -> None:
    first = tokens(url)
    second = refresh(url, first["refresh_token"]).json()

    replayed = refresh(url, first["refresh_token"])

    assert replayed.status_code == 400
    assert replayed.json() == {"error": "invalid_grant", "error_description": "Token lineage has been revoked"}
    assert me(url, second["access_token"]).json()["code"] == "revoked_access_token"
    assert refresh(url, second["refresh_token"]).json()["error"] == "invalid_grant"


def test_a_refresh_token_of_another_app_or_none_is_invalid(url: str) -> None:
    given = tokens(url)

    foreign = refresh(url, given["refresh_token"], app=OTHER_APP)
    nonsense = refresh(url, "nonsense")
    access = refresh(url, given["access_token"])

    for answer in (foreign, nonsense, access):
        assert (answer.status_code, answer.json()) == (
            400,
            {"code": "invalid_grant", "message": "Invalid refresh token"},
        )
    assert refresh(url, given["refresh_token"]).status_code == 200


def test_a_refresh_may_give_up_scopes_and_not_win_any(url: str) -> None:
    first = tokens(url)

    more = refresh(url, first["refresh_token"], scope="design:meta:read profile:read")
    less = refresh(url, first["refresh_token"], scope="asset:write")

    assert (more.status_code, more.json()["code"]) == (400, "invalid_scope")
    assert less.json()["scope"] == "asset:write"


def test_introspection_tells_what_a_token_stands_for(url: str) -> None:
    given = tokens(url)

    about = oauth(url, "introspect", token=given["access_token"]).json()

    assert (about["active"], about["scope"], about["client"]) == (True, TERMS["scope"], "sandbox-canva")
    assert about["exp"] - about["iat"] == 14400
    assert oauth(url, "introspect", token="nonsense").json() == {"active": False}
    assert oauth(url, "introspect", app=OTHER_APP, token=given["access_token"]).json() == {"active": False}


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_revoking_either_token_ends_the_lineage(url: str, kind: str) -> None:
    given = tokens(url)

    answer = oauth(url, "revoke", token=given[kind])

    assert (answer.status_code, answer.json()) == (200, {})
    assert me(url, given["access_token"]).json() == {
        "code": "revoked_access_token",
        "message": "Access token is revoked",
    }
    assert refresh(url, given["refresh_token"]).json()["error"] == "invalid_grant"


def test_revoking_a_refresh_token_takes_the_consent_back(url: str) -> None:
    first, second = tokens(url), tokens(url)

    oauth(url, "revoke", token=first["refresh_token"])

    assert me(url, second["access_token"]).status_code == 401


def test_revocation_wants_the_client_and_a_token_of_its_own(url: str) -> None:
    given = tokens(url)

    assert oauth(url, "revoke", app=None, token=given["access_token"]).status_code == 400
    assert oauth(url, "revoke", app=("sandbox-canva", "wrong"), token=given["access_token"]).status_code == 401
    assert oauth(url, "revoke", app=OTHER_APP, token=given["access_token"]).json()["code"] == "bad_request_params"
    assert oauth(url, "revoke").json()["code"] == "invalid_request"
    assert me(url, given["access_token"]).status_code == 200


def test_token_endpoints_take_post_alone(url: str) -> None:
    answer = requests.get(f"{url}/api.canva.com/auth/v1/oauth/token", timeout=10)

    assert (answer.status_code, answer.json()["code"]) == (405, "bad_http_method")
