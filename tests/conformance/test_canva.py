"""A general OAuth client that others wrote, walking Canva's grant in the sandbox from the consent to the revocation.

Canva's REST API has no outside witness here. Its OpenAPI description may be used "on the Canva Platform" alone, and so
may what is made from it, which all clients are that packages carry.
"""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from oauthlib.oauth2 import (  # type: ignore[import-untyped] # ships no types
    AccessDeniedError,
    InvalidGrantError,
    InvalidScopeError,
    MismatchingStateError,
)
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session  # type: ignore[import-untyped] # ships no types

from tests.conformance.recording import Record
from tests.conformance.transport import SandboxAdapter, rewritten, session
from tests.conformance.witness import Witness

WITNESS = Witness(
    platform="Canva",
    name="Requests-OAuthlib, a general OAuth 2 client with PKCE",
    package="requests-oauthlib",
    subject="the sandbox's grants",
    is_general=True,
)
UNWITNESSED = (
    "The whole REST API: designs, exports, uploads, folders, jobs. The licence of Canva's OpenAPI description, and so "
    "of every client made from it, allows its use on Canva's platform alone; facts were read, nothing is run.",
    "Errors as code and message at the token endpoint; the client knows those of RFC 6749 alone. Introspection.",
    "That Canva spells the challenge's method s256: its documents do, its own examples and this client say S256.",
    "Limits by operation and minute, and that a 429 says nothing of how long to wait.",
)
APP = HTTPBasicAuth("sandbox-canva", "sandbox-secret-canva")
AUTHORIZE = "https://www.canva.com/api/oauth/authorize"
TOKEN = "https://api.canva.com/auth/v1/oauth/token"
REVOKE = "https://api.canva.com/auth/v1/oauth/revoke"
ME = "https://api.canva.com/rest/v1/users/me"
SCOPE = ["design:meta:read", "asset:write"]


@pytest.fixture
def client(url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")  # the redirect address is on loopback, without TLS
    made = OAuth2Session("sandbox-canva", redirect_uri="http://127.0.0.1:8000/back", scope=SCOPE, pkce="S256")
    made.mount("https://", SandboxAdapter(url))
    with made:
        yield made


def walked(client: Any, url: str, answer: str = "allow") -> str:
    """Walk the consent; the address that the browser is sent back to."""
    address, _state = client.authorization_url(AUTHORIZE, sandbox_consent=answer)
    response = requests.get(rewritten(address, url), allow_redirects=False, timeout=10)
    return str(response.headers["Location"])


def tokens(client: Any, url: str) -> Any:
    return client.fetch_token(TOKEN, authorization_response=walked(client, url), auth=APP)


def refreshed(client: Any, refresh_token: str) -> Any:
    return client.refresh_token(TOKEN, refresh_token=refresh_token, auth=APP)


def test_the_grant_is_walked_with_pkce_and_the_token_opens_the_api(client: Any, url: str) -> None:
    given = tokens(client, url)

    assert given["token_type"] == "Bearer"
    assert given["scope"] == SCOPE
    assert given["expires_in"] == 14400
    assert client.get(ME).status_code == 200


def test_a_denial_is_understood(client: Any, url: str) -> None:
    with pytest.raises(AccessDeniedError):
        client.fetch_token(TOKEN, authorization_response=walked(client, url, "deny"), auth=APP)


def test_the_state_comes_back(client: Any, url: str) -> None:
    back = walked(client, url)
    client.authorization_url(AUTHORIZE)  # another departure, with another state

    with pytest.raises(MismatchingStateError):
        client.fetch_token(TOKEN, authorization_response=back, auth=APP)


def test_a_scope_that_does_not_exist_is_refused_by_the_redirect(client: Any, url: str) -> None:
    client.scope = ["design:everything"]

    with pytest.raises(InvalidScopeError):
        client.fetch_token(TOKEN, authorization_response=walked(client, url), auth=APP)


def test_a_refresh_brings_a_new_pair(client: Any, url: str) -> None:
    first = dict(tokens(client, url))

    second = refreshed(client, first["refresh_token"])

    assert second["refresh_token"] != first["refresh_token"]
    assert client.get(ME).status_code == 200


def test_a_replayed_refresh_token_is_an_invalid_grant_and_ends_the_lineage(client: Any, url: str) -> None:
    first = dict(tokens(client, url))
    refreshed(client, first["refresh_token"])

    with pytest.raises(InvalidGrantError):
        refreshed(client, first["refresh_token"])

    assert client.get(ME).status_code == 401


def test_a_token_is_revoked_as_rfc_7009_has_it(client: Any, url: str, record: Record) -> None:
    given = tokens(client, url)
    address, headers, body = client._client.prepare_token_revocation_request(
        REVOKE, given["refresh_token"], token_type_hint="refresh_token"
    )

    with session(url) as plain:
        answer = plain.post(address, data=body, headers=headers, auth=APP)

    assert answer.status_code == 200
    assert client.get(ME).status_code == 401
    assert record.exchanges[-2].path == "/auth/v1/oauth/revoke"
