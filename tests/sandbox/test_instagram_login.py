"""Connecting to Instagram: consent, the nested short answer, the long token, its renewal, and its end."""

from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import requests

APP = {"client_id": "sandbox-instagram", "client_secret": "sandbox-secret-instagram"}
OTHER = {"client_id": "other-instagram", "client_secret": "other-secret-instagram"}
BACK = "http://127.0.0.1:8000/integrations/callback"
BASIC, PUBLISH = "instagram_business_basic", "instagram_business_content_publish"


def authorize(url: str, **changed: str | None) -> requests.Response:
    query = {
        "client_id": APP["client_id"],
        "redirect_uri": BACK,
        "response_type": "code",
        "scope": f"{BASIC},{PUBLISH}",
        "state": "nonce-1",
        "sandbox_consent": "allow",
    }
    wanted = {name: value for name, value in {**query, **changed}.items() if value is not None}
    return requests.get(
        f"{url}/www.instagram.com/oauth/authorize?{urlencode(wanted)}", allow_redirects=False, timeout=10
    )


def landed(answer: requests.Response) -> dict[str, str]:
    assert answer.status_code == 302, answer.text
    return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))


def first(url: str, code: str, **changed: str) -> requests.Response:
    form = {**APP, "grant_type": "authorization_code", "redirect_uri": BACK, "code": code, **changed}
    return requests.post(f"{url}/api.instagram.com/oauth/access_token", data=form, timeout=10)


def graph(url: str, path: str, **params: str) -> requests.Response:
    return requests.get(f"{url}/graph.instagram.com/{path}", params=params, timeout=10)


def exchange(url: str, token: str, secret: str = APP["client_secret"]) -> requests.Response:
    return graph(url, "access_token", grant_type="ig_exchange_token", client_secret=secret, access_token=token)


def renew(url: str, token: str) -> requests.Response:
    return graph(url, "refresh_access_token", grant_type="ig_refresh_token", access_token=token)


def control(url: str, name: str, **body: object) -> Any:
    return requests.post(f"{url}/_sandbox/instagram/{name}", json=body, timeout=10).json()


def short_token(url: str, **changed: str | None) -> str:
    answer = first(url, landed(authorize(url, **changed))["code"]).json()
    return str(answer["data"][0]["access_token"])


def error_of(answer: requests.Response) -> tuple[int, int, int | None]:
    error = answer.json()["error"]
    return answer.status_code, error["code"], error.get("error_subcode")


def test_a_yes_comes_back_with_a_code_and_a_fragment_that_belongs_to_nothing(url: str) -> None:
    answer = authorize(url)

    query = landed(answer)
    assert query["state"] == "nonce-1"
    assert query["code"]
    assert answer.headers["Location"].endswith("#_")


def test_a_no_comes_back_with_its_reason(url: str) -> None:
    query = landed(authorize(url, sandbox_consent="deny"))

    assert (query["error"], query["error_reason"], query["state"]) == ("access_denied", "user_denied", "nonce-1")
    assert "code" not in query


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"client_id": "nobody"}, "Invalid platform app"),
        ({"redirect_uri": "https://evil.example/callback"}, "Invalid redirect_uri"),
        ({"response_type": "token"}, "Invalid response_type"),
        ({"scope": "business_basic"}, "business_basic"),
    ],
)
def test_what_instagram_would_not_redirect_is_a_page(url: str, changed: dict[str, str | None], word: str) -> None:
    answer = authorize(url, **changed)

    assert answer.status_code == 400
    assert word in answer.text


def test_the_consent_page_lets_everything_but_the_profile_be_refused(url: str) -> None:
    page = authorize(url, sandbox_consent=None)

    answer = requests.post(
        page.url, data={"decision": "allow", "account": "northern.prints"}, allow_redirects=False, timeout=10
    )

    told = first(url, landed(answer)["code"]).json()["data"][0]
    assert told["permissions"] == BASIC
    assert "Publish posts" in page.text


