"""The control calls, the ledger they show, and what they refuse."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from sandbox import running

KEY = "google-drive"
FILES = "/www.googleapis.com/drive/v3/files"
AUTHORIZE = "/accounts.google.com/o/oauth2/v2/auth"
TOKEN = "/oauth2.googleapis.com/token"
REDIRECT = "http://localhost:8000/integrations/callback"


def ledger(url: str, **query: int) -> dict[str, Any]:
    answer = requests.get(f"{url}/_sandbox/{KEY}/requests", params=query, timeout=10)
    assert answer.status_code == 200
    return dict(answer.json())


def test_reset_brings_back_the_first_state(ada: requests.Session, url: str) -> None:
    ada.post(url + FILES, json={"name": "x"}, timeout=10)
    requests.post(f"{url}/_sandbox/{KEY}/faults", json={"kind": "hang"}, timeout=10)

    answer = requests.post(f"{url}/_sandbox/reset", json={"provider": KEY}, timeout=10)

    assert answer.status_code == 200
    state = requests.get(f"{url}/_sandbox/{KEY}/state", timeout=10).json()
    assert state["collections"]["files"] == 0
    assert ledger(url) == {"requests": [], "next": 0}
    assert requests.get(f"{url}/_sandbox/{KEY}/faults", timeout=10).json() == {"faults": []}
    assert ada.get(url + FILES, timeout=10).status_code == 401


def test_reset_without_provider_takes_all(ada: requests.Session, url: str) -> None:
    ada.post(url + FILES, json={"name": "x"}, timeout=10)

    answer = requests.post(f"{url}/_sandbox/reset", json={}, timeout=10)

    assert KEY in answer.json()["reset"]
    assert ledger(url)["next"] == 0


def test_state_pages_through_what_the_platform_holds(ada: requests.Session, url: str) -> None:
    for number in range(5):
        ada.post(url + FILES, json={"name": f"file {number}"}, timeout=10)
    state = f"{url}/_sandbox/{KEY}/state"

    first = requests.get(state, params={"collection": "files", "limit": "3"}, timeout=10).json()
    second = requests.get(
        state, params={"collection": "files", "limit": "3", "cursor": first["nextCursor"]}, timeout=10
    ).json()

    assert (first["collection"], first["total"], len(first["data"])) == ("files", 5, 3)
    assert second["nextCursor"] is None
    assert {file["name"] for file in first["data"] + second["data"]} == {f"file {number}" for number in range(5)}
    assert first["data"][0]["kind"] == "drive#file"


def test_unknown_collection_is_not_found(url: str) -> None:
    answer = requests.get(f"{url}/_sandbox/{KEY}/state", params={"collection": "cars"}, timeout=10)

    assert answer.status_code == 404


@pytest.mark.parametrize("limit", ["0", "-1", "many", "99999", "²"])
def test_senseless_limit_is_refused(url: str, limit: str) -> None:
    answer = requests.get(f"{url}/_sandbox/{KEY}/requests", params={"limit": limit}, timeout=10)

    assert answer.status_code == 422


def test_ledger_tells_what_came_in(ada: requests.Session, url: str) -> None:
    ada.get(f"{url}{FILES}?q=trashed%3Dfalse", timeout=10)

    [row] = ledger(url)["requests"]

    assert row["at"].endswith("Z")
    del row["at"]
    assert row == {
        "n": 1,
        "method": "GET",
        "host": "www.googleapis.com",
        "path": "/drive/v3/files",
        "query": "q=trashed%3Dfalse",
        "operation": None,
        "grantType": None,
        "status": 200,
        "tokenTail": str(ada.headers["Authorization"])[-4:],
        "account": "ada@example.org",
        "fault": None,
    }


def test_ledger_goes_on_from_a_number(ada: requests.Session, url: str) -> None:
    for _ in range(4):
        ada.get(url + FILES, timeout=10)

    first = ledger(url, limit=3)
    rest = ledger(url, since=3)
    end = ledger(url, since=4)

    assert first["next"] == 3
    assert [row["n"] for row in rest["requests"]] == [4]
    assert end == {"requests": [], "next": 4}


def test_no_secret_code_or_state_reaches_the_ledger(url: str) -> None:
    authorize = requests.get(
        url + AUTHORIZE,
        params={
            "client_id": f"sandbox-{KEY}",
            "redirect_uri": REDIRECT,
            "response_type": "code",
            "scope": "openid",
            "state": "s3cret-state",
            "sandbox_consent": "allow",
        },
        allow_redirects=False,
        timeout=10,
    )
    [code] = parse_qs(urlsplit(authorize.headers["Location"]).query)["code"]
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": REDIRECT,
        "client_id": f"sandbox-{KEY}",
        "client_secret": f"sandbox-secret-{KEY}",
    }
    access = requests.post(url + TOKEN, data=form, timeout=10).json()["access_token"]
    requests.get(f"{url}{FILES}?access_token={access}", headers={"Authorization": f"Bearer {access}"}, timeout=10)

    text = requests.get(f"{url}/_sandbox/{KEY}/requests", timeout=10).text
    rows = ledger(url)["requests"]

    assert not [secret for secret in (access, code, "s3cret-state", f"sandbox-secret-{KEY}") if secret in text]
    assert "state=***" in text
    assert [row["grantType"] for row in rows] == [None, "authorization_code", None]


def test_token_call_names_account_and_scopes(url: str) -> None:
    answer = requests.post(
        f"{url}/_sandbox/{KEY}/token", json={"account": "ben@example.org", "scopes": "openid email"}, timeout=10
    )

    assert answer.json()["scope"] == "openid https://www.googleapis.com/auth/userinfo.email"
    about = requests.get(
        f"{url}/openidconnect.googleapis.com/v1/userinfo",
        headers={"Authorization": f"Bearer {answer.json()['access_token']}"},
        timeout=10,
    )
    assert about.json()["email"] == "ben@example.org"


@pytest.mark.parametrize(
    "wrong", [{"account": "nobody"}, {"account": 3}, {"scopes": "cars"}, {"scopes": [1]}, {"x": 1}]
)
def test_senseless_token_call_is_refused(url: str, wrong: dict[str, object]) -> None:
    assert requests.post(f"{url}/_sandbox/{KEY}/token", json=wrong, timeout=10).status_code == 422


@pytest.mark.parametrize("key", ["shopify", "dropbox", "facebook", "instagram", "woocommerce"])
@pytest.mark.parametrize("scopes", [1, True, [{}], {"a": 1}])
def test_scopes_of_another_type_are_refused_by_every_platform(url: str, key: str, scopes: object) -> None:
    assert requests.post(f"{url}/_sandbox/{key}/token", json={"scopes": scopes}, timeout=10).status_code == 422


def test_generated_content_is_the_same_for_the_same_seed(ada: requests.Session, url: str) -> None:
    def generated() -> list[dict[str, object]]:
        requests.post(f"{url}/_sandbox/reset", json={}, timeout=10)
        requests.post(f"{url}/_sandbox/{KEY}/generate", json={"count": 120, "seed": 7}, timeout=10)
        state = f"{url}/_sandbox/{KEY}/state"
        page = requests.get(state, params={"collection": "files", "limit": "200"}, timeout=10).json()
        return [{key: file[key] for key in ("id", "name", "mimeType", "parents")} for file in page["data"]]

    first, second = generated(), generated()

    assert len(first) == 120
    assert first == second


@pytest.mark.parametrize(
    "wrong", [{}, {"count": -1}, {"count": "many"}, {"count": 1, "seed": "x"}, {"count": 1, "x": 1}]
)
def test_senseless_generate_call_is_refused(url: str, wrong: dict[str, object]) -> None:
    assert requests.post(f"{url}/_sandbox/{KEY}/generate", json=wrong, timeout=10).status_code == 422


def test_foreign_host_is_refused(url: str) -> None:
    answer = requests.get(f"{url}/_sandbox/", headers={"Host": "evil.example"}, timeout=10)

    assert answer.status_code == 403


@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
)
def test_media_types_that_a_foreign_page_can_send_are_refused(url: str, media_type: str) -> None:
    answer = requests.post(f"{url}/_sandbox/reset", data="{}", headers={"Content-Type": media_type}, timeout=10)

    assert answer.status_code == 415


@pytest.mark.parametrize(("body", "status"), [("{", 400), ("[]", 422), ('{"provider": 3}', 404), ('{"x": 1}', 422)])
def test_bad_body_is_refused(url: str, body: str, status: int) -> None:
    answer = requests.post(f"{url}/_sandbox/reset", data=body, headers={"Content-Type": "application/json"}, timeout=10)

    assert answer.status_code == status
    assert answer.json()["error"]


@pytest.mark.parametrize("path", ["nobody/state", "google-drive", "google-drive/cars", "cars"])
def test_unknown_control_call_is_not_found(url: str, path: str) -> None:
    assert requests.get(f"{url}/_sandbox/{path}", timeout=10).status_code == 404


def test_wrong_method_is_refused(url: str) -> None:
    answer = requests.get(f"{url}/_sandbox/reset", timeout=10)

    assert answer.status_code == 405
    assert answer.headers["Allow"] == "POST"


def test_unknown_host_is_not_found(url: str) -> None:
    assert requests.get(f"{url}/www.example.com/x", timeout=10).status_code == 404


@pytest.mark.parametrize("path", ["/", "/_sandbox"])
def test_short_addresses_lead_to_the_page(url: str, path: str) -> None:
    answer = requests.get(url + path, timeout=10)

    assert urlsplit(answer.url).path == "/_sandbox/"
    assert answer.status_code == 200


def test_no_cookie_is_ever_set(ada: requests.Session, url: str) -> None:
    ada.get(url + FILES, timeout=10)
    ada.get(f"{url}/_sandbox/", timeout=10)

    assert not ada.cookies


def test_restart_keeps_tokens_files_and_ledger(tmp_path: Path) -> None:
    state_path = tmp_path / "sandbox.sqlite"
    with running(state_path=state_path) as url:
        token = requests.post(f"{url}/_sandbox/{KEY}/token", json={}, timeout=10).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        requests.post(url + FILES, json={"name": "kept"}, headers=headers, timeout=10)

    with running(state_path=state_path) as url:
        files = requests.get(url + FILES, headers=headers, timeout=10).json()["files"]
        rows = ledger(url)["requests"]

    assert [file["name"] for file in files] == ["kept"]
    assert [(row["n"], row["method"]) for row in rows] == [(1, "POST"), (2, "GET")]


@pytest.mark.parametrize(("query", "body"), [({"shop": "other"}, {}), ({}, {"shop": "other.myshopify.com"})])
def test_a_shop_may_be_named_in_query_or_body(url: str, query: dict[str, str], body: dict[str, str]) -> None:
    calls = f"{url}/_sandbox/shopify"

    made = requests.post(f"{calls}/generate", params=query, json={"count": 3, "seed": 1, **body}, timeout=10)
    token = requests.post(f"{calls}/token", params=query, json=body, timeout=10).json()["access_token"]
    state = requests.get(f"{calls}/state", params=query, json=body, timeout=10)

    shop = requests.get(
        f"{url}/other.myshopify.com/admin/api/2026-10/shop.json", headers={"X-Shopify-Access-Token": token}, timeout=10
    )
    assert made.json()["shop"] == "other.myshopify.com"
    assert state.json()["collections"]["products"] == 3
    assert shop.status_code == 200
