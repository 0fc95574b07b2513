"""The Test button: whether our app at a platform is set up right, found out without connecting anybody.

A code that nobody has issued is offered for exchange: a platform that refuses the code has accepted the app. What does
not live here: the credentials themselves (`credentials`), and real exchanges (`oauth`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from patchbay import credentials, net, oauth, signing
from patchbay.credentials import AppCredentials
from patchbay.errors import (
    N_,
    Conflict,
    NetworkError,
    OAuthRefused,
    PatchbayError,
    ProviderUnavailable,
    RateLimited,
    SetupWrong,
)
from patchbay.spec import Field, OAuth2, Provider, Request, check

WRONG_REDIRECT = {"redirect_uri_mismatch"}
KEPT_OUT = {403, 408, 429}


class Finding(StrEnum):
    """What was found out about one thing."""

    RIGHT = "right"
    WRONG = "wrong"
    NOT_TOLD = "not_told"  # the platform does not let one tell without a person who consents


@dataclass(frozen=True)
class Verdict:
    """What the platform said of the app's id and secret, and of the redirect URI; `detail` are its own words."""

    app: Finding
    redirect: Finding
    detail: str = ""


def fields(provider: Provider) -> tuple[Field, ...]:
    """What must be known before the platform can be asked: those fields that its addresses hold."""
    if not isinstance(provider.auth, OAuth2):
        return ()
    addresses = provider.auth.authorize_url + provider.auth.token_url
    return tuple(field for field in provider.fields if f"{{{field.name}}}" in addresses)


def rehearse(provider: Provider, values: Mapping[str, Any]) -> Verdict:
    """Ask the platform. Raises Conflict when nothing is set up, Invalid, and NetworkError or ProviderUnavailable when
    it could not be asked.
    """
    app = credentials.find(provider)
    if app is None or not isinstance(provider.auth, OAuth2):
        raise Conflict(sentence=N_("%(provider)s is not set up here. Ask your administrator."), provider=provider.name)
    clean = check(fields(provider), values)
    probe = provider.setup.probe if provider.setup else None
    told = _probed(provider, provider.auth, app, probe) if probe else _exchanged(provider, app, clean)
    if told.app is Finding.WRONG or told.redirect is not Finding.NOT_TOLD or not provider.auth.tells_redirect:
        return told
    return Verdict(told.app, _redirect(provider, app, clean), told.detail)


def _exchanged(provider: Provider, app: AppCredentials, values: Mapping[str, Any]) -> Verdict:
    verifier = signing.new_token() if isinstance(provider.auth, OAuth2) and provider.auth.uses_pkce else None
    try:
        oauth.exchange(provider, app, values, code=f"a-test-{signing.new_token()}", code_verifier=verifier)
    except SetupWrong as error:
        if any(code in error.detail for code in WRONG_REDIRECT):
            return Verdict(Finding.RIGHT, Finding.WRONG, error.detail)
        return Verdict(Finding.WRONG, Finding.NOT_TOLD, error.detail)
    except OAuthRefused as error:
        return Verdict(Finding.RIGHT, Finding.NOT_TOLD, error.detail)
    except RateLimited as error:
        raise ProviderUnavailable(error.detail, provider=provider.name, action=N_("signing in")) from None
    except (NetworkError, ProviderUnavailable):
        raise
    except PatchbayError as error:
        return Verdict(Finding.NOT_TOLD, Finding.NOT_TOLD, error.detail)
    return Verdict(Finding.NOT_TOLD, Finding.NOT_TOLD, "the platform took a code that nobody has issued")


def _probed(provider: Provider, auth: OAuth2, app: AppCredentials, probe: Request) -> Verdict:
    """For a platform whose token endpoint is never shown the secret."""
    places = {"client_id": app.client_id, "client_secret": app.client_secret}
    headers = {name: text.format_map(places) for name, text in auth.app_headers.items()}
    reply = net.current().send(
        net.Outgoing(probe.method, probe.url, headers={**probe.headers, **headers}, params=probe.params),
        sandboxed_hosts=provider.hosts if app.is_sandbox else (),
    )
    if reply.status >= 500 or reply.status == 429:
        raise ProviderUnavailable(f"HTTP {reply.status}", provider=provider.name, action=N_("testing the setup"))
    finding = Finding.RIGHT if reply.status < 300 else Finding.WRONG
    return Verdict(finding, Finding.NOT_TOLD, f"HTTP {reply.status}")


def _redirect(provider: Provider, app: AppCredentials, values: Mapping[str, Any]) -> Finding:
    """The authorize page itself: asked for with an address that it does not know, it answers 4xx before any sign-in.

    What keeps programs out, or asks them to wait, says nothing of the address.
    """
    address = oauth.authorize_address(provider, app, values)
    reply = net.current().send(net.Outgoing("GET", address), sandboxed_hosts=provider.hosts if app.is_sandbox else ())
    if reply.status >= 500 or reply.status in KEPT_OUT:
        return Finding.NOT_TOLD
    return Finding.WRONG if reply.status >= 400 else Finding.RIGHT
