"""Figma's consent, tokens and refresh, over real HTTP."""

from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
import time_machine

from sandbox.grants import challenge_of

BACK = "http://127.0.0.1:8000/integrations/callback"
VERIFIER = "v" * 43
SCOPES = "current_user:read file_content:read"
APP = ("sandbox-figma", "sandbox-secret-figma")
TERMS = {"client_id": APP[0], "redirect_uri": BACK, "scope": SCOPES, "state": "s7", "response_type": "code"}


def authorize(url: str, **changed: str) -> requests.Response:
    terms = {name: text for name, text in (TERMS | changed).items() if text}
    return requests.get(f"{url}/www.figma.com/oauth", params=terms, allow_redirects=False, timeout=10)


def returned(response: requests.Response) -> dict[str, str]:
    assert response.status_code == 302, response.text
    return dict(parse_qsl(urlsplit(response.headers["Location"]).query))


def code(url: str, **changed: str) -> str:
    return returned(authorize(url, sandbox_consent="allow", **changed))["code"]


def exchange(url: str, auth: tuple[str, str] | None = APP, **fields: str) -> requests.Response:
    form = {"redirect_uri": BACK, "grant_type": "authorization_code"} | fields
    return requests.post(f"{url}/api.figma.com/v1/oauth/token", data=form, auth=auth, timeout=10)


def refresh(url: str, token: str, auth: tuple[str, str] | None = APP) -> requests.Response:
    form = {"refresh_token": token}
    return requests.post(f"{url}/api.figma.com/v1/oauth/refresh", data=form, auth=auth, timeout=10)


def me(url: str, token: str) -> requests.Response:
    return requests.get(f"{url}/api.figma.com/v1/me", headers={"Authorization": f"Bearer {token}"}, timeout=10)


def test_the_consent_page_shows_the_scopes_in_words(url: str) -> None:
    page = authorize(url)

    assert page.status_code == 200
    assert "Read your name, e-mail and profile picture" in page.text
    assert "Read the contents of files" in page.text


def test_allowing_comes_back_with_a_code_and_the_state(url: str) -> None:
    answer = returned(authorize(url, sandbox_consent="allow"))

    assert (set(answer), answer["state"]) == ({"code", "state"}, "s7")


def test_denying_comes_back_with_an_error(url: str) -> None:
    assert returned(authorize(url, sandbox_consent="deny")) == {"error": "access_denied", "state": "s7"}


@pytest.mark.parametrize(
    ("changed", "status", "words"),
    [
        ({"client_id": "nobody"}, 404, "OAuth app with client id nobody doesn't exist"),
        ({"client_id": ""}, 400, "Parameter client_id is required"),
        ({"redirect_uri": "https://elsewhere.example/"}, 400, "Invalid redirect uri"),
        ({"state": ""}, 400, "Parameter state is required"),
        ({"response_type": "token"}, 400, "Invalid response_type"),
        ({"scope": "file_everything:write"}, 400, "Invalid scopes for app"),
        ({"code_challenge": "c" * 43, "code_challenge_method": "plain"}, 400, "Invalid code_challenge_method"),
    ],
)
def test_a_wrong_request_is_told_why_and_goes_nowhere(
    url: str, changed: dict[str, str], status: int, words: str
) -> None:
    answer = authorize(url, **changed)

    assert answer.status_code == status
    assert answer.json() == {"error": True, "status": status, "message": words, "i18n": None}


def test_a_public_app_cannot_ask_for_projects(url: str) -> None:
    refused = authorize(url, client_id="other-figma", scope=f"{SCOPES} projects:read", sandbox_consent="allow")
    allowed = authorize(url, client_id="other-figma", sandbox_consent="allow")

    assert refused.json()["message"] == "Invalid scopes for app"
    assert allowed.status_code == 302


def test_scopes_may_be_parted_by_commas_as_of_old(url: str) -> None:
    tokens = exchange(url, code=code(url, scope="current_user:read,file_metadata:read")).json()

    assert me(url, tokens["access_token"]).status_code == 200


def test_a_code_gives_tokens_without_a_word_of_scopes(url: str) -> None:
    answer = exchange(url, code=code(url))

    tokens = answer.json()
    assert set(tokens) == {"user_id_string", "access_token", "token_type", "expires_in", "refresh_token"}
    assert (tokens["token_type"], tokens["expires_in"]) == ("bearer", 7_776_000)
    assert me(url, tokens["access_token"]).json()["id"] == tokens["user_id_string"]


