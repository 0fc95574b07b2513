"""Lifetimes of tokens: shorter than the platform's own where a control call says so."""

import time

import pytest
import requests

TOKEN_URLS = {
    "shopify": "demo-shop.myshopify.com/admin/oauth/access_token",
    "etsy": "api.etsy.com/v3/public/oauth/token",
}


def control(url: str, call: str, **wanted: object) -> requests.Response:
    return requests.post(f"{url}/_sandbox/{call}", json=wanted, timeout=10)


def refreshed(url: str, provider: str, refresh_token: str) -> requests.Response:
    form = {
        "grant_type": "refresh_token",
        "client_id": f"sandbox-{provider}",
        "client_secret": f"sandbox-secret-{provider}",
        "refresh_token": refresh_token,
    }
    return requests.post(f"{url}/{TOKEN_URLS[provider]}", data=form, timeout=10)


@pytest.mark.parametrize("provider", ["shopify", "etsy", "canva", "google-drive", "figma", "dropbox"])
def test_access_tokens_live_as_long_as_was_said(url: str, provider: str) -> None:
    own = control(url, f"{provider}/token").json()["expires_in"]

    control(url, f"{provider}/lifetimes", accessSeconds=5)
    short = control(url, f"{provider}/token").json()["expires_in"]
    control(url, f"{provider}/lifetimes")
    again = control(url, f"{provider}/token").json()["expires_in"]

    assert (short, again) == (5, own)


def test_a_refresh_token_ends_when_it_was_said(url: str) -> None:
    control(url, "shopify/lifetimes", refreshSeconds=0.2)
    refresh_token = control(url, "shopify/token").json()["refresh_token"]
    time.sleep(0.3)

    assert refreshed(url, "shopify", refresh_token).status_code == 400


@pytest.mark.parametrize("provider", ["shopify", "etsy"])
def test_a_refresh_token_of_one_use_is_refused_when_it_comes_back(url: str, provider: str) -> None:
    refresh_token = control(url, f"{provider}/token").json()["refresh_token"]
    graceful = [refreshed(url, provider, refresh_token).status_code for _ in range(2)]

    control(url, f"{provider}/lifetimes", oneUse=True)
    strict = [refreshed(url, provider, control(url, f"{provider}/token").json()["refresh_token"]).status_code]
    strict.append(refreshed(url, provider, refresh_token).status_code)

    assert graceful == [200, 200]
    assert strict == [200, 400]


@pytest.mark.parametrize("wrong", [{"accessSeconds": 0}, {"accessSeconds": "long"}, {"else": 1}])
def test_senseless_lifetimes_are_refused(url: str, wrong: dict[str, object]) -> None:
    assert control(url, "shopify/lifetimes", **wrong).status_code == 422


def test_keys_have_no_lifetime(url: str) -> None:
    assert control(url, "woocommerce/lifetimes", accessSeconds=5).status_code == 404
