"""Callbacks forged, stolen, replayed, kept too long; requests from other sites; pictures from inside our walls."""

import hashlib
import hmac
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit, urlunsplit

import pytest
import requests

from patchbay import clock
from patchbay.models import PendingAuthorization, transaction
from tests.journeys.hubs import Browser, Hub, Person
from tests.journeys.pictures import mockup_of

NOT_VERIFIED = "We could not verify this sign-in."


@pytest.fixture
def query(hub: Hub, ada: Person) -> dict[str, str]:
    """What the shop sends Ada's browser back with, not used yet."""
    return hub.sandbox.consent(ada.leave("shopify", shop=_shop_of(ada)))


@pytest.mark.parametrize("field", ["hmac", "shop", "code", "timestamp", "state"])
def test_a_callback_that_was_tampered_with_connects_nothing(
    hub: Hub, ada: Person, query: dict[str, str], field: str
) -> None:
    spoilt = {"shop": "other.myshopify.com"}.get(field, query[field][:-1] + ("0" if query[field][-1] != "0" else "1"))
    exchanged_before = _exchanges(hub, ada)

    answer = ada.come_back({**query, field: spoilt})

    assert answer.status_code == 400
    assert answer.json()["success"] is False
    _assert_nothing_connected(hub, ada, exchanged_before)


@pytest.mark.parametrize("field", ["hmac", "code", "state", "shop"])
def test_a_callback_that_lacks_a_part_connects_nothing(
    hub: Hub, ada: Person, query: dict[str, str], field: str
) -> None:
    exchanged_before = _exchanges(hub, ada)

    answer = ada.come_back({name: text for name, text in query.items() if name != field})

    assert answer.status_code == 400
    _assert_nothing_connected(hub, ada, exchanged_before)


def test_a_signature_for_another_shop_made_by_another_app_connects_nothing(
    hub: Hub, ada: Person, query: dict[str, str]
) -> None:
    unsigned = {name: text for name, text in query.items() if name != "hmac"}
    words = "&".join(f"{name}={text}" for name, text in sorted(unsigned.items()))
    forged = hmac.new(b"other-secret-shopify", words.encode(), hashlib.sha256).hexdigest()
    exchanged_before = _exchanges(hub, ada)

    answer = ada.come_back({**unsigned, "hmac": forged})

    assert answer.status_code == 400
    _assert_nothing_connected(hub, ada, exchanged_before)


def test_a_callback_that_another_user_began_connects_nothing(
    hub: Hub, ada: Person, newcomer: Callable[[], Person], query: dict[str, str]
) -> None:
    mallory = newcomer()
    exchanged_before = _exchanges(hub, ada)

    answer = mallory.come_back(query)

    assert answer.status_code == 400
    assert mallory.card("shopify")["isConnected"] is False
    assert _exchanges(hub, ada) == exchanged_before
    assert ada.come_back(query).status_code == 200, "Ada's own sign-in is still good"


def test_a_callback_in_another_session_of_the_same_user_connects_nothing(hub: Hub, ada: Person) -> None:
    here, elsewhere = Browser(ada), Browser(ada)
    query = hub.sandbox.consent(_leave_in(here, _shop_of(ada)))
    exchanged_before = _exchanges(hub, ada)

    answer = elsewhere.call("GET", "/integrations/callback", params=query)
    shown = elsewhere.call("GET", answer.headers["Location"])

    assert answer.status_code == 303
    assert query["code"] not in answer.headers["Location"]
    assert query["state"] not in answer.headers["Location"]
    assert shown.status_code == 400
    assert NOT_VERIFIED in shown.text
    _assert_nothing_connected(hub, ada, exchanged_before)


def test_a_callback_with_nobody_signed_in_connects_nothing_and_uses_the_state_up(
    hub: Hub, ada: Person, query: dict[str, str]
) -> None:
    exchanged_before = _exchanges(hub, ada)

    answer = requests.get(
        f"{hub.url}/integrations/callback", params=query, headers={"Accept": "application/json"}, timeout=30
    )

    assert answer.status_code == 401
    assert ada.come_back(query).status_code == 400
    _assert_nothing_connected(hub, ada, exchanged_before)


