"""Who calls: the account and the app behind a Bearer token, with the scopes granted; and who a client is.

Sources: REST reference, "Authentication" and the error examples of every endpoint (read 2026-11-21). How tokens come
about is in `oauth`.
"""

from base64 import b64decode
from dataclasses import dataclass

from werkzeug.wrappers import Request

from sandbox.grants import App, GrantRefused, Grants
from sandbox.hosts.canva.people import Person
from sandbox.hosts.canva.refusals import CanvaRefused, missing_scope


@dataclass(frozen=True, slots=True)
class Caller:
    """An account, through an app, with the scopes granted."""

    person: Person
    client_id: str
    scopes: frozenset[str]

    @property
    def email(self) -> str:
        """The account's key in the store."""
        return self.person.email

    @property
    def user_id(self) -> str:
        """The account's id as this app knows it."""
        return self.person.user_id(self.client_id)

    def demand(self, *scopes: str) -> None:
        """Raise the 403 of a token that lacks one of them; writing does not imply reading."""
        lacking = [scope for scope in scopes if scope not in self.scopes]
        if lacking:
            raise missing_scope(*lacking)


def caller_of(request: Request, grants: Grants) -> Caller:
    """Who calls; raises CanvaRefused 401, with a code of its own for a token that was revoked."""
    if "Authorization" not in request.headers:
        raise CanvaRefused(401, "invalid_access_token", "Missing Authorization header")
    text = bearer_token(request) or ""
    token = grants.find(text)
    if token is None or token.kind != "access":
        raise CanvaRefused(401, "invalid_access_token", "Access token is invalid")
    grant = grants.grant_of(token)
    if token.revoked or grant.revoked:
        raise CanvaRefused(401, "revoked_access_token", "Access token is revoked")
    if token.is_expired:
        raise CanvaRefused(401, "invalid_access_token", "Access token is invalid")
    return Caller(Person(grant.account), grant.client_id, frozenset(grant.scopes))


def client_of(request: Request, grants: Grants) -> App:
    """The app that shows its id and secret, by Basic or in the form. Raises CanvaRefused 400 or 401.

    A wrong secret is `invalid_access_token` at these endpoints: so the reference of the token endpoint.
    """
    client_id, secret = _credentials(request)
    try:
        return grants.authenticate(client_id, secret)
    except GrantRefused:
        if client_id in grants.apps:
            raise CanvaRefused(401, "invalid_access_token", f"Client secret is invalid for {client_id}") from None
        raise CanvaRefused(401, "invalid_client", f"Client {client_id} not available") from None


def bearer_token(request: Request) -> str | None:
    """The token of the Authorization header, None when there is none."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def _credentials(request: Request) -> tuple[str, str]:
    scheme, _, packed = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        client_id, secret = _unpacked(packed)
        _demand_filled(client_id, "client_id basic auth parameter")
        _demand_filled(secret, "secret basic auth parameter")
        return client_id, secret
    if not {"client_id", "client_secret"} <= set(request.form):
        raise CanvaRefused(
            400, "unauthorized_client", "The client must either be authenticated using basic auth or body parameters."
        )
    for name in ("client_id", "client_secret"):
        if len(request.form.getlist(name)) > 1:
            raise CanvaRefused(400, "invalid_field", f"{name} body param must have a single value")
    _demand_filled(request.form["client_id"], "client_id body param")
    return request.form["client_id"], request.form["client_secret"]


def _unpacked(packed: str) -> tuple[str, str]:
    try:
        text = b64decode(packed.strip(), validate=True).decode()
    except ValueError:
        raise CanvaRefused(400, "invalid_request", "Credentials could not be decoded from base64") from None
    client_id, colon, secret = text.partition(":")
    if not colon:
        raise CanvaRefused(400, "invalid_request", "Malformed encoded client ID and secret")
    return client_id, secret


def _demand_filled(value: str, name: str) -> None:
    if not value.strip():
        raise CanvaRefused(400, "invalid_field", f"{name} must not be blank or empty")
