"""Connecting an app to a seller's account: consent, PKCE, tokens that expire and rotate, the key that goes along."""

import re
from typing import Any

import pytest
import requests

from tests.sandbox.etsy_shop import (
    ADA,
    BEN,
    CHALLENGE,
    KEYSTRING,
    SECRET,
    SHOP,
    VERIFIER,
    Seller,
    authorize,
    callback,
    exchange,
    refresh,
)


def connected(url: str) -> dict[str, Any]:
    found = exchange(url, code=callback(authorize(url))["code"])
    assert found.status_code == 200, found.text
    answer: dict[str, Any] = found.json()
    return answer


def me(url: str, token: str, key: str | None = f"{KEYSTRING}:{SECRET}") -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"} | ({"x-api-key": key} if key is not None else {})
    return requests.get(f"{url}/openapi.etsy.com/v3/application/users/me", headers=headers, timeout=10)


def test_the_tokens_name_their_user_and_the_answer_no_scope(url: str) -> None:
    answer = connected(url)

    assert set(answer) == {"access_token", "token_type", "expires_in", "refresh_token"}
    assert (answer["token_type"], answer["expires_in"]) == ("Bearer", 3600)
    assert answer["access_token"].startswith(f"{ADA}.")
    assert answer["refresh_token"].startswith(f"{ADA}.")


def test_the_way_back_repeats_the_state(url: str) -> None:
    query = callback(authorize(url, state="a b&c"))

    assert query["state"] == "a b&c"
    assert set(query) == {"code", "state"}


def test_a_refusal_comes_back_without_code(url: str) -> None:
    query = callback(authorize(url, sandbox_consent="deny"))

    assert query["error"] == "access_denied"
    assert query["state"] == "nonce-1"
    assert "code" not in query


def test_the_consent_page_shows_what_is_asked_and_lets_nobody_untick_it(url: str) -> None:
    page = authorize(url, sandbox_consent=None)
    form = {"decision": "allow", "account": str(BEN)}

    answer = requests.post(page.url, data=form, allow_redirects=False, timeout=10)
    token = exchange(url, code=callback(answer)["code"]).json()["access_token"]

    assert "Create and change your listings" in page.text
    assert len(re.findall(r"name=\"scope\"[^>]*disabled", page.text)) == 3
    assert token.startswith(f"{BEN}.")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"client_id": "nobody"}, "not recognized"),
        ({"client_id": None}, "not recognized"),
        ({"redirect_uri": "https://evil.example/callback"}, "redirect URL is not permitted"),
        ({"redirect_uri": None}, "redirect URL is not permitted"),
    ],
)
def test_what_etsy_does_not_send_back_is_a_page(url: str, changed: dict[str, str | None], words: str) -> None:
    answer = authorize(url, **changed)

    assert answer.status_code == 400
    assert words in answer.text


@pytest.mark.parametrize(
    ("changed", "error", "words"),
    [
        ({"state": None}, "invalid_request", "state is required"),
        ({"code_challenge": None}, "invalid_request", "code_challenge is required"),
        ({"code_challenge_method": "plain"}, "invalid_request", "code_challenge_method must be S256"),
        ({"scope": None}, "invalid_request", "scope is required"),
        ({"scope": "listings_r rule_the_world"}, "invalid_scope", "the requested scope is invalid"),
        ({"response_type": "token"}, "unsupported_response_type", "response_type must be code"),
    ],
)
def test_other_mistakes_come_back_in_words(url: str, changed: dict[str, str | None], error: str, words: str) -> None:
    query = callback(authorize(url, **changed))

    assert (query["error"], query["error_description"]) == (error, words)


