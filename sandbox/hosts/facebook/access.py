"""Who calls Facebook's API: a person or a page through an app, what was granted, and the proof of the app's secret.

Sources: "Access Tokens", "Secure Graph API Calls" (appsecret_proof), "Pages API" (read 2026-11-21). How user tokens
come about is in `oauth`.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from typing import Final

import msgspec
from werkzeug.wrappers import Request

from sandbox.grants import Grants, Token, digest_of
from sandbox.graph_api import GraphRefused, demand_live, parameter, token_text
from sandbox.hosts.facebook.people import PEOPLE, FacebookPage, Person, page_of, role_key
from sandbox.store import Store

PROFILE: Final = "public_profile"
LIST: Final = "pages_show_list"
READ: Final = "pages_read_engagement"
POST: Final = "pages_manage_posts"
LABELS: Final = {
    PROFILE: "See your name and picture",
    LIST: "See which pages you manage",
    READ: "Read what is on your pages",
    POST: "Publish on your pages",
    "pages_manage_metadata": "Manage settings of your pages",
    "business_management": "Manage your business account",
    "email": "See your e-mail address",
}
_KEY = b"page tokens of the sandbox"


@dataclass(frozen=True, slots=True)
class Caller:
    """A person, or with `page` the page itself, through an app; `permissions` are those granted now."""

    person: Person
    page: FacebookPage | None
    client_id: str
    permissions: frozenset[str]
    token: Token
    hub: str

    def demand(self, *permissions: str) -> None:
        """Raise the 403 of a caller who lacks one of these."""
        lacking = [permission for permission in permissions if permission not in self.permissions]
        if lacking:
            raise GraphRefused(200, f"(#200) Requires {lacking[0]} permission", status=403)


class Access:
    """Permissions by app and person, page tokens, and the caller behind a request."""

    def __init__(self, store: Store, grants: Grants) -> None:
        self._store = store
        self._grants = grants

    def caller_of(self, request: Request) -> Caller:
        """Who calls; raises GraphRefused for a token or a proof that is not good."""
        text = token_text(request)
        if not text:
            message = "An active access token must be used to query information about the current user."
            raise GraphRefused(2500, message)
        caller = self.behind(text)
        self._check_proof(request, text, caller.client_id)
        return caller

    def behind(self, text: str) -> Caller:
        """Who a token stands for; raises GraphRefused 190, with 492 for a page that the person lost."""
        token = demand_live(self._grants, self._grants.find(text))
        grant = self._grants.grant_of(token)
        person = PEOPLE[grant.account]
        named = self._store.get("page_tokens", token.digest)
        page = page_of(named["page"]) if named else None
        if page is not None and self.tasks(person, page) is None:
            message = "Error validating access token: The user does not have the required role on the page."
            raise GraphRefused(190, message, subcode=492)
        permissions = frozenset(
            name for name, status in self.permissions(grant.client_id, person).items() if status == "granted"
        )
        return Caller(person, page, grant.client_id, permissions, token, grant.extra.get("hub", ""))

    def permissions(self, client_id: str, person: Person) -> dict[str, str]:
        """What a person answered an app about each permission: granted or declined."""
        return dict(self._store.get("permissions", f"{client_id}/{person.handle}") or {})

    def note_permissions(self, client_id: str, person: Person, asked: list[str], granted: tuple[str, ...]) -> None:
        """Keep the answers of a consent; permissions are the person's and the app's, not the token's."""
        answers = {name: "granted" if name in granted else "declined" for name in asked}
        known = self.permissions(client_id, person) | {PROFILE: "granted"} | answers
        self._store.put("permissions", f"{client_id}/{person.handle}", known)

    def drop_permission(self, client_id: str, person: Person, permission: str | None) -> None:
        """Take one permission back, or the whole app away, every token with it."""
        key = f"{client_id}/{person.handle}"
        if permission is None:
            self._store.delete("permissions", key)
            self._grants.revoke_account(client_id, person.handle)
            return
        self._store.put("permissions", key, self.permissions(client_id, person) | {permission: "declined"})

    def tasks(self, person: Person, page: FacebookPage) -> list[str] | None:
        """What a person may do on a page, None for someone without a role there."""
        role = self._store.get("roles", role_key(person.handle, page))
        return None if role is None else list(role["tasks"])

    def page_token(self, caller: Caller, page: FacebookPage) -> str:
        """The page's token for this user token: the same at every call, without end when that one is long-lived."""
        mark = hmac.new(_KEY, f"{caller.token.digest}/{page.id}".encode(), hashlib.sha256).digest()
        text = "EAAP" + urlsafe_b64encode(mark).decode().rstrip("=")
        is_long = self._store.get("births", caller.token.digest) is not None
        ends = None if is_long else caller.token.expires_at
        token = Token(digest_of(text), "access", caller.token.grant_id, ends)
        if self._store.get("tokens", token.digest) is None:
            self._store.put("tokens", token.digest, msgspec.to_builtins(token))
            self._store.put("page_tokens", token.digest, {"page": page.id})
        return text

    def require_proof(self, *, is_required: bool) -> None:
        """The app's setting "Require App Secret"."""
        self._store.put("settings", "proof", {"required": is_required})

    def _check_proof(self, request: Request, text: str, client_id: str) -> None:
        proof = parameter(request, "appsecret_proof")
        if not proof:
            if (self._store.get("settings", "proof") or {}).get("required"):
                message = "API calls from the server require an appsecret_proof argument"
                raise GraphRefused(100, message, kind="GraphMethodException")
            return
        wanted = hmac.new(self._grants.apps[client_id].secret.encode(), text.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(proof.encode(), wanted.encode()):
            message = "Invalid appsecret_proof provided in the API argument"
            raise GraphRefused(100, message, kind="GraphMethodException")
