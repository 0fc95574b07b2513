"""REST API keys of a store: made, looked up by a request's credentials, asked what they may do, deleted.

How an app comes by one is in `handover`. Source: WooCommerce REST API docs "Authentication over HTTPS" and the class
WC_REST_Authentication of WooCommerce 11 (read 2026-11-21).
"""

import hmac
import secrets
from dataclasses import dataclass, field

from werkzeug.wrappers import Request

from sandbox.grants import digest_of
from sandbox.hosts.woocommerce.refusals import Refused
from sandbox.hosts.woocommerce.stores import Store, now_text
from sandbox.store import Document
from sandbox.store import Store as Shelf

PERMISSIONS = ("read", "write", "read_write")
MANAGER = "administrator"
ROLES = (MANAGER, "shop_manager", "customer")
_READING = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: the WordPress user behind a key, or nobody."""

    key_id: int = 0
    permissions: str = ""
    role: str = ""
    app_origin: str | None = None

    @property
    def is_known(self) -> bool:
        """Whether there is a key at all."""
        return self.key_id > 0

    def demand_role(self, code: str, text: str) -> None:
        """Raise 401 for nobody, 403 for a user who has no part in running the shop."""
        if self.role not in ROLES[:2]:
            raise Refused(403 if self.is_known else 401, code, text)


@dataclass(frozen=True, slots=True)
class Credentials:
    """A consumer key with its secret, as a request carries them."""

    key: str
    secret: str = field(repr=False)


class Keys:
    """All keys of all stores; the secrets are kept as digests only."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def make(self, store: Store, app_name: str, permissions: str, **user: str) -> Document:
        """A new key as the store hands it over, without `user_id`. `user`: `role`, and `app_origin` where known."""
        number = self._shelf.next_number(f"keys|{store.key}")
        key, secret = f"ck_{secrets.token_hex(20)}", f"cs_{secrets.token_hex(20)}"
        kept = {
            "key_id": number,
            "description": f"{app_name[:170]} - API ({now_text().replace('T', ' ')})",
            "permissions": permissions,
            "truncated_key": key[-7:],
            "secret": digest_of(secret),
            "role": MANAGER,
        }
        self._shelf.put("keys", _place(store, key), kept | user)
        return {"key_id": number, "consumer_key": key, "consumer_secret": secret, "key_permissions": permissions}

    def delete(self, store: Store, key: str) -> None:
        """Take one key back, as the owner does in the settings."""
        self._shelf.delete("keys", _place(store, key))

    def delete_all(self) -> None:
        """Take back every key there is."""
        self._shelf.clear("keys")

    def listed(self, store: Store, cursor: str | None, limit: int) -> tuple[list[Document], str | None]:
        """A page of the store's keys as its settings list them."""
        found = self._shelf.page("keys", cursor, limit, prefix=f"{store.key}|")
        hidden = {"secret", "app_origin"}
        shown = [{name: value for name, value in key.items() if name not in hidden} for key in found.documents]
        return shown, found.next_cursor

    def count(self, store: Store) -> int:
        """How many keys the store has given out."""
        return self._shelf.count("keys", f"{store.key}|")

    def caller(self, store: Store, request: Request) -> Caller:
        """Whom a request comes from. Raises Refused 401 for a wrong secret, and for what the key does not permit."""
        credentials = credentials_of(request)
        found = self._shelf.get("keys", _place(store, credentials.key)) if credentials else None
        if credentials is None or found is None:
            return Caller()  # a key that is not known is as good as none
        if not hmac.compare_digest(found["secret"], digest_of(credentials.secret)):
            raise _refused("Consumer secret is invalid.")
        _check_permission(request.method, found["permissions"])
        return Caller(found["key_id"], found["permissions"], found["role"], found.get("app_origin"))


def credentials_of(request: Request) -> Credentials | None:
    """Those of the query when both are there, else those of the Basic header."""
    key, secret = request.args.get("consumer_key"), request.args.get("consumer_secret")
    if key and secret:
        return Credentials(key, secret)
    basic = request.authorization
    if basic is None or basic.type != "basic" or not basic.username or not basic.password:
        return None
    return Credentials(basic.username, basic.password)


def _check_permission(method: str, permissions: str) -> None:
    needed = "read" if method in _READING else "write"
    if method != "OPTIONS" and permissions not in (needed, "read_write"):
        raise _refused(f"The API key provided does not have {needed} permissions.")


def _refused(text: str) -> Refused:
    return Refused(401, "woocommerce_rest_authentication_error", text)


def _place(store: Store, key: str) -> str:
    return f"{store.key}|{digest_of(key)}"
