"""OAuth 2 as Authlib speaks it: the registry made from the declarations, and the calls of a grant's life.

What does not live here: whose grant it is and where it is kept (`connections`), and when to refresh it (`tokens`).
"""

import dataclasses
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from authlib.integrations.flask_client import OAuth

from patchbay import net, providers, signing
from patchbay.credentials import AppCredentials
from patchbay.errors import ConnectionFailed, GrantExpired, PatchbayError
from patchbay.oauth.answers import Grant, grant_of
from patchbay.oauth.sessions import App, Asking, Session, Translated
from patchbay.oauth.telling import Told
from patchbay.spec import ClientCredentials, Keys, OAuth2, Provider, TokenCall

__all__ = [
    "Asking",
    "Departure",
    "Grant",
    "Told",
    "authorize_address",
    "depart",
    "departure",
    "exchange",
    "is_signed_by",
    "refresh",
    "register_all",
    "registry",
    "revoke",
    "token_for_keys",
]

registry = OAuth()


@dataclass(frozen=True)
class Departure:
    """The way to the platform: the address for the browser, and what must be kept to recognise the return."""

    url: str = field(repr=False)
    state: str = field(repr=False)
    code_verifier: str | None = field(repr=False)


def register_all() -> None:
    """Enter every provider that speaks OAuth 2 into the registry: addresses and scopes, no credentials."""
    for provider in providers.all():
        if isinstance(provider.auth, OAuth2):
            registry.register(provider.key, **_registration(provider.auth))


def depart(provider: Provider, app: AppCredentials, values: Mapping[str, Any], scopes: Sequence[str] = ()) -> Departure:
    """Make the authorisation address for `values` (the fields asked before connecting).

    `scopes` are those to ask for; without any, all that are declared.
    """
    url, state, verifier = _begun(provider, app, values, scopes)
    return Departure(net.current().browser_address(url, _sandboxed(provider, app)), state, verifier)


def authorize_address(provider: Provider, app: AppCredentials, values: Mapping[str, Any]) -> str:
    """The same as the platform names it, for a look at what its page says of the app; nobody is to come back."""
    return _begun(provider, app, values, ())[0]


def departure(
    provider: Provider, app: AppCredentials, address: str, params: Mapping[str, str], places: Mapping[str, str]
) -> Departure:
    """The way to a page that makes keys instead of tokens: `places["nonce"]` is what recognises the return."""
    query = urlencode({name: text.format_map(places) for name, text in params.items()})
    url = net.current().browser_address(f"{address}?{query}", _sandboxed(provider, app))
    return Departure(url, places["nonce"], None)


def is_signed_by(provider: Provider, app: AppCredentials, values: Mapping[str, Any], query: Mapping[str, str]) -> bool:
    """Whether the callback's query is the platform's own, where the platform signs it (else True)."""
    signed = _auth(provider).signed_callback
    if signed is None:
        return True
    rest = "&".join(f"{key}={value}" for key, value in sorted(query.items()) if key != signed.parameter)
    expected = hmac.new(app.client_secret.encode(), rest.encode(), hashlib.sha256).hexdigest()
    if not signing.equal(expected, query.get(signed.parameter, "")):
        return False
    return all(query.get(name, "") == values.get(wanted, "") for name, wanted in signed.must_equal.items())


def exchange(
    provider: Provider, app: AppCredentials, values: Mapping[str, Any], *, code: str, code_verifier: str | None
) -> Grant:
    """Exchange the callback's code for a grant; the code is spent whatever happens.

    Raises SetupWrong, OAuthRefused, ConnectionFailed, NetworkError.
    """
    auth = _auth(provider)
    extra = {"code_verifier": code_verifier} if code_verifier else {}
    with Translated(provider, auth, app.client_secret, code, code_verifier or ""):
        answer = _client(provider, app, values).fetch_access_token(
            app.redirect_uri, code=code, **auth.token_params, **extra
        )
        grant = grant_of(auth, answer)
    if auth.long_lived is None:
        return grant
    with Translated(provider, auth, app.client_secret, grant.access_token):
        lasting = _traded(provider, app, auth.long_lived, grant.access_token)
    return lasting if lasting.scopes is not None else dataclasses.replace(lasting, scopes=grant.scopes)


def refresh(
    provider: Provider, app: AppCredentials, values: Mapping[str, Any], refresh_token: str, asking: Asking | None = None
) -> Grant:
    """A new grant for `refresh_token`; where the answer has no refresh token, the present one stays.

    Raises GrantExpired when the platform says no; NetworkError, ProviderUnavailable, ConnectionFailed when it could
    not be asked.
    """
    asking, calls = asking or Asking(), list[Told]()
    try:
        return _refreshed(provider, app, values, refresh_token, Asking(asking.timeout_s, calls.append))
    except PatchbayError as error:
        calls = [dataclasses.replace(call, error=error.kind) for call in calls]
        raise
    finally:
        for call in calls:
            asking.tell(call)