def test_the_first_answer_is_nested_and_says_neither_type_nor_end(url: str) -> None:
    told = first(url, landed(authorize(url))["code"]).json()["data"][0]

    assert set(told) == {"access_token", "user_id", "permissions"}
    assert type(told["user_id"]) is int
    assert told["user_id"] > 2**53
    assert told["permissions"] == f"{BASIC},{PUBLISH}"


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"client_id": "nobody"}, "Invalid platform app"),
        ({"client_secret": "guess"}, "Error validating client secret"),
        ({"redirect_uri": BACK + "/other"}, "redirect_uri is identical"),
        ({"code": "made-up"}, "Matching code was not found"),
        (OTHER, "Matching code was not found"),
        ({"grant_type": "refresh_token"}, "grant_type"),
    ],
)
def test_the_token_endpoint_refuses_flatly(url: str, changed: dict[str, str], words: str) -> None:
    answer = first(url, **{"code": landed(authorize(url))["code"], **changed})

    assert answer.status_code == 400
    assert answer.json()["error_type"] == "OAuthException"
    assert answer.json()["code"] == 400
    assert words in answer.json()["error_message"]


def test_a_code_works_once(url: str) -> None:
    code = landed(authorize(url))["code"]
    first(url, code)

    assert "already used" in first(url, code).json()["error_message"]


def test_a_short_token_is_traded_for_one_of_sixty_days(url: str) -> None:
    answer = exchange(url, short_token(url)).json()

    assert (answer["token_type"], answer["expires_in"]) == ("bearer", 5_183_944)
    assert graph(url, "v26.0/me", access_token=answer["access_token"]).status_code == 200


def test_the_trade_wants_the_secret_of_the_same_app(url: str) -> None:
    token = short_token(url)

    assert error_of(exchange(url, token, OTHER["client_secret"])) == (400, 1, None)
    assert error_of(exchange(url, "IGAAmade-up")) == (400, 190, None)


def test_a_token_can_be_renewed_after_a_day_and_without_the_secret(url: str) -> None:
    token = exchange(url, short_token(url)).json()["access_token"]
    too_young = renew(url, token)
    control(url, "age", hours=24)

    renewed = renew(url, token)

    assert too_young.status_code == 400
    assert "24 hours" in too_young.json()["error"]["message"]
    assert renewed.json()["expires_in"] == 5_183_944


def test_neither_a_short_nor_an_expired_token_can_be_renewed(url: str) -> None:
    short, long = short_token(url), exchange(url, short_token(url)).json()["access_token"]
    refused = renew(url, short)
    control(url, "age", hours=61 * 24)

    assert refused.status_code == 400
    assert error_of(renew(url, long)) == (400, 190, 463)


def test_the_renewal_answers_get_alone(url: str) -> None:
    answer = requests.post(f"{url}/graph.instagram.com/refresh_access_token", timeout=10)

    assert answer.json()["error"]["message"] == "Unsupported request - method type: post"


@pytest.mark.parametrize(("kind", "subcode"), [("expired_token", 463), ("revoked_grant", 458)])
def test_a_dead_token_is_190_with_the_reason_as_subcode(url: str, kind: str, subcode: int) -> None:
    token = control(url, "token")["data"][0]["access_token"]
    control(url, "faults", kind=kind)

    answer = graph(url, "v26.0/me", access_token=token)

    assert error_of(answer) == (400, 190, subcode)
    assert 'OAuth "Facebook Platform" "invalid_token"' in answer.headers["WWW-Authenticate"]


def test_no_token_is_190_without_a_reason(url: str) -> None:
    assert error_of(graph(url, "v26.0/me")) == (400, 190, None)


def test_the_ledger_shows_grant_types_and_no_secret(url: str) -> None:
    token = exchange(url, short_token(url)).json()["access_token"]
    graph(url, "v26.0/me", access_token=token)

    rows = requests.get(f"{url}/_sandbox/instagram/requests", timeout=10).json()["requests"]

    assert [row["grantType"] for row in rows] == [None, "authorization_code", "ig_exchange_token", None]
    assert rows[-1]["account"] == "inkfield.studio"
    assert token not in str(rows)
    assert APP["client_secret"] not in str(rows)


def test_the_control_call_answers_as_the_token_endpoint_does(url: str) -> None:
    told = control(url, "token", scopes=[BASIC], account="northern.prints")["data"][0]

    who = graph(url, "v26.0/me", access_token=told["access_token"], fields="username").json()
    assert who["username"] == "northern.prints"
    assert told["permissions"] == BASIC
    assert control(url, "token", account="nobody")["error"].startswith("account must be one of")
    assert "scopes" in control(url, "token", scopes="everything")["error"]