def test_a_replayed_callback_exchanges_nothing_a_second_time(hub: Hub, ada: Person, query: dict[str, str]) -> None:
    exchanged_before = _exchanges(hub, ada)

    first, second = ada.come_back(query), ada.come_back(query)
    ada.asked("POST", "/api/integrations/disconnect", json={"integrationId": "shopify"})
    after_disconnecting = ada.come_back(query)

    assert first.status_code == second.status_code == 200
    assert _exchanges(hub, ada) == exchanged_before + 1
    assert after_disconnecting.status_code == 400
    assert ada.card("shopify")["isConnected"] is False


def test_a_callback_after_ten_minutes_says_that_it_took_too_long(hub: Hub, ada: Person) -> None:
    browser = Browser(ada)
    query = hub.sandbox.consent(_leave_in(browser, _shop_of(ada)))
    exchanged_before = _exchanges(hub, ada)
    with hub.app.app_context(), transaction() as session:
        session.query(PendingAuthorization).filter_by(user_id=ada.user_id).update(
            {"expires_at": clock.now() - timedelta(seconds=1)}
        )

    answer = browser.call("GET", "/integrations/callback", params=query)
    shown = browser.call("GET", answer.headers["Location"])

    assert shown.status_code == 400
    assert "This sign-in took longer than 10 minutes and has expired." in shown.text
    _assert_nothing_connected(hub, ada, exchanged_before)


@pytest.mark.parametrize(
    ("integration", "settings"),
    [
        ("shopify", {"shop": "mix-up"}),
        *((name, {}) for name in ("google-drive", "etsy", "figma", "canva", "dropbox", "instagram", "facebook")),
    ],
)
def test_a_code_of_another_app_connects_nothing(
    hub: Hub, ada: Person, integration: str, settings: dict[str, str]
) -> None:
    address = ada.leave(integration, **settings)
    others = hub.sandbox.consent(address.replace(f"sandbox-{integration}", f"other-{integration}"))

    answer = ada.come_back(others)

    assert answer.status_code in {400, 502}
    assert ada.card(integration)["isConnected"] is False


def test_the_drive_code_needs_the_verifier_that_only_we_have(hub: Hub, ada: Person) -> None:
    address = urlsplit(ada.leave("google-drive"))
    asked = dict(parse_qsl(address.query))
    foreign = hashlib.sha256(b"a verifier of the attacker").hexdigest()[:43]
    swapped = urlunsplit(address._replace(query=address.query.replace(asked["code_challenge"], foreign)))

    answer = ada.come_back(hub.sandbox.consent(swapped))

    assert asked["code_challenge_method"] == "S256"
    assert answer.status_code == 502
    assert ada.card("google-drive")["isConnected"] is False


@pytest.mark.parametrize(
    "shop", ["evil.com", "a.myshopify.com.evil.com", "a.myshopify.com@evil.com", "-x", "a b", "x..y", "x/../y"]
)
def test_a_shop_that_is_no_shop_is_refused_before_anything_leaves(hub: Hub, ada: Person, shop: str) -> None:
    body = {"integrationId": "shopify", "settings": {"shop": shop}}

    answer = ada.call("POST", "/api/integrations/connect", json=body)

    assert answer.status_code == 422
    assert "authUrl" not in answer.text


def test_a_foreign_host_is_refused_on_pages_and_calls(hub: Hub, ada: Person) -> None:
    for path in ("/integrations", "/api/integrations/list", "/health", "/static/app.css"):
        answer = ada.call("GET", path, headers={"Host": "evil.example"})
        assert answer.status_code == 400, path
        assert "evil.example" not in answer.headers.get("Location", "")


def test_a_forwarded_header_counts_for_nothing_without_trusted_proxies(hub: Hub, ada: Person) -> None:
    spoofed = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"}

    address = ada.call("POST", "/api/integrations/connect", json=_CONNECT, headers=spoofed).json()["authUrl"]

    assert "evil.example" not in address
    assert dict(parse_qsl(urlsplit(address).query))["redirect_uri"].startswith(hub.url)