def token_for_keys(
    provider: Provider, app: AppCredentials, asked: ClientCredentials, pair: str, asking: Asking | None = None
) -> Grant:
    """A token for the owner's own client id and secret, joined by a colon; the pair takes the refresh token's place.

    Raises what `refresh` raises; GrantExpired when the platform knows the pair no more.
    """
    client_id, _, client_secret = pair.partition(":")
    with Translated(provider, asked, client_secret, pair, refused=GrantExpired):
        session = Session(
            transport=net.current().adapter(_sandboxed(provider, app)),
            dialect=asked,
            asking=asking,
            client_id=client_id,
            client_secret=client_secret,
            token_endpoint_auth_method=asked.client_auth,
        )
        with session:
            session.fetch_token(asked.token_url, grant_type="client_credentials", **asked.token_params)
            grant = grant_of(asked, session.answered)
    return dataclasses.replace(grant, refresh_token=pair, refresh_expires_at=None)


def revoke(provider: Provider, app: AppCredentials, token: str) -> bool:
    """Revoke `token` at the platform (RFC 7009); a token that is already dead counts as revoked.

    False when the platform has no such address, or did not answer as it should.
    """
    auth = _auth(provider)
    if auth.revoke_url is None:
        return False
    with _session(provider, app) as session:
        answer = session.revoke_token(auth.revoke_url, token=token)
    return answer.status_code == 200 or "invalid_token" in answer.text


def _refreshed(
    provider: Provider, app: AppCredentials, values: Mapping[str, Any], refresh_token: str, asking: Asking
) -> Grant:
    if isinstance(provider.auth, Keys) and provider.auth.tokens is not None:
        return token_for_keys(provider, app, provider.auth.tokens, refresh_token, asking)
    auth = _auth(provider)
    with Translated(provider, auth, app.client_secret, refresh_token, refused=GrantExpired):
        if auth.renewal is not None:
            return _traded(provider, app, auth.renewal, refresh_token, asking)
        with _session(provider, app, asking) as session:
            url = _filled(auth.refresh_url or auth.token_url, values)
            session.refresh_token(url, refresh_token=refresh_token)
            return grant_of(auth, session.answered)


def _begun(
    provider: Provider, app: AppCredentials, values: Mapping[str, Any], scopes: Sequence[str]
) -> tuple[str, str, str | None]:
    auth = _auth(provider)
    client = _client(provider, app, values)
    state = signing.new_token()
    asked = auth.scope_separator.join(scopes or [scope.name for scope in auth.asked(values)])
    start = client.create_authorization_url(app.redirect_uri, state=state, scope=asked)
    return _spelt(auth, start["url"]), state, start.get("code_verifier")


def _registration(auth: OAuth2) -> dict[str, Any]:
    options: dict[str, Any] = {"token_endpoint_auth_method": auth.client_auth}
    if auth.uses_pkce:
        options["code_challenge_method"] = "S256"
    return {
        "client_cls": App,
        "client_id": "",
        "client_secret": "",
        "authorize_url": auth.authorize_url,
        "authorize_params": dict(auth.authorize_params),
        "access_token_url": auth.token_url,
        "client_kwargs": options,
    }


def _client(provider: Provider, app: AppCredentials, values: Mapping[str, Any]) -> App:
    """A client for this one flow. The registered one is shared by all tenants and never changed."""
    entry = registry.create_client(provider.key)
    return App(
        entry.framework,
        provider.key,
        client_id=app.client_id,
        client_secret=app.client_secret,
        authorize_url=_filled(entry.authorize_url, values),
        authorize_params=entry.authorize_params,
        access_token_url=_filled(entry.access_token_url, values),
        client_kwargs={
            **entry.client_kwargs,
            "transport": net.current().adapter(_sandboxed(provider, app)),
            "dialect": _auth(provider),
        },
    )


def _session(provider: Provider, app: AppCredentials, asking: Asking | None = None) -> Session:
    auth = _auth(provider)
    return Session(
        transport=net.current().adapter(_sandboxed(provider, app)),
        dialect=auth,
        asking=asking,
        client_id=app.client_id,
        client_secret=app.client_secret,
        token_endpoint_auth_method=auth.client_auth,
        revocation_endpoint_auth_method=auth.client_auth,
    )


def _traded(
    provider: Provider, app: AppCredentials, call: TokenCall, token: str, asking: Asking | None = None
) -> Grant:
    places = {"client_id": app.client_id, "client_secret": app.client_secret, "token": token}
    params = {name: text.format_map(places) for name, text in call.params.items()}
    with _session(provider, app, asking) as session:
        response = session.request("GET", call.url, params=params, withhold_token=True)
        return grant_of(_auth(provider), session.parse_response_token(response))


def _spelt(auth: OAuth2, url: str) -> str:
    """The address with the challenge's method in the platform's spelling."""
    if not auth.uses_pkce or auth.pkce_method == "S256":
        return url
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query)) | {"code_challenge_method": auth.pkce_method}
    return urlunsplit(parts._replace(query=urlencode(query)))


def _auth(provider: Provider) -> OAuth2:
    if not isinstance(provider.auth, OAuth2):
        raise ConnectionFailed(f"{provider.key} declares no OAuth", provider=provider.name)
    return provider.auth


def _sandboxed(provider: Provider, app: AppCredentials) -> tuple[str, ...]:
    return provider.hosts if app.is_sandbox else ()


def _filled(url: str, values: Mapping[str, Any]) -> str:
    return url.format_map({name: value for name, value in values.items() if isinstance(value, str)})
