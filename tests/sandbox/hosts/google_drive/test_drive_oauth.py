"""Google's consent, token, revocation and userinfo calls."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from joserfc import jwt
from joserfc.jwk import KeySet

from sandbox.grants import challenge_of

REDIRECT = "http://localhost:8000/integrations/callback"
DRIVE_FILE = "https://www.googleapis.com/auth/drive.file"
EMAIL = "https://www.googleapis.com/auth/userinfo.email"
VERIFIER = "abcdefghijklmnopqrstuvwxyz-0123456789_ABCDEF"
TERMS = {
    "client_id": "sandbox-google-drive",
    "redirect_uri": REDIRECT,
    "response_type": "code",
    "scope": f"openid email {DRIVE_FILE}",
    "state": "st4te",
    "access_type": "offline",
    "prompt": "consent",
}


def authorize(url: str, form: Mapping[str, str | list[str]] | None = None, /, **changes: str) -> requests.Response:
    address = f"{url}/accounts.google.com/o/oauth2/v2/auth"
    terms = {name: value for name, value in (TERMS | changes).items() if value}
    method = "POST" if form else "GET"
    return requests.request(method, address, params=terms, data=form, allow_redirects=False, timeout=10)


def landed(answer: requests.Response) -> dict[str, str]:
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(REDIRECT + "?")
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


def token(url: str, **form: str) -> requests.Response:
    client = {"client_id": "sandbox-google-drive", "client_secret": "sandbox-secret-google-drive"}
    return requests.post(f"{url}/oauth2.googleapis.com/token", data=client | form, timeout=10)


def redeem(url: str, code: str, **changes: str) -> requests.Response:
    return token(url, grant_type="authorization_code", code=code, redirect_uri=REDIRECT, **changes)


def tokens(url: str, **changes: str) -> dict[str, Any]:
    answer = redeem(url, landed(authorize(url, sandbox_consent="allow", **changes))["code"])
    assert answer.status_code == 200
    return dict(answer.json())


def about(url: str, access_token: str) -> requests.Response:
    headers = {"Authorization": f"Bearer {access_token}"}
    return requests.get(f"{url}/www.googleapis.com/drive/v3/about?fields=user", headers=headers, timeout=10)


def test_allowed_consent_brings_code_state_and_scope(url: str) -> None:
    answer = landed(authorize(url, sandbox_consent="allow"))

    assert answer["state"] == "st4te"
    assert answer["scope"] == f"openid {EMAIL} {DRIVE_FILE}"
    assert answer["code"].startswith("4/0A")


def test_denied_consent_brings_access_denied(url: str) -> None:
    answer = landed(authorize(url, sandbox_consent="deny"))

    assert answer["error"] == "access_denied"
    assert answer["state"] == "st4te"
    assert "code" not in answer


def test_query_of_the_redirect_address_is_kept(url: str) -> None:
    answer = authorize(url, sandbox_consent="deny", redirect_uri=REDIRECT + "?kept=1")

    assert landed(answer)["kept"] == "1"


def test_unticked_scope_is_missing_in_the_answer(url: str) -> None:
    form = {"decision": "allow", "account": "ben@example.org"}

    answer = redeem(url, landed(authorize(url, form))["code"]).json()

    assert answer["scope"] == f"openid {EMAIL}"
    assert about(url, answer["access_token"]).status_code == 403


def test_chosen_account_is_the_one_connected(url: str) -> None:
    form: dict[str, str | list[str]] = {"decision": "allow", "account": "ben@example.org", "scope": [DRIVE_FILE]}

    answer = redeem(url, landed(authorize(url, form))["code"]).json()

    assert about(url, answer["access_token"]).json()["user"]["emailAddress"] == "ben@example.org"


def test_hinted_account_is_used_when_answered_at_once(url: str) -> None:
    answer = tokens(url, login_hint="cleo@example.org")

    assert about(url, answer["access_token"]).json()["user"]["emailAddress"] == "cleo@example.org"


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"client_id": "nobody"}, 401, "invalid_client"),
        ({"redirect_uri": "https://evil.example/cb"}, 400, "redirect_uri_mismatch"),
        ({"response_type": "token"}, 400, "invalid_request"),
        ({"scope": ""}, 400, "invalid_request"),
        ({"scope": "https://www.googleapis.com/auth/cars"}, 400, "invalid_scope"),
        ({"access_type": "sometimes"}, 400, "invalid_request"),
        ({"code_challenge": "x", "code_challenge_method": "S512"}, 400, "invalid_request"),
    ],
)
def test_bad_authorize_call_shows_a_page_and_redirects_nowhere(
    url: str, changes: dict[str, str], status: int, error: str
) -> None:
    answer = authorize(url, sandbox_consent="allow", **changes)

    assert answer.status_code == status
    assert error in answer.text
    assert "Location" not in answer.headers


def test_token_answer_has_googles_shape(url: str) -> None:
    answer = tokens(url)

    assert set(answer) == {"access_token", "expires_in", "refresh_token", "scope", "token_type", "id_token"}
    assert (answer["expires_in"], answer["token_type"]) == (3599, "Bearer")


def test_no_refresh_token_without_offline_access(url: str) -> None:
    assert "refresh_token" not in tokens(url, access_type="online")


def test_refresh_token_comes_at_the_first_consent_only(url: str) -> None:
    first, second = tokens(url, prompt=""), tokens(url, prompt="")

    assert "refresh_token" in first
    assert "refresh_token" not in second


def test_refresh_token_comes_again_when_consent_is_asked_anew(url: str) -> None:
    tokens(url)

    assert "refresh_token" in tokens(url, prompt="consent")


def test_earlier_scopes_are_included_when_asked_for(url: str) -> None:
    tokens(url, scope=DRIVE_FILE)

    answer = tokens(url, scope="openid", include_granted_scopes="true")

    assert set(answer["scope"].split()) == {"openid", DRIVE_FILE}


def test_silent_authorization_needs_an_earlier_consent(url: str) -> None:
    refused = landed(authorize(url, prompt="none"))
    tokens(url)
    allowed = landed(authorize(url, prompt="none"))

    assert refused["error"] == "interaction_required"
    assert "code" in allowed


def test_refresh_gives_an_access_token_and_keeps_the_refresh_token(url: str) -> None:
    refresh_token = tokens(url)["refresh_token"]

    first = token(url, grant_type="refresh_token", refresh_token=refresh_token)
    second = token(url, grant_type="refresh_token", refresh_token=refresh_token)

    assert first.status_code == second.status_code == 200
    assert "refresh_token" not in first.json()
    assert about(url, second.json()["access_token"]).status_code == 200


def test_code_is_good_once_and_its_reuse_kills_the_tokens(url: str) -> None:
    code = landed(authorize(url, sandbox_consent="allow"))["code"]
    access_token = redeem(url, code).json()["access_token"]

    again = redeem(url, code)

    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert about(url, access_token).status_code == 401


def test_right_verifier_is_accepted_and_a_wrong_one_refused(url: str) -> None:
    terms = {"code_challenge": challenge_of(VERIFIER, "S256"), "code_challenge_method": "S256"}
    code = landed(authorize(url, sandbox_consent="allow", **terms))["code"]

    missing = redeem(url, code)
    wrong = redeem(url, code, code_verifier="x" * 43)
    right = redeem(url, code, code_verifier=VERIFIER)

    assert [missing.status_code, wrong.status_code, right.status_code] == [400, 400, 200]
    assert wrong.json() == {"error": "invalid_grant", "error_description": "Invalid code verifier."}


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "nobody"}, 401, "invalid_client"),
        ({"client_id": "other-google-drive", "client_secret": "other-secret-google-drive"}, 400, "invalid_grant"),
        ({"redirect_uri": "http://localhost/other"}, 400, "redirect_uri_mismatch"),
        ({"code": "4/0Awrong"}, 400, "invalid_grant"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
    ],
)
def test_bad_token_call_is_refused_flatly(url: str, changes: dict[str, str], status: int, error: str) -> None:
    code = landed(authorize(url, sandbox_consent="allow"))["code"]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT}

    answer = token(url, **(form | changes))

    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert "error_description" in answer.json()


def test_client_may_authenticate_with_basic(url: str) -> None:
    code = landed(authorize(url, sandbox_consent="allow"))["code"]

    answer = requests.post(
        f"{url}/oauth2.googleapis.com/token",
        data={"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT},
        auth=("sandbox-google-drive", "sandbox-secret-google-drive"),
        timeout=10,
    )

    assert answer.status_code == 200


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_revocation_kills_both_tokens_and_a_second_one_says_so(url: str, kind: str) -> None:
    granted = tokens(url)
    address = f"{url}/oauth2.googleapis.com/revoke"

    first = requests.post(address, data={"token": granted[kind]}, timeout=10)
    second = requests.post(address, data={"token": granted[kind]}, timeout=10)

    assert (first.status_code, first.json()) == (200, {})
    assert (second.status_code, second.json()["error"]) == (400, "invalid_token")
    assert about(url, granted["access_token"]).status_code == 401
    refreshed = token(url, grant_type="refresh_token", refresh_token=granted["refresh_token"])
    assert refreshed.json() == {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}


def test_identity_token_is_signed_and_carries_the_nonce(url: str) -> None:
    answer = tokens(url, nonce="n0nce")
    certificates = requests.get(f"{url}/www.googleapis.com/oauth2/v3/certs", timeout=10).json()

    claims = jwt.decode(answer["id_token"], KeySet.import_key_set(certificates)).claims

    assert (claims["iss"], claims["aud"]) == ("https://accounts.google.com", "sandbox-google-drive")
    assert (claims["nonce"], claims["email"]) == ("n0nce", "ada@example.org")


def test_no_identity_token_without_openid(url: str) -> None:
    assert "id_token" not in tokens(url, scope=DRIVE_FILE)


def test_discovery_names_the_endpoints(url: str) -> None:
    answer = requests.get(f"{url}/accounts.google.com/.well-known/openid-configuration", timeout=10).json()

    assert answer["token_endpoint"] == "https://oauth2.googleapis.com/token"


def test_userinfo_tells_what_the_scopes_open(url: str) -> None:
    address = f"{url}/openidconnect.googleapis.com/v1/userinfo"
    access_token = tokens(url)["access_token"]

    claims = requests.get(address, headers={"Authorization": f"Bearer {access_token}"}, timeout=10).json()

    assert set(claims) == {"sub", "email", "email_verified"}
    assert requests.get(address, timeout=10).status_code == 401
