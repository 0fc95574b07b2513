"""Connecting an app to a shop: the authorize page, the signed way back, tokens that expire, rotate and end."""

import hashlib
import hmac
import re
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import requests

from tests.sandbox.shopify_shop import DEMO, Shop

APP = {"client_id": "sandbox-shopify", "client_secret": "sandbox-secret-shopify"}
OTHER = {"client_id": "other-shopify", "client_secret": "other-secret-shopify"}
BACK = "http://127.0.0.1:8000/integrations/callback"


def authorize(url: str, **changed: str | None) -> requests.Response:
    query = {
        "client_id": APP["client_id"],
        "scope": "read_products,write_products,write_files",
        "redirect_uri": BACK,
        "state": "nonce-1",
        "sandbox_consent": "allow",
    }
    shop = changed.pop("shop", DEMO)
    wanted = {name: value for name, value in {**query, **changed}.items() if value is not None}
    return requests.get(f"{url}/{shop}/admin/oauth/authorize?{urlencode(wanted)}", allow_redirects=False, timeout=10)


def callback(answer: requests.Response) -> dict[str, str]:
    assert answer.status_code == 302, answer.text
    return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))


def exchange(url: str, shop: str = DEMO, **fields: str) -> requests.Response:
    return requests.post(f"{url}/{shop}/admin/oauth/access_token", data={**APP, **fields}, timeout=10)


def status_with(url: str, token: str, shop: str = DEMO) -> int:
    headers = {"X-Shopify-Access-Token": token}
    return requests.get(f"{url}/{shop}/admin/api/2026-10/shop.json", headers=headers, timeout=10).status_code


def connected(url: str, **fields: str) -> dict[str, Any]:
    found = exchange(url, code=callback(authorize(url))["code"], **fields)
    assert found.status_code == 200, found.text
    answer: dict[str, Any] = found.json()
    return answer


def test_the_way_back_is_signed(url: str) -> None:
    query = callback(authorize(url))

    signed = "&".join(f"{name}={value}" for name, value in sorted(query.items()) if name != "hmac")
    wanted = hmac.new(APP["client_secret"].encode(), signed.encode(), hashlib.sha256).hexdigest()
    assert query["hmac"] == wanted
    assert query["shop"] == DEMO
    assert query["state"] == "nonce-1"
    assert query["timestamp"].isdigit()
    assert query["host"]


def test_a_refusal_comes_back_signed_and_without_code(url: str) -> None:
    query = callback(authorize(url, sandbox_consent="deny"))

    assert query["error"] == "access_denied"
    assert "code" not in query
    assert query["hmac"]


def test_the_consent_page_asks_and_answers_as_a_plain_form(url: str) -> None:
    page = authorize(url, sandbox_consent=None)

    answer = requests.post(page.url, data={"decision": "allow"}, allow_redirects=False, timeout=10)

    assert "Edit products" in page.text
    assert callback(answer)["code"]


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"client_id": "nobody"}, "application_cannot_be_found"),
        ({"redirect_uri": "https://evil.example/callback"}, "whitelisted"),
        ({"scope": "read_everything"}, "read_everything"),
    ],
)
def test_what_shopify_would_not_redirect_is_a_page(url: str, changed: dict[str, str | None], word: str) -> None:
    answer = authorize(url, **changed)

    assert answer.status_code == 400
    assert word in answer.text


@pytest.mark.parametrize("shop", ["-shop.myshopify.com", "a.b.myshopify.com", "sh_op.myshopify.com"])
def test_only_proper_shop_names_exist(url: str, shop: str) -> None:
    answer = authorize(url, shop=shop)

    assert answer.status_code == 404


def test_a_token_without_end_has_neither_expiry_nor_refresh(url: str) -> None:
    answer = connected(url)

    assert set(answer) == {"access_token", "scope"}
    assert answer["access_token"].startswith("shpat_")
    assert answer["scope"] == "write_products,write_files"


def test_an_expiring_token_lives_an_hour_and_its_refresh_ninety_days(url: str) -> None:
    answer = connected(url, expiring="1")

    assert answer["expires_in"] == 3600
    assert answer["refresh_token_expires_in"] == 7_776_000
    assert answer["refresh_token"].startswith("shprt_")


def test_a_code_works_once(url: str) -> None:
    code = callback(authorize(url))["code"]
    first = exchange(url, code=code)

    second = exchange(url, code=code)

    assert second.status_code == 400
    assert second.json()["error"] == "invalid_request"
    assert status_with(url, first.json()["access_token"]) == 401