@pytest.mark.parametrize(
    ("changed", "status", "error", "words"),
    [
        ({"code_verifier": "another-verifier"}, 400, "invalid_grant", "code_verifier is invalid"),
        ({"code_verifier": ""}, 400, "invalid_request", "code_verifier is required"),
        ({"redirect_uri": "http://127.0.0.1:9/other"}, 400, "invalid_grant", "redirect_uri is invalid"),
        ({"client_id": "nobody"}, 401, "invalid_client", "Invalid API key"),
        ({"client_id": "other-etsy"}, 400, "invalid_grant", "code is invalid"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type", "grant_type is not supported"),
        ({"grant_type": ""}, 400, "invalid_request", "grant_type is required"),
    ],
)
def test_an_exchange_that_cannot_be_is_told_why(
    url: str, changed: dict[str, str], status: int, error: str, words: str
) -> None:
    answer = exchange(url, code=callback(authorize(url))["code"], **changed)

    assert answer.status_code == status
    assert answer.json() == {"error": error, "error_description": words}


def test_a_code_works_once_and_its_second_use_ends_the_first(url: str) -> None:
    code = callback(authorize(url))["code"]
    token = exchange(url, code=code).json()["access_token"]

    again = exchange(url, code=code)

    assert again.json() == {"error": "invalid_grant", "error_description": "code has been used previously"}
    assert me(url, token).status_code == 401


def test_the_token_endpoint_takes_json_too(url: str) -> None:
    code = callback(authorize(url))["code"]
    body = {
        "grant_type": "authorization_code",
        "client_id": KEYSTRING,
        "redirect_uri": "http://127.0.0.1:8000/integrations/callback",
        "code": code,
        "code_verifier": VERIFIER,
    }

    answer = requests.post(f"{url}/api.etsy.com/v3/public/oauth/token", json=body, timeout=10)

    assert answer.status_code == 200
    assert CHALLENGE not in answer.text


def test_a_refresh_gives_a_new_pair_and_ends_the_old_refresh_token_once_the_new_one_is_used(url: str) -> None:
    first = connected(url)
    second = refresh(url, first["refresh_token"]).json()
    refresh(url, second["refresh_token"])

    late = refresh(url, first["refresh_token"])

    assert second["refresh_token"] != first["refresh_token"]
    assert me(url, second["access_token"]).status_code == 200
    assert late.status_code == 400
    assert late.json() == {"error": "invalid_grant", "error_description": "refresh_token is revoked"}


def test_a_refresh_token_is_bound_to_its_app(url: str) -> None:
    token = connected(url)["refresh_token"]

    assert refresh(url, token, "other-etsy").json()["error"] == "invalid_grant"
    assert refresh(url, token, "nobody").status_code == 401


def test_an_access_token_refreshes_nothing(url: str) -> None:
    answer = refresh(url, connected(url)["access_token"])

    assert answer.json() == {"error": "invalid_grant", "error_description": "refresh_token is invalid"}


def test_an_expired_token_can_be_refreshed_and_a_revoked_grant_cannot(url: str) -> None:
    ada = Seller(url)
    ada.control("POST", "faults", json={"kind": "expired_token"})
    expired = me(url, ada.token["access_token"])
    renewed = refresh(url, ada.token["refresh_token"])

    ada.control("POST", "faults", json={"kind": "revoked_grant"})
    revoked = me(url, renewed.json()["access_token"])

    assert (expired.status_code, renewed.status_code, revoked.status_code) == (401, 200, 401)
    assert expired.json() == {"error": "invalid_token", "error_description": "access token is expired"}
    assert refresh(url, renewed.json()["refresh_token"]).json()["error_description"] == "refresh_token is revoked"


@pytest.mark.parametrize(
    ("key", "status", "words"),
    [
        (None, 401, "Missing x-api-key header or client_id"),
        (KEYSTRING, 403, "Shared secret is required in x-api-key header."),
        (f"{KEYSTRING}:", 403, "Shared secret is required in x-api-key header."),
        ("nobody", 403, "Invalid API key: should be in the format 'keystring:shared_secret'."),
        (f"{KEYSTRING}:guess", 403, "Invalid API key"),
        ("nobody:guess", 403, "Invalid API key"),
    ],
)
def test_the_key_is_refused_apart_from_the_token(url: str, key: str | None, status: int, words: str) -> None:
    answer = me(url, Seller(url).token["access_token"], key)

    assert (answer.status_code, answer.json()) == (status, {"error": words})


def test_a_token_of_one_app_is_none_of_another(url: str) -> None:
    answer = me(url, Seller(url).token["access_token"], "other-etsy:other-secret-etsy")

    assert answer.status_code == 401
    assert answer.json()["error"] == "invalid_token"


def test_a_missing_token_is_told_from_a_missing_scope(url: str) -> None:
    few = Seller(url, scopes="listings_r")
    without = few.call("GET", "users/me")
    del few.http.headers["Authorization"]

    assert without.status_code == 403
    assert without.json() == {"error": "insufficient_scope", "error_description": "Insufficient scope"}
    assert few.call("GET", "users/me").status_code == 401
    assert few.call("GET", f"shops/{SHOP}").status_code == 200


def test_the_scopes_of_a_token_can_be_asked_for(url: str) -> None:
    ada = Seller(url, scopes=["listings_r", "shops_r"])

    answer = ada.call("POST", "scopes", data={"token": ada.token["access_token"]})

    assert answer.json() == {"scopes": ["listings_r", "shops_r"]}
    assert ada.call("POST", "scopes", data={"token": "1.guess"}).status_code == 400


def test_a_ping_checks_the_key_alone(url: str) -> None:
    ada = Seller(url)
    del ada.http.headers["Authorization"]

    good = ada.call("GET", "openapi-ping")
    ada.http.headers["x-api-key"] = f"{KEYSTRING}:guess"

    assert good.json() == {"application_id": 1}
    assert ada.call("GET", "openapi-ping").status_code == 403


def test_the_ledger_shows_accounts_and_grant_types_and_no_secret(url: str) -> None:
    first = connected(url)
    second = refresh(url, first["refresh_token"]).json()
    me(url, second["access_token"])

    rows = requests.get(f"{url}/_sandbox/etsy/requests", timeout=10).json()["requests"]

    assert [row["grantType"] for row in rows] == [None, "authorization_code", "refresh_token", None]
    assert [row["account"] for row in rows] == [None, None, str(ADA), str(ADA)]
    for secret in (first["refresh_token"], second["access_token"], SECRET, VERIFIER, "nonce-1"):
        assert secret not in str(rows)


@pytest.mark.parametrize(
    "wanted",
    [{"scopes": "everything"}, {"account": "nobody@example.org"}, {"colour": "red"}, {"client_id": "nobody"}],
)
def test_a_token_that_makes_no_sense_is_not_issued(url: str, wanted: dict[str, str]) -> None:
    answer = requests.post(f"{url}/_sandbox/etsy/token", json=wanted, timeout=10)

    assert answer.status_code == 422
    assert answer.json()["error"]