@pytest.mark.parametrize(
    "headers",
    [
        {"X-CSRF-Token": ""},
        {"X-CSRF-Token": "guessed"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
    ids=str,
)
def test_a_post_from_another_site_changes_nothing(hub: Hub, ada: Person, headers: dict[str, str]) -> None:
    ada.connect("shopify", shop=f"kept-{ada.user_id[-8:]}")
    browser = Browser(ada)

    refused = [
        browser.call("POST", "/api/integrations/disconnect", json={"integrationId": "shopify"}, headers=headers),
        browser.call("POST", "/integrations/shopify/disconnect", headers=headers),
        browser.call("POST", "/logout", headers=headers),
    ]

    assert [answer.status_code for answer in refused] == [403, 403, 403]
    assert ada.card("shopify")["isConnected"] is True
    assert browser.call("GET", "/keys").status_code == 200


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:{trap}/x.png", "https://127.0.0.1:{trap}/x.png", "https://localhost:{trap}/x.png",
        "https://localhost.:{trap}/x.png", "https://[::1]:{trap}/x.png", "https://[::ffff:127.0.0.1]:{trap}/x.png",
        "https://2130706433:{trap}/x.png", "https://0x7f.1:{trap}/x.png", "https://0177.0.0.1:{trap}/x.png",
        "https://127.1:{trap}/x.png", "https://0.0.0.0:{trap}/x.png", "https://a@127.0.0.1:{trap}/x.png",
        "https://１２７.0.0.1:{trap}/x.png", "https://169.254.169.254/latest/meta-data/", "https://10.0.0.1/x.png",
        "https://[fd00:ec2::254]/x.png", "file:///etc/passwd", "gopher://127.0.0.1:{trap}/", "//127.0.0.1:{trap}/x",
        "{hub}/health", "{hub}/api/keys", "{hub}/assets/../api/keys", "{hub}/assets/made-up.png", "{sandbox}/_sandbox/",
    ],
)  # fmt: skip
def test_a_picture_address_inside_our_walls_is_never_asked(
    hub: Hub, target: Person, trap: tuple[int, list[object]], address: str
) -> None:
    port, callers = trap
    filled = address.format(trap=port, hub=hub.url, sandbox=hub.sandbox.url)

    answer = target.sync("shopify", "publish_mockup", productId="1", mockupUrls=[filled])

    assert answer.status_code == 422, answer.text
    assert set(answer.json()["fields"]) == {"mockupUrls"}
    assert callers == []
    assert target.asked("GET", "/api/runs")["data"] == []


def test_a_link_to_anothers_picture_is_no_picture_of_mine(hub: Hub, ada: Person, target: Person) -> None:
    answer = target.sync("shopify", "publish_mockup", productId="1", mockupUrls=[mockup_of(ada)["url"]])

    assert answer.status_code == 422


@pytest.fixture(scope="module")
def target(_running: Hub) -> Person:
    """Somebody with a connected shop."""
    person = _running.newcomer()
    person.connect("shopify", shop="walled")
    return person


@pytest.fixture(scope="module")
def trap() -> Iterator[tuple[int, list[object]]]:
    """A port on all of this machine's own addresses, and who has called there."""
    callers: list[object] = []
    with socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as listening:

        def accept() -> None:
            while True:
                try:
                    connection, caller = listening.accept()
                except OSError:
                    return
                callers.append(caller)
                connection.close()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield listening.getsockname()[1], callers
        listening.shutdown(socket.SHUT_RDWR)
        thread.join(5)


_CONNECT = {"integrationId": "shopify", "settings": {"shop": "target"}}


def _leave_in(browser: Browser, shop: str) -> str:
    answer = browser.call(
        "POST", "/api/integrations/connect", json={"integrationId": "shopify", "settings": {"shop": shop}}
    )
    return str(answer.json()["authUrl"])


def _shop_of(person: Person) -> str:
    return f"shop-{person.user_id[-8:]}"


def _exchanges(hub: Hub, person: Person) -> int:
    """How often a code was exchanged for that person's shop."""
    host = f"{_shop_of(person)}.myshopify.com"
    return len(hub.sandbox.received("shopify", host=host, path="/admin/oauth/access_token"))


def _assert_nothing_connected(hub: Hub, person: Person, exchanged_before: int) -> None:
    assert person.card("shopify")["isConnected"] is False
    assert _exchanges(hub, person) == exchanged_before
