"""OAuth 2 as Authlib speaks it: the registry made from the declarations, and the four calls of a grant's life.

What does not live here: whose grant it is and where it is kept (`connections`), and when to refresh it (`tokens`).
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.flask_client import FlaskOAuth2App, OAuth
from authlib.integrations.requests_client import OAuth2Session

from patchbay import clock, net, providers, signing
from patchbay.credentials import AppCredentials
from patchbay.errors import ConnectionFailed, GrantExpired, OAuthRefused, ProviderUnavailable, SetupWrong
from patchbay.spec import OAuth2, Provider

EXCHANGE_TIMEOUT_S = 10.0
LONGEST_LIFETIME_S = 10 * 365 * 24 * 3600
registry = OAuth()

# RFC 6749 §5.2 and §4.1.2.1, and what platforms say in their place.
_SETUP_ERRORS = {"invalid_client", "unauthorized_client", "redirect_uri_mismatch", "invalid_scope", "application_error"}
_DEAD_GRANT = {"invalid_grant"}


@dataclass(frozen=True)
class Grant:
    """What a token endpoint gave. `scopes` is None when the answer does not say."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    expires_at: datetime | None
    refresh_expires_at: datetime | None
    scopes: tuple[str, ...] | None


@dataclass(frozen=True)
class Departure:
    """The way to the platform: the address for the browser, and what must be kept to recognise the return."""

    url: str = field(repr=False)
    state: str = field(repr=False)
    code_verifier: str | None = field(repr=False)


def register_all() -> None:
    """Enter every provider that speaks OAuth 2 into the registry: addresses and scopes, no credentials."""
    for provider in providers.all():
        if provider.auth is not None:
            registry.register(provider.key, **_registration(provider.auth))


def depart(provider: Provider, app: AppCredentials, values: Mapping[str, Any]) -> Departure:
    """Make the authorisation address for `values` (the fields asked before connecting)."""
    auth = _auth(provider)
    client = _client(provider, app, values)
    state = signing.new_token()
    start = client.create_authorization_url(
        app.redirect_uri, state=state, scope=auth.scope_separator.join(scope.name for scope in auth.scopes)
    )
    url = net.current().browser_address(start["url"], _sandboxed(provider, app))
    return Departure(url, state, start.get("code_verifier"))


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
    with _Translated(provider):
        answer = _client(provider, app, values).fetch_access_token(
            app.redirect_uri, code=code, timeout=EXCHANGE_TIMEOUT_S, **auth.token_params, **extra
        )
        return _grant(auth, answer)


def refresh(provider: Provider, app: AppCredentials, values: Mapping[str, Any], refresh_token: str) -> Grant:
    """A new grant for `refresh_token`; where the answer has no refresh token, the present one stays.

    Raises GrantExpired when the platform says no; NetworkError, ProviderUnavailable, ConnectionFailed when it could
    not be asked.
    """
    auth = _auth(provider)
    with _Translated(provider, refused=GrantExpired), _session(provider, app) as session:
        url = _filled(auth.token_url, values)
        answer = session.refresh_token(url, refresh_token=refresh_token, timeout=EXCHANGE_TIMEOUT_S)
        return _grant(auth, answer)


def revoke(provider: Provider, app: AppCredentials, token: str) -> bool:
    """Revoke `token` at the platform (RFC 7009); a token that is already dead counts as revoked.

    False when the platform has no revocation, or did not answer as it should.
    """
    auth = _auth(provider)
    if auth.revoke_url is None:
        return False
    with _session(provider, app) as session:
        answer = session.revoke_token(auth.revoke_url, token=token, timeout=EXCHANGE_TIMEOUT_S)
    return answer.status_code == 200 or "invalid_token" in answer.text


class _Session(OAuth2Session):
    """Authlib's session over our own door to the outside; no proxies, no netrc, no redirects."""

    def __init__(self, *, transport: Any, **options: Any) -> None:
        super().__init__(**options)
        self.trust_env = False
        self.mount("https://", transport)
        self.mount("http://", transport)

    def request(self, method: str, url: str, **options: Any) -> Any:
        return super().request(method, url, allow_redirects=False, **options)


class _App(FlaskOAuth2App):
    client_cls = _Session


