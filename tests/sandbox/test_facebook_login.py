"""Connecting to Facebook: the dialog, short and long tokens, permissions, page tokens, the proof of the secret."""

import hashlib
import hmac
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import requests

APP = {"client_id": "sandbox-facebook", "client_secret": "sandbox-secret-facebook"}
OTHER = {"client_id": "other-facebook", "client_secret": "other-secret-facebook"}
BACK = "http://127.0.0.1:8000/integrations/callback"
SCOPES = "pages_show_list,pages_read_engagement,pages_manage_posts"


def dialog(url: str, form: dict[str, Any] | None = None, /, **changed: str | None) -> requests.Response:
    query = {
        "client_id": APP["client_id"],
        "redirect_uri": BACK,
        "response_type": "code",
        "scope": SCOPES,
        "state": "nonce-1",
        "sandbox_consent": None if form else "allow",
    }
    wanted = {name: value for name, value in {**query, **changed}.items() if value is not None}
    address = f"{url}/www.facebook.com/v26.0/dialog/oauth?{urlencode(wanted)}"
    return requests.request("POST" if form else "GET", address, data=form, allow_redirects=False, timeout=10)


def landed(answer: requests.Response) -> dict[str, str]:
    assert answer.status_code == 302, answer.text
    return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))


def graph(url: str, path: str, method: str = "GET", **params: str) -> requests.Response:
    return requests.request(method, f"{url}/graph.facebook.com/v26.0/{path}", params=params, timeout=10)


def redeem(url: str, code: str, **changed: str) -> requests.Response:
    return graph(url, "oauth/access_token", **{**APP, "redirect_uri": BACK, "code": code, **changed})


def exchange(url: str, token: str, **changed: str) -> requests.Response:
    terms = {**APP, "grant_type": "fb_exchange_token", "fb_exchange_token": token, **changed}
    return graph(url, "oauth/access_token", **terms)


def short_token(url: str, form: dict[str, Any] | None = None) -> str:
    return str(redeem(url, landed(dialog(url, form))["code"]).json()["access_token"])


def control(url: str, name: str, /, **body: object) -> requests.Response:
    return requests.post(f"{url}/_sandbox/facebook/{name}", json=body, timeout=10)


def issued(url: str, **wanted: object) -> str:
    return str(control(url, "token", **wanted).json()["access_token"])


def error_of(answer: requests.Response) -> tuple[int, int, int | None]:
    error = answer.json()["error"]
    return answer.status_code, error["code"], error.get("error_subcode")


def test_a_yes_comes_back_with_a_code(url: str) -> None:
    answer = dialog(url)

    assert landed(answer)["state"] == "nonce-1"
    assert landed(answer)["code"]
    assert answer.headers["Location"].endswith("#_=_")


def test_a_no_comes_back_with_its_reason(url: str) -> None:
    query = landed(dialog(url, sandbox_consent="deny"))

    assert (query["error"], query["error_reason"], query["error_code"]) == ("access_denied", "user_denied", "200")


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"client_id": "nobody"}, "Invalid App ID"),
        ({"redirect_uri": "https://evil.example/callback"}, "URL Blocked"),
        ({"response_type": "token"}, "response_type"),
        ({"scope": "read_minds"}, "read_minds"),
    ],
)
def test_what_facebook_would_not_redirect_is_a_page(url: str, changed: dict[str, str | None], word: str) -> None:
    answer = dialog(url, **changed)

    assert answer.status_code == 400
    assert word in answer.text


def test_a_code_gives_a_short_token_that_can_be_traded_for_a_long_one(url: str) -> None:
    first = redeem(url, landed(dialog(url))["code"]).json()
    second = exchange(url, first["access_token"]).json()

    assert set(first) == set(second) == {"access_token", "token_type", "expires_in"}
    assert first["expires_in"] < 2 * 3600
    assert second["expires_in"] == 5_183_944


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"client_id": "nobody"}, (400, 101, None)),
        ({"client_id": ""}, (400, 101, None)),
        ({"client_secret": "guess"}, (400, 1, None)),
        ({"redirect_uri": BACK + "/other"}, (400, 100, 36008)),
        ({"code": "made-up"}, (400, 100, None)),
        (OTHER, (400, 100, None)),
    ],
)
def test_the_token_endpoint_tells_what_is_wrong(
    url: str, changed: dict[str, str], expected: tuple[int, int, int | None]
) -> None:
    answer = redeem(url, **{"code": landed(dialog(url))["code"], **changed})

    assert error_of(answer) == expected


def test_a_code_works_once(url: str) -> None:
    code = landed(dialog(url))["code"]
    redeem(url, code)

    again = redeem(url, code)

    assert error_of(again) == (400, 100, 36009)
    assert again.json()["error"]["message"] == "This authorization code has been used."


def test_an_expired_token_cannot_be_traded(url: str) -> None:
    token = short_token(url)
    control(url, "age", hours=2)

    assert error_of(exchange(url, token)) == (400, 190, 463)
    assert error_of(exchange(url, "EAAGmade-up")) == (400, 190, None)


def test_permissions_can_be_declined_one_by_one(url: str) -> None:
    form = {"decision": "allow", "account": "ada", "scope": ["pages_show_list"]}
    token = short_token(url, form)

    answers = graph(url, "me/permissions", access_token=token).json()["data"]
    photos = graph(url, "104857201948377/photos", access_token=token)

    assert {each["permission"]: each["status"] for each in answers} == {
        "public_profile": "granted",
        "pages_show_list": "granted",
        "pages_read_engagement": "declined",
        "pages_manage_posts": "declined",
    }
    assert error_of(photos) == (403, 10, None)