def test_the_user_id_is_text_beyond_what_a_double_holds(url: str) -> None:
    tokens = exchange(url, code=code(url)).json()

    assert int(float(tokens["user_id_string"])) != int(tokens["user_id_string"])


def test_a_code_wants_its_verifier(url: str) -> None:
    asked = {"code_challenge": challenge_of(VERIFIER, "S256"), "code_challenge_method": "S256"}

    without = exchange(url, code=code(url, **asked))
    with_it = exchange(url, code=code(url, **asked), code_verifier=VERIFIER)

    assert (without.status_code, with_it.status_code) == (400, 200)


def test_a_code_dies_after_thirty_seconds(url: str) -> None:
    with time_machine.travel(0, tick=False) as traveller:
        old = code(url)
        traveller.shift(timedelta(seconds=31))

        answer = exchange(url, code=old)

    assert (answer.status_code, answer.json()["message"]) == (400, "Invalid code")


def test_a_code_works_once(url: str) -> None:
    used = code(url)
    first = exchange(url, code=used).json()

    assert exchange(url, code=used).status_code == 400
    assert me(url, first["access_token"]).status_code == 403


@pytest.mark.parametrize("auth", [None, ("sandbox-figma", "wrong"), ("nobody", "sandbox-secret-figma")])
def test_the_client_must_show_itself_by_basic_auth(url: str, auth: tuple[str, str] | None) -> None:
    in_the_body = {"client_id": APP[0], "client_secret": APP[1]} if auth is None else {}

    assert exchange(url, auth, code=code(url), **in_the_body).status_code == 401
    assert refresh(url, "whatever", auth).status_code == 401


@pytest.mark.parametrize("missing", ["code", "redirect_uri", "grant_type"])
def test_a_missing_field_is_named(url: str, missing: str) -> None:
    answer = exchange(url, APP, **({"code": code(url)} | {missing: ""}))

    assert answer.json()["message"] == f"Parameter {missing} is required"


def test_another_redirect_address_is_refused(url: str) -> None:
    answer = exchange(url, code=code(url), redirect_uri=f"{BACK}/other")

    assert answer.json()["message"] == "Invalid redirect uri"


def test_refreshing_gives_a_token_and_no_second_refresh_token(url: str) -> None:
    tokens = exchange(url, code=code(url)).json()

    again = refresh(url, tokens["refresh_token"]).json()

    assert set(again) == {"user_id_string", "access_token", "token_type", "expires_in"}
    assert again["access_token"] != tokens["access_token"]
    assert refresh(url, tokens["refresh_token"]).status_code == 200


def test_another_app_cannot_refresh(url: str) -> None:
    tokens = exchange(url, code=code(url)).json()

    answer = refresh(url, tokens["refresh_token"], ("other-figma", "other-secret-figma"))

    assert (answer.status_code, answer.json()["message"]) == (400, "Invalid refresh token")


def test_the_old_token_address_says_where_to_go(url: str) -> None:
    answer = requests.post(f"{url}/www.figma.com/api/oauth/token", timeout=10)

    assert answer.status_code == 404
    assert "api.figma.com/v1/oauth/" in answer.json()["message"]


def test_an_expired_token_is_403_and_can_be_refreshed(url: str) -> None:
    tokens = exchange(url, code=code(url)).json()
    requests.post(f"{url}/_sandbox/figma/faults", json={"kind": "expired_token"}, timeout=10)

    answer = me(url, tokens["access_token"])

    assert (answer.status_code, answer.json()) == (403, {"status": 403, "err": "Token expired"})
    assert me(url, refresh(url, tokens["refresh_token"]).json()["access_token"]).status_code == 200


def test_a_revoked_grant_is_dead_for_good(url: str) -> None:
    tokens = exchange(url, code=code(url)).json()
    requests.post(f"{url}/_sandbox/figma/faults", json={"kind": "revoked_grant"}, timeout=10)

    assert me(url, tokens["access_token"]).json() == {"status": 403, "err": "Invalid token"}
    assert refresh(url, tokens["refresh_token"]).json()["message"] == "Invalid refresh token"


def test_the_ledger_names_grant_types_and_no_secret(url: str) -> None:
    tokens = exchange(url, code=code(url)).json()
    refresh(url, tokens["refresh_token"])

    rows = requests.get(f"{url}/_sandbox/figma/requests", timeout=10).text

    assert '"grantType":"authorization_code"' in rows
    assert '"grantType":"refresh_token"' in rows
    assert tokens["refresh_token"] not in rows
    assert tokens["access_token"] not in rows
