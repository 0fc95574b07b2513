"""A hub behind a reverse proxy, at a public https address: client, scheme and host are what the proxy says they are."""

import re
from collections.abc import Iterator, Mapping

import pytest
import requests
from sqlalchemy import select

from patchbay.models import AuditEntry, db
from tests.journeys.hubs import Hub, Person

PUBLIC = "https://patchbay.example.org"
FORWARDED = {
    "Host": "127.0.0.1",
    "X-Forwarded-For": "198.51.100.66, 203.0.113.9",  # the first is what the client made up
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "patchbay.example.org",
}


@pytest.fixture(scope="module")
def _running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    home = tmp_path_factory.mktemp("proxied") / "home"
    live = {"SHOPIFY_CLIENT_ID": "live-id", "SHOPIFY_CLIENT_SECRET": "live-secret"}
    hub = Hub(home, PUBLIC_URL=PUBLIC, TRUSTED_PROXIES="1", WORKERS="1", **live)
    try:
        yield hub.start(PUBLIC)
    finally:
        hub.close()


@pytest.fixture
def hub(_running: Hub) -> Hub:
    """The hub behind the proxy; it has no sandbox."""
    return _running


def test_the_cookie_is_for_this_host_over_https_alone(hub: Hub) -> None:
    answer = _get(hub, "/login")

    cookie = answer.headers["Set-Cookie"]
    assert answer.status_code == 200
    assert cookie.startswith("__Host-patchbay=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= {part.strip() for part in cookie.split(";")}
    assert "Domain=" not in cookie


def test_the_clients_address_is_the_one_that_the_proxy_saw(hub: Hub, ada: Person) -> None:
    answer = ada.call("GET", "/api/integrations/list", headers=FORWARDED)

    with hub.app.app_context():
        seen = set(db.session.scalars(select(AuditEntry.address).where(AuditEntry.user_id == ada.user_id)))
    assert answer.status_code == 200
    assert "203.0.113.9" in seen
    assert "198.51.100.66" not in seen


def test_links_that_leave_the_hub_carry_the_public_address(hub: Hub, ada: Person) -> None:
    body = {"integrationId": "shopify", "settings": {"shop": "northwind"}}

    address = ada.call("POST", "/api/integrations/connect", json=body, headers=FORWARDED).json()["authUrl"]

    assert address.startswith("https://northwind.myshopify.com/admin/oauth/authorize?")
    assert "redirect_uri=https%3A%2F%2Fpatchbay.example.org%2Fintegrations%2Fcallback" in address
    assert "live-secret" not in address


def test_the_sign_in_form_works_over_https_and_not_from_the_http_twin(hub: Hub) -> None:
    page = _get(hub, "/login")
    cookie = page.headers["Set-Cookie"].split(";")[0]
    csrf = re.search(r'name="csrf-token" content="([^"]+)"', page.text)
    assert csrf
    form = {"email": "nobody@example.org", "password": "no such password", "csrf_token": csrf[1]}

    of_ours = _post(hub, form, {"Cookie": cookie, "Origin": PUBLIC})
    of_http = _post(hub, form, {"Cookie": cookie, "Origin": PUBLIC.replace("https", "http")})

    assert of_ours.status_code in {401, 422}
    assert of_http.status_code == 403


def test_a_foreign_host_is_refused_though_the_proxy_hands_it_on(hub: Hub, ada: Person) -> None:
    forwarded = ada.call("GET", "/integrations", headers={**FORWARDED, "X-Forwarded-Host": "evil.example"})
    direct = ada.call("GET", "/integrations", headers={"Host": "evil.example"})

    assert forwarded.status_code == 400
    assert direct.status_code == 400


def test_there_is_no_demo_account_and_no_sandbox(hub: Hub, ada: Person) -> None:
    assert "demo@patchbay.local" not in "\n".join(hub.lines)
    assert "Continue as the demo user" not in _get(hub, "/login").text
    assert ada.card("google-drive")["state"] == "not_configured"


def _get(hub: Hub, path: str) -> requests.Response:
    return requests.get(f"{hub.url}{path}", headers=FORWARDED, allow_redirects=False, timeout=30)


def _post(hub: Hub, form: Mapping[str, str], headers: Mapping[str, str]) -> requests.Response:
    return requests.post(
        f"{hub.url}/login", data=form, headers={**FORWARDED, **headers}, allow_redirects=False, timeout=30
    )