def test_without_the_list_permission_no_page_is_told(url: str) -> None:
    token = issued(url, scopes="pages_read_engagement")

    assert error_of(graph(url, "me/accounts", access_token=token)) == (403, 200, None)
    assert "access_token" not in graph(url, "104857201948377", access_token=token, fields="access_token,name").json()


def test_each_page_has_a_token_of_its_own_that_stays_the_same(url: str) -> None:
    token = issued(url, account="ben")

    first = graph(url, "me/accounts", access_token=token, fields="id,name,access_token,tasks").json()["data"]
    again = graph(url, "me/accounts", access_token=token, fields="id,name,access_token,tasks").json()["data"]
    one = graph(url, first[0]["id"], access_token=token, fields="access_token").json()

    assert first == again
    assert len({page["access_token"] for page in first}) == 3
    assert one["access_token"] == first[0]["access_token"]
    assert "CREATE_CONTENT" not in first[0]["tasks"]


def test_pages_come_in_pages(url: str) -> None:
    token = issued(url, account="ben")
    first = graph(url, "me/accounts", access_token=token, limit="2").json()

    second = requests.get(first["paging"]["next"].replace("https://", f"{url}/"), timeout=10).json()

    assert [len(first["data"]), len(second["data"])] == [2, 1]
    assert "next" not in second["paging"]


def test_somebody_without_pages_has_an_empty_list(url: str) -> None:
    assert graph(url, "me/accounts", access_token=issued(url, account="cleo")).json() == {"data": []}


def test_a_page_token_of_a_long_user_token_has_no_end_and_of_a_short_one_has(url: str) -> None:
    app = "sandbox-facebook|sandbox-secret-facebook"
    short, long = short_token(url), issued(url)
    tokens = [graph(url, "me/accounts", access_token=each).json()["data"][0]["access_token"] for each in (short, long)]

    told = [graph(url, "debug_token", access_token=app, input_token=each).json()["data"] for each in tokens]

    assert told[0]["expires_at"] > 0
    assert told[1]["expires_at"] == 0
    assert (told[1]["type"], told[1]["profile_id"], told[1]["is_valid"]) == ("PAGE", "104857201948377", True)


def test_debug_token_wants_a_token_and_knows_a_bad_one(url: str) -> None:
    app = graph(url, "oauth/access_token", **APP, grant_type="client_credentials").json()["access_token"]

    assert graph(url, "debug_token", access_token=app, input_token="EAAGbad").json()["data"]["is_valid"] is False
    assert error_of(graph(url, "debug_token", access_token="nonsense", input_token="EAAGbad")) == (400, 190, None)


def test_removing_the_app_kills_every_token(url: str) -> None:
    token = issued(url)
    page = graph(url, "me/accounts", access_token=token).json()["data"][0]["access_token"]
    me = graph(url, "me", access_token=token).json()["id"]

    removed = graph(url, f"{me}/permissions", "DELETE", access_token=token)

    assert removed.json() == {"success": True}
    assert error_of(graph(url, "me", access_token=token)) == (400, 190, 458)
    assert error_of(graph(url, "me", access_token=page)) == (400, 190, 458)


def test_one_permission_can_be_taken_back(url: str) -> None:
    token = issued(url)
    graph(url, "me/permissions/pages_show_list", "DELETE", access_token=token)

    assert error_of(graph(url, "me/accounts", access_token=token)) == (403, 200, None)


def test_a_page_that_the_person_lost_takes_its_token_along(url: str) -> None:
    token = issued(url)
    page = graph(url, "me/accounts", access_token=token).json()["data"][0]["access_token"]

    requests.delete(f"{url}/_sandbox/facebook/pages/104857201948377", timeout=10)

    assert error_of(graph(url, "me", access_token=page)) == (400, 190, 492)
    assert error_of(graph(url, "104857201948377", access_token=token)) == (400, 100, 33)


@pytest.mark.parametrize(("kind", "subcode"), [("expired_token", 463), ("revoked_grant", 458)])
def test_a_dead_token_is_190_with_the_reason_as_subcode(url: str, kind: str, subcode: int) -> None:
    token = issued(url)
    control(url, "faults", kind=kind)

    assert error_of(graph(url, "me", access_token=token)) == (400, 190, subcode)


def test_a_proof_must_fit_and_can_be_required(url: str) -> None:
    token = issued(url)
    good = hmac.new(APP["client_secret"].encode(), token.encode(), hashlib.sha256).hexdigest()
    without = graph(url, "me", access_token=token).status_code
    control(url, "proof", required=1)

    missing = graph(url, "me", access_token=token)
    wrong = graph(url, "me", access_token=token, appsecret_proof="0" * 64)

    assert without == 200
    assert "require an appsecret_proof" in missing.json()["error"]["message"]
    assert wrong.json()["error"]["message"] == "Invalid appsecret_proof provided in the API argument"
    assert graph(url, "me", access_token=token, appsecret_proof=good).status_code == 200


def test_the_ledger_shows_grant_types_and_no_secret(url: str) -> None:
    token = short_token(url)
    exchange(url, token)
    graph(url, "me", access_token=token, appsecret_proof="0" * 64)

    rows = requests.get(f"{url}/_sandbox/facebook/requests", timeout=10).json()["requests"]

    assert [row["grantType"] for row in rows] == [None, "authorization_code", "fb_exchange_token", None]
    assert rows[-1]["account"] == "ada"
    assert token not in str(rows)
    assert APP["client_secret"] not in str(rows)


def test_the_control_call_refuses_what_makes_no_sense(url: str) -> None:
    assert control(url, "token", account="nobody").status_code == 422
    assert control(url, "token", scopes="everything").status_code == 422
    assert control(url, "token", colour="blue").status_code == 422