def _registration(auth: OAuth2) -> dict[str, Any]:
    options: dict[str, Any] = {"token_endpoint_auth_method": auth.client_auth}
    if auth.uses_pkce:
        options["code_challenge_method"] = "S256"
    return {
        "client_cls": _App,
        "client_id": "",
        "client_secret": "",
        "authorize_url": auth.authorize_url,
        "authorize_params": dict(auth.authorize_params),
        "access_token_url": auth.token_url,
        "client_kwargs": options,
    }


def _client(provider: Provider, app: AppCredentials, values: Mapping[str, Any]) -> FlaskOAuth2App:
    """A client for this one flow. The registered one is shared by all tenants and never changed."""
    entry = registry.create_client(provider.key)
    return _App(
        entry.framework,
        provider.key,
        client_id=app.client_id,
        client_secret=app.client_secret,
        authorize_url=_filled(entry.authorize_url, values),
        authorize_params=entry.authorize_params,
        access_token_url=_filled(entry.access_token_url, values),
        client_kwargs={**entry.client_kwargs, "transport": net.current().adapter(_sandboxed(provider, app))},
    )


def _session(provider: Provider, app: AppCredentials) -> _Session:
    return _Session(
        transport=net.current().adapter(_sandboxed(provider, app)),
        client_id=app.client_id,
        client_secret=app.client_secret,
        token_endpoint_auth_method=_auth(provider).client_auth,
    )


def _grant(auth: OAuth2, answer: Mapping[str, Any]) -> Grant:
    """Check what the token endpoint sent; Authlib takes an answer without an access token as success."""
    access_token, refresh_token, scope = answer.get("access_token"), answer.get("refresh_token"), answer.get("scope")
    if not isinstance(access_token, str) or not access_token:
        raise ConnectionFailed("the token answer has no access_token")
    if refresh_token is not None and not isinstance(refresh_token, str):
        raise ConnectionFailed("the token answer has a refresh_token that is not text")
    return Grant(
        access_token=access_token,
        refresh_token=refresh_token,
        expires_at=_expiry(answer.get("expires_in"), auth.access_lifetime_s),
        refresh_expires_at=_expiry(answer.get("refresh_token_expires_in"), None),
        scopes=tuple(scope.replace(",", " ").split()) if isinstance(scope, str) else None,
    )


def _expiry(lifetime_s: Any, assumed_s: int | None) -> datetime | None:
    """When something ends that lives `lifetime_s` from now; what makes no sense counts as `assumed_s`."""
    try:
        seconds = int(lifetime_s)
    except (TypeError, ValueError):
        seconds = assumed_s or 0
    if not 0 < seconds <= LONGEST_LIFETIME_S:
        seconds = assumed_s or 0
    return clock.now() + timedelta(seconds=seconds) if seconds else None


class _Translated:
    """Turns what Authlib and requests raise into our own errors, naming the platform and no secret."""

    def __init__(self, provider: Provider, *, refused: type[GrantExpired] | None = None) -> None:
        self._name = provider.name
        self._refused = refused

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, OAuthError):
            code = str(error.error)[:80]
            if code in _SETUP_ERRORS:
                raise SetupWrong(f"the platform answered {code}", provider=self._name) from None
            if self._refused and code in _DEAD_GRANT:
                raise self._refused(f"the platform answered {code}", provider=self._name) from None
            raise OAuthRefused(f"the platform answered {code}", provider=self._name) from None
        if isinstance(error, requests.HTTPError):
            status = error.response.status_code if error.response is not None else 0
            raise ProviderUnavailable(
                f"the token endpoint answered HTTP {status}", provider=self._name, action="signing in"
            ) from None
        if isinstance(error, ValueError | KeyError | TypeError):
            raise ConnectionFailed("the token answer is not as documented", provider=self._name) from None


def _auth(provider: Provider) -> OAuth2:
    if provider.auth is None:
        raise ConnectionFailed(f"{provider.key} declares no OAuth", provider=provider.name)
    return provider.auth


def _sandboxed(provider: Provider, app: AppCredentials) -> tuple[str, ...]:
    return provider.hosts if app.is_sandbox else ()


def _filled(url: str, values: Mapping[str, Any]) -> str:
    return url.format_map({name: value for name, value in values.items() if isinstance(value, str)})
