"""How an app comes by keys: the consent page at `/wc-auth/v1`, the POST of the keys, the way back.

A store posts the keys first and sends the browser back when they were taken; a control call turns that around or loses
the keys, as a slow or walled-in host does. Keys go to loopback alone, over http too, where a real store wants https.
Sources: WooCommerce REST API docs "Auto generating API keys"; class WC_Auth of WooCommerce 11 (read 2026-11-21).
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec
import requests
from werkzeug.wrappers import Request, Response

from sandbox.consent import Ask, Scope, consent_page, decide
from sandbox.grants import is_loopback_redirect
from sandbox.hosts.woocommerce.keys import MANAGER, PERMISSIONS, Keys
from sandbox.hosts.woocommerce.refusals import denied
from sandbox.hosts.woocommerce.stores import Store
from sandbox.store import Document
from sandbox.store import Store as Shelf

AUTHORIZE = "/wc-auth/v1/authorize"
CALLBACK_TIMEOUT_S = 20
_NEEDED = ("app_name", "user_id", "return_url", "callback_url", "scope")
_ALLOWS: dict[str, tuple[str, ...]] = {
    "read": ("View coupons", "View customers", "View orders and sales reports", "View products"),
    "write": ("Create webhooks", "Create coupons", "Create customers", "Create orders", "Create products"),
    "read_write": (
        "Create webhooks",
        "View and manage coupons",
        "View and manage customers",
        "View and manage orders and sales reports",
        "View and manage products",
    ),
}

Order = Literal["keys_first", "browser_first", "keys_lost"]


class Manner(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a store hands keys over; with `browser_first` they follow after so many seconds."""

    order: Order = "keys_first"
    seconds: float = 1.0


@dataclass(frozen=True, slots=True)
class _Terms:
    """What the app asked for, checked."""

    app_name: str
    user_id: str
    return_url: str
    callback_url: str
    scope: str

    def way_back(self, *, is_success: bool) -> Response:
        """The redirect to the app, its own query kept."""
        parts = urlsplit(self.return_url)
        own = dict(parse_qsl(parts.query, keep_blank_values=True))
        query = urlencode(own | {"success": str(int(is_success)), "user_id": self.user_id})
        return Response(status=302, headers={"Location": parts._replace(query=query).geturl()})


def origin_of(address: str) -> str:
    """Scheme, host and port of a web address; the names of this machine count as one."""
    parts = urlsplit(address)
    host = "localhost" if parts.hostname in ("127.0.0.1", "::1") else parts.hostname
    return f"{parts.scheme}://{host}:{parts.port or (443 if parts.scheme == 'https' else 80)}"


class NotTaken(Exception):
    """The app did not take the keys; the text says why."""


class Handover:
    """Asks the owner and hands over the keys."""

    def __init__(self, shelf: Shelf, keys: Keys) -> None:
        self._shelf, self._keys = shelf, keys

    def behave(self, store: Store, manner: Manner) -> None:
        """Hand keys over in this manner from now on."""
        self._shelf.put("manners", store.key, msgspec.to_builtins(manner))

    def authorize(self, store: Store, request: Request) -> Response:
        """The consent page; after the answer the keys, and the way back."""
        checked = _terms_of(request.args)
        if isinstance(checked, Response):
            return checked
        ask = Ask(
            store.name,
            checked.app_name,
            [Scope(f"{checked.scope}: {number}", text) for number, text in enumerate(_ALLOWS[checked.scope], 1)],
            [(MANAGER, f"Ada, who runs {store.name}"), ("customer", f"Cleo, a customer of {store.name}")],
        )
        decision = decide(request, ask)
        if decision is None:
            return consent_page(ask)
        if decision.account != MANAGER:
            return denied("You do not have permission to access this page")
        return self._granted(store, checked) if decision.is_allowed else checked.way_back(is_success=False)

    def _granted(self, store: Store, terms: _Terms) -> Response:
        made = self._keys.make(store, terms.app_name, terms.scope, app_origin=origin_of(terms.callback_url))
        body = {"key_id": made["key_id"], "user_id": terms.user_id} | made
        manner = msgspec.convert(self._shelf.get("manners", store.key) or {}, Manner)
        if manner.order == "browser_first":
            late = threading.Timer(manner.seconds, self._hand_over_late, (store, terms.callback_url, body))
            late.daemon = True
            late.start()
        elif manner.order == "keys_first":
            try:
                self._hand_over(store, terms.callback_url, body)
            except NotTaken as failure:
                return denied(str(failure))
        return terms.way_back(is_success=True)

    def _hand_over_late(self, store: Store, address: str, body: Document) -> None:
        try:
            self._hand_over(store, address, body)
        except NotTaken:
            return  # the browser is long gone, and the key with it

    def _hand_over(self, store: Store, address: str, body: Document) -> None:
        """Post the keys; what is not answered with 200 takes the key back. Raises NotTaken."""
        headers = {
            "Content-Type": "application/json;charset=UTF-8",
            "User-Agent": f"WordPress/7.0.1; {store.home}",
        }
        try:
            _post(address, msgspec.json.encode(body), headers)
        except NotTaken:
            self._keys.delete(store, str(body["consumer_key"]))
            raise


def _post(address: str, body: bytes, headers: Mapping[str, str]) -> None:
    try:
        answer = requests.post(address, data=body, headers=headers, timeout=CALLBACK_TIMEOUT_S, allow_redirects=False)
    except requests.Timeout:
        raise NotTaken("cURL error 28: Operation timed out") from None
    except requests.RequestException:
        raise NotTaken("cURL error 7: Failed to connect to the callback address") from None
    if answer.status_code != 200:
        raise NotTaken("An error occurred in the request and at the time were unable to send the consumer data")


def _terms_of(values: Mapping[str, str]) -> _Terms | Response:
    """What the app asks for; the page that refuses it where it makes no sense."""
    for name in _NEEDED:
        if not values.get(name):
            return denied(f"Missing parameter {name}")
    terms = _Terms(**{name: values[name] for name in _NEEDED})
    if terms.scope not in PERMISSIONS:
        return denied(f"Invalid scope {terms.scope}")
    for address in (terms.return_url, terms.callback_url):
        if not _is_address(address):
            return denied(f"The {address} is not a valid URL")
    if not terms.callback_url.lower().startswith("https://") and not is_loopback_redirect(terms.callback_url):
        return denied("The callback_url needs to be over SSL")
    if not is_loopback_redirect(terms.callback_url) or not is_loopback_redirect(terms.return_url):
        return denied("A valid URL was not provided")  # nothing of the sandbox leaves the machine
    return terms


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and text.isprintable()
