"""How a provider's accounts are connected: the words for OAuth 2 and its dialects, and for keys that do not end."""

from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from patchbay.spec.api import Api
from patchbay.spec.field import Field


@dataclass(frozen=True)
class Scope:
    """One permission: its name at the platform, and message ids for what it allows and what it is needed for.

    `is_optional`: the connection works without it, and says what is then off. `asked_with` names a field of those that
    are asked before connecting: the scope is asked for only when that is filled in (some apps may not ask for it at
    all, and would be refused as a whole).
    """

    name: str
    allows: str
    purpose: str
    is_optional: bool = False
    asked_with: str = ""


@dataclass(frozen=True)
class SignedCallback:
    """The platform signs the callback's query: hex HMAC-SHA256, keyed with the client secret, of all parameters but
    `parameter`, sorted and joined as `k=v&k=v`. `must_equal` maps a parameter to the setting that it must repeat.
    """

    parameter: str
    must_equal: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class TokenCall:
    """A GET that gives a token for a token. In `params`, `{client_id}`, `{client_secret}` and `{token}` are filled."""

    url: str
    params: Mapping[str, str]


@dataclass(frozen=True)
class OAuth2:
    """OAuth 2 authorization code, as this platform speaks it. Addresses may hold `{field}` places.

    Leaving: `authorize_params` are added; `implies` maps a scope to the scopes that it contains; `pkce_method` is how
    the platform spells S256; `tells_redirect`: its authorize page answers 4xx for a redirect URI that it does not know.

    Tokens: `token_params` are added to the exchange; `answer_root` leads to the token object where the answer wraps it;
    `scope_key` names the granted scopes in it; `granted` asks for them where it does not; `refresh_url` where it is not
    `token_url`; `long_lived` trades the first token for one that lasts; `renewal` gives a new token for a live one
    (there is no refresh token then); `refresh_ahead_s` is how long before its end a token is renewed, where five
    minutes are too few. `access_lifetime_s` is assumed where an answer has no `expires_in`; None: it does not expire.
    `dead_grant` and `wrong_app` are the platform's error codes for "no longer allowed" and "not this client".

    Requests: `token_header` and `token_prefix` carry the token; `app_headers` go along, with `{client_id}` and
    `{client_secret}` filled; `proof_parameter` carries hex HMAC-SHA256 of the token, keyed with the client secret.

    `account_field` names the asked-for field that is the account's id, where the platform has one account per address:
    known before the exchange, so a foreign connection is left alone. `grant_is_exclusive`: a new grant ends the earlier
    one. `revoke_url` takes a form with `token` (RFC 7009), and the client as at `token_url`.
    """

    authorize_url: str
    token_url: str
    scopes: tuple[Scope, ...]
    scope_separator: str = " "
    uses_pkce: bool = False
    pkce_method: str = "S256"
    tells_redirect: bool = False
    client_auth: Literal["client_secret_post", "client_secret_basic", "none"] = "client_secret_post"
    authorize_params: Mapping[str, str] = field(default_factory=dict)
    token_params: Mapping[str, str] = field(default_factory=dict)
    answer_root: tuple[str | int, ...] = ()
    scope_key: str = "scope"
    granted: Callable[[Api], tuple[str, ...]] | None = None
    refresh_url: str | None = None
    long_lived: TokenCall | None = None
    renewal: TokenCall | None = None
    refresh_ahead_s: int = 0
    access_lifetime_s: int | None = None
    dead_grant: frozenset[str] = frozenset({"invalid_grant"})
    wrong_app: frozenset[str] = frozenset()
    token_header: str = "Authorization"  # noqa: S105 - the name of a header
    token_prefix: str = "Bearer "  # noqa: S105 - what stands before a token
    app_headers: Mapping[str, str] = field(default_factory=dict)
    proof_parameter: str = ""
    signed_callback: SignedCallback | None = None
    implies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    account_field: str | None = None
    grant_is_exclusive: bool = False
    revoke_url: str | None = None

    def asked(self, values: Mapping[str, Any]) -> tuple[Scope, ...]:
        """The scopes to ask for, given what was asked before connecting."""
        return tuple(scope for scope in self.scopes if not scope.asked_with or values.get(scope.asked_with))

    def missing(self, granted: frozenset[str], values: Mapping[str, Any]) -> tuple[Scope, ...]:
        """The scopes that were asked for and that `granted` does not contain, by name or by implication."""
        have = granted | {name for scope in granted for name in self.implies.get(scope, ())}
        return tuple(scope for scope in self.asked(values) if scope.name not in have)

    def headers(self, token: str, *, client_id: str, client_secret: str) -> dict[str, str]:
        """What every request with `token` carries."""
        places = {"client_id": client_id, "client_secret": client_secret}
        return {
            self.token_header: self.token_prefix + token,
            **{name: text.format_map(places) for name, text in self.app_headers.items()},
        }


@dataclass(frozen=True)
class Handover:
    """The platform makes the keys and posts them as JSON to our address, and sends the browser back by itself.

    In `params` of `authorize_url`, `{nonce}`, `{return_url}` and `{callback_url}` are filled. Both arrivals repeat the
    nonce as `nonce_key`: it is the only thing that ties them to whoever began. The browser brings
    `approved_key=approved_value` when the owner said yes.
    """

    authorize_url: str
    params: Mapping[str, str]
    nonce_key: str
    approved_key: str
    approved_value: str


@dataclass(frozen=True)
class Keys:
    """Keys that do not end, sent as HTTP Basic (RFC 7617): the owner pastes them, or the platform hands them over.

    `fields` are asked for when they are pasted; `username` and `password` name two of them, and the same keys in what a
    hand-over posts, where `posted` maps a field to the platform's own name for it. `made_at` is the page (with
    `{field}` places) on which the owner makes keys.
    """

    fields: tuple[Field, ...]
    username: str
    password: str
    scopes: tuple[Scope, ...] = ()
    handover: Handover | None = None
    posted: Mapping[str, str] = field(default_factory=dict)
    made_at: str = ""
    grant_is_exclusive: bool = False

    def asked(self, values: Mapping[str, Any]) -> tuple[Scope, ...]:  # noqa: ARG002 - as OAuth2 has it
        """All declared scopes: keys are asked for as a whole."""
        return self.scopes

    def missing(self, granted: frozenset[str], values: Mapping[str, Any]) -> tuple[Scope, ...]:  # noqa: ARG002
        """The declared scopes that `granted` does not contain."""
        return tuple(scope for scope in self.scopes if scope.name not in granted)

    def secret(self, values: Mapping[str, str]) -> str:
        """The pair as it is kept."""
        return f"{values[self.username]}:{values[self.password]}"

    def headers(self, token: str, *, client_id: str, client_secret: str) -> dict[str, str]:  # noqa: ARG002 - there is no client
        """What every request with these keys carries."""
        return {"Authorization": f"Basic {b64encode(token.encode()).decode()}"}


Auth = OAuth2 | Keys
