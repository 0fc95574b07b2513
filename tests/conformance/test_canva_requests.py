"""What Patchbay sends to Canva's OAuth server, judged by the server side of OAuthlib: departure and token calls.

The judge keeps no state but what the sandbox gave out: it must find the same client, address, scopes and PKCE pair.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from oauthlib.oauth2 import (  # type: ignore[import-untyped] # ships no types
    RequestValidator,
    RevocationEndpoint,
    WebApplicationServer,
)

from patchbay import accounts, connections
from tests.conformance.conftest import Patchbay
from tests.conformance.recording import Exchange, Record
from tests.conformance.witness import Witness

WITNESS = Witness(
    platform="Canva",
    name="OAuthlib's server, a general judge of OAuth 2 requests",
    package="oauthlib",
    subject="Patchbay's requests for tokens",
    is_general=True,
)


class Judge(RequestValidator):  # type: ignore[misc] # ships no types
    """Knows the one client, and the departure that a code belongs to."""

    def __init__(self, departure: dict[str, str]) -> None:
        self.departure = departure

    def validate_client_id(self, client_id: str, _request: Any, *_args: Any, **_named: Any) -> bool:
        return client_id == "sandbox-canva"

    def validate_redirect_uri(self, _client_id: str, redirect_uri: str, *_args: Any, **_named: Any) -> bool:
        return redirect_uri == self.departure["redirect_uri"]

    def validate_response_type(self, _client_id: str, response_type: str, *_args: Any, **_named: Any) -> bool:
        return response_type == "code"

    def validate_scopes(self, _client_id: str, scopes: list[str], *_args: Any, **_named: Any) -> bool:
        return bool(scopes)

    def is_pkce_required(self, _client_id: str, _request: Any) -> bool:
        return True

    def client_authentication_required(self, *_args: Any, **_named: Any) -> bool:
        return True

    def authenticate_client(self, request: Any, *_args: Any, **_named: Any) -> bool:
        request.client = type("Client", (), {"client_id": "sandbox-canva"})()
        return bool(request.headers["Authorization"] == "Basic c2FuZGJveC1jYW52YTpzYW5kYm94LXNlY3JldC1jYW52YQ==")

    def validate_code(self, _client_id: str, _code: str, *_args: Any, **_named: Any) -> bool:
        return True

    def confirm_redirect_uri(self, _client_id: str, _code: str, redirect_uri: str, *_args: Any, **_named: Any) -> bool:
        return redirect_uri == self.departure["redirect_uri"]

    def get_code_challenge(self, _code: str, _request: Any) -> str:
        return self.departure["code_challenge"]

    def get_code_challenge_method(self, _code: str, _request: Any) -> str:
        return self.departure["code_challenge_method"].upper()

    def validate_grant_type(self, *_args: Any, **_named: Any) -> bool:
        return True

    def validate_refresh_token(self, *_args: Any, **_named: Any) -> bool:
        return True

    def get_original_scopes(self, *_args: Any, **_named: Any) -> list[str]:
        return self.departure["scope"].split()

    def save_bearer_token(self, *_args: Any, **_named: Any) -> None:
        """Nothing is kept."""

    def invalidate_authorization_code(self, *_args: Any, **_named: Any) -> None:
        """Nothing is kept."""

    def revoke_token(self, *_args: Any, **_named: Any) -> None:
        """Nothing is kept."""


@pytest.fixture
def hub(patchbay: Callable[..., Patchbay]) -> Patchbay:
    return patchbay("canva")


def departure_in(record: Record) -> dict[str, str]:
    (left,) = (exchange for exchange in record.to("www.canva.com"))
    return dict(left.query)


def token_calls(record: Record) -> list[Exchange]:
    return [exchange for exchange in record.to("api.canva.com") if exchange.path == "/auth/v1/oauth/token"]


def judged(judge: Judge, call: Exchange) -> int:
    address = f"https://{call.host}{call.path}"
    server = WebApplicationServer(judge)
    headers = {"Authorization": call.headers["authorization"], "Content-Type": call.headers["content-type"]}
    _headers, _body, status = server.create_token_response(address, call.method, call.body.decode(), headers)
    return int(status)


def test_the_departure_is_a_whole_request(hub: Patchbay, record: Record) -> None:
    departure = departure_in(record)
    spelt = departure | {"code_challenge_method": departure["code_challenge_method"].upper()}
    address = f"https://www.canva.com/api/oauth/authorize?{urlencode(spelt)}"

    scopes, found = WebApplicationServer(Judge(departure)).validate_authorization_request(address)

    assert hub.api.provider.auth is not None
    assert scopes == [scope.name for scope in hub.api.provider.auth.scopes]
    assert (found["client_id"], found["state"]) == ("sandbox-canva", departure["state"])


def test_the_exchange_proves_client_address_and_verifier(hub: Patchbay, record: Record) -> None:
    departure = departure_in(record)
    (exchange,) = token_calls(record)

    assert judged(Judge(departure), exchange) == 200
    assert judged(Judge(departure | {"code_challenge": "another"}), exchange) == 400


def test_a_refresh_is_a_whole_request(hub: Patchbay, record: Record) -> None:
    hub.sandbox.fault("canva", "expired_token")

    hub.run("list_designs")

    _first, refresh = token_calls(record)
    assert dict(parse_qsl(refresh.body.decode()))["grant_type"] == "refresh_token"
    assert judged(Judge(departure_in(record)), refresh) == 200


def test_a_revocation_is_a_whole_request(hub: Patchbay, record: Record) -> None:
    ada = accounts.by_email("ada@example.org")
    assert ada is not None

    assert connections.disconnect(ada.id, "canva")

    call = record.exchanges[-1]
    endpoint = RevocationEndpoint(Judge(departure_in(record)))
    headers = {"Authorization": call.headers["authorization"], "Content-Type": call.headers["content-type"]}
    _headers, _body, status = endpoint.create_revocation_response(
        f"https://{call.host}{call.path}", call.method, call.body.decode(), headers
    )
    assert (call.path, call.status, status) == ("/auth/v1/oauth/revoke", 200, 200)
    assert dict(parse_qsl(call.body.decode()))["token"]
