"""Webhooks as Etsy sends them: thin events about orders, signed in the Standard Webhooks manner.

Sources: developers.etsy.com "Webhooks" and etsy/open-api discussions #1509 and #1564 (read 2026-11-21); `v1,` before a
signature is the Standard Webhooks form. Endpoints are registered by hand in Etsy's portal, so a control call does it
here. Retries (at once, 5 s, 5 min and on) are not waited for: a control call with the same id is one.
"""

import base64
import hashlib
import hmac
import http.client
import secrets
import time
from typing import Final
from urllib.parse import urlsplit

import msgspec

from sandbox.grants import is_loopback_redirect
from sandbox.hosts.etsy.sellers import Shop
from sandbox.platform import ControlRefused
from sandbox.store import Document, Store

EVENTS: Final = ("order.paid", "order.canceled", "order.shipped", "order.delivered")
_PREFIX: Final = "whsec_"
_TIMEOUT_S: Final = 5


class Webhooks:
    """The endpoints of an app's portal, and the sending of events to them."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def register(self, wanted: Document) -> Document:
        """Note an endpoint on this machine; the answer has its secret, new unless given. Raises ControlRefused."""
        url = wanted.get("url")
        secret = wanted.get("secret") or _PREFIX + base64.b64encode(secrets.token_bytes(24)).decode()
        if set(wanted) - {"url", "secret"} or not isinstance(url, str) or not is_loopback_redirect(url):
            raise ControlRefused("webhooks takes url, which must be on this machine, and secret")
        if not isinstance(secret, str) or _key(secret) is None:
            raise ControlRefused(f"secret must be {_PREFIX} and base64")
        endpoint = {"id": str(self._store.next_number("webhook")), "url": url, "secret": secret}
        self._store.put("webhooks", endpoint["id"], endpoint)
        return endpoint

    def send(self, shop: Shop, wanted: Document) -> Document:
        """Tell every endpoint of an event; `id` repeats an earlier one. Answers the id and each status (0: none)."""
        event, message_id = wanted.get("event"), wanted.get("id") or f"msg_{secrets.token_urlsafe(18)}"
        if set(wanted) - {"event", "id", "shop"} or event not in EVENTS or not isinstance(message_id, str):
            raise ControlRefused(f"events takes event ({', '.join(EVENTS)}), id and shop")
        number = 3_000_000_000 + self._store.next_number("receipt")
        resource = f"https://openapi.etsy.com/v3/application/shops/{shop.shop_id}/receipts/{number}"
        body = msgspec.json.encode({"event_type": event, "resource_url": resource, "shop_id": shop.shop_id})
        statuses = [_post(endpoint, message_id, body) for _, endpoint in self._store.each("webhooks")]
        return {"id": message_id, "statuses": statuses}


def _post(endpoint: Document, message_id: str, body: bytes) -> int:
    moment = str(int(time.time()))
    signed = f"{message_id}.{moment}.".encode() + body
    signature = base64.b64encode(hmac.new(_key(endpoint["secret"]) or b"", signed, hashlib.sha256).digest()).decode()
    headers = {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": moment,
        "webhook-signature": f"v1,{signature}",
    }
    parts = urlsplit(endpoint["url"])
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=_TIMEOUT_S)
    try:
        connection.request("POST", parts.path + (f"?{parts.query}" if parts.query else ""), body, headers)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


def _key(secret: str) -> bytes | None:
    """The bytes behind a secret, None for what is none."""
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True) if secret.startswith(_PREFIX) else None
    except ValueError:
        return None