def test_a_code_is_bound_to_app_and_shop(url: str) -> None:
    other_app = exchange(url, code=callback(authorize(url))["code"], **OTHER)
    other_shop = exchange(url, "other-shop.myshopify.com", code=callback(authorize(url))["code"])

    assert (other_app.status_code, other_shop.status_code) == (400, 400)


def test_a_wrong_secret_is_refused(url: str) -> None:
    answer = exchange(url, code=callback(authorize(url))["code"], client_secret="guess")

    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_client"


def test_a_new_grant_ends_the_earlier_expiring_token_of_the_same_shop(url: str) -> None:
    first = connected(url, expiring="1")
    elsewhere = Shop(url, "other-shop.myshopify.com").token
    lasting = connected(url)

    second = connected(url, expiring="1")

    assert status_with(url, first["access_token"]) == 401
    assert status_with(url, second["access_token"]) == 200
    assert status_with(url, lasting["access_token"]) == 200
    assert status_with(url, elsewhere["access_token"], "other-shop.myshopify.com") == 200


def test_a_refresh_rotates_and_ends_the_old_access_token(url: str) -> None:
    first = connected(url, expiring="1")

    second = exchange(url, grant_type="refresh_token", refresh_token=first["refresh_token"]).json()

    assert second["refresh_token"] != first["refresh_token"]
    assert status_with(url, first["access_token"]) == 401
    assert status_with(url, second["access_token"]) == 200


def test_a_used_refresh_token_works_until_its_replacement_is_used(url: str) -> None:
    first = connected(url, expiring="1")["refresh_token"]
    lost = exchange(url, grant_type="refresh_token", refresh_token=first)

    retried = exchange(url, grant_type="refresh_token", refresh_token=first)
    following = exchange(url, grant_type="refresh_token", refresh_token=retried.json()["refresh_token"])
    too_late = exchange(url, grant_type="refresh_token", refresh_token=first)

    assert [answer.status_code for answer in (lost, retried, following)] == [200, 200, 200]
    assert too_late.status_code == 400
    assert too_late.json()["error"] == "invalid_grant"


def test_a_refresh_token_is_bound_to_its_shop(url: str) -> None:
    token = connected(url, expiring="1")["refresh_token"]

    answer = exchange(url, "other-shop.myshopify.com", grant_type="refresh_token", refresh_token=token)

    assert answer.json()["error"] == "invalid_grant"


def test_a_token_of_one_shop_opens_no_other(url: str) -> None:
    token = Shop(url).token["access_token"]

    answer = requests.get(
        f"{url}/other-shop.myshopify.com/admin/api/2026-10/shop.json",
        headers={"X-Shopify-Access-Token": token},
        timeout=10,
    )

    assert answer.status_code == 401
    assert answer.json()["errors"].startswith("[API] Invalid API key or access token")


@pytest.mark.parametrize("path", ["api_permissions", "graphql"])
def test_uninstalling_ends_all_tokens_of_the_app_at_the_shop(url: str, path: str) -> None:
    shop, lasting = Shop(url), Shop(url, expiring=False)

    if path == "graphql":
        shop.ask("mutation {appUninstall {app {title} userErrors {message}}}")
    else:
        shop.request("DELETE", "/admin/api_permissions/current.json")

    assert shop.rest("GET", "shop.json").status_code == 401
    assert lasting.rest("GET", "shop.json").status_code == 401


def test_the_ledger_shows_grant_types_and_no_secret(url: str) -> None:
    token = connected(url, expiring="1")
    exchange(url, grant_type="refresh_token", refresh_token=token["refresh_token"])

    rows = requests.get(f"{url}/_sandbox/shopify/requests", timeout=10).json()["requests"]

    assert [row["grantType"] for row in rows] == [None, "authorization_code", "refresh_token"]
    assert {row["account"] for row in rows} == {DEMO}
    assert not re.search("shprt_|sandbox-secret", str(rows))


def test_expired_tokens_can_be_refreshed_and_revoked_ones_cannot(url: str) -> None:
    shop = Shop(url)
    shop.control("POST", "faults", json={"kind": "expired_token"})
    expired = shop.rest("GET", "shop.json").status_code

    renewed = exchange(url, grant_type="refresh_token", refresh_token=shop.token["refresh_token"])
    shop.control("POST", "faults", json={"kind": "revoked_grant"})
    revoked = exchange(url, grant_type="refresh_token", refresh_token=renewed.json()["refresh_token"])

    assert (expired, renewed.status_code, revoked.status_code) == (401, 200, 400)
