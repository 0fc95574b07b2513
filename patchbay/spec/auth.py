"""How a provider's accounts are connected: the words for OAuth 2 and its dialects, and for keys that do not end."""

from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
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


class Reuse(StrEnum):
    """What a platform makes of a refresh token that it has exchanged before.

    RFC 6749 §6 leaves it to the platform; RFC 9700 §4.14.2 advises to end the whole grant when one comes back.
    """

    ALWAYS = "always"
    """It is not replaced at all, or goes on working beside its successor."""
    UNTIL_NEXT_IS_USED = "until_next_is_used"
    """It is good for the same question until what it gave has been used."""
    FOR_A_WHILE = "for_a_while"
    """It is good for the same question for `Grace.within_s` after its first use."""
    NEVER = "never"
    """It works once; if it comes back, everything that the grant gave may end."""


@dataclass(frozen=True)
class Grace:
    """What can be saved when the answer to a refresh was lost. Without a word of the platform, `Reuse.NEVER`."""

    reuse: Reuse = Reuse.NEVER
    within_s: int = 0

    def allows(self, age_s: float) -> bool:
        """Whether a refresh token may be sent again `age_s` seconds after it was sent first."""
        return self.reuse in {Reuse.ALWAYS, Reuse.UNTIL_NEXT_IS_USED} or (
            self.reuse is Reuse.FOR_A_WHILE and age_s < self.within_s
        )


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
    `grace` is what becomes of a refresh token that was sent before (not of `renewal`, which a token survives);
    `idle_lifetime_s` is after how long without use it lapses. `dead_grant` and `wrong_app` are the platform's error
    codes for "no longer allowed" and "not this client".

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
    grace: Grace = Grace()
    idle_lifetime_s: int | None = None
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
        have = self.with_implied(granted)
        return tuple(scope for scope in self.asked(values) if scope.name not in have)

    def may_resend(self, age_s: float) -> bool:
        """Whether a refresh may be sent again whose answer was lost, `age_s` seconds after it was sent first."""
        return self.renewal is not None or self.grace.allows(age_s)

    def with_implied(self, granted: frozenset[str]) -> frozenset[str]:
        """All that `granted` amounts to: a scope contains what it implies, and what that implies in turn."""
        have, found = frozenset[str](), granted
        while found:
            have |= found
            found = frozenset(name for scope in found for name in self.implies.get(scope, ())) - have
        return have

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
class ClientCredentials:
    """Tokens are had for the owner's own client id and secret (RFC 6749 §4.4), and are sent in place of them.

    `token_params` are added to the call; `access_lifetime_s` is assumed where an answer has no `expires_in`. The names
    that are left are `OAuth2`'s and mean the same.
    """

    token_url: str
    client_auth: Literal["client_secret_post", "client_secret_basic"] = "client_secret_basic"
    token_params: Mapping[str, str] = field(default_factory=dict)
    access_lifetime_s: int | None = None
    answer_root: tuple[str | int, ...] = ()
    scope_key: str = "scope"
    dead_grant: frozenset[str] = frozenset({"invalid_client", "unauthorized_client", "invalid_grant"})
    wrong_app: frozenset[str] = frozenset()
    renewal: None = None
    token_prefix: str = "Bearer "  # noqa: S105 - what stands before a token


@dataclass(frozen=True)
class Keys:
    """Keys that do not end, sent as HTTP Basic (RFC 7617): the owner pastes them, or the platform hands them over.

    `fields` are asked for when they are pasted; `username` and `password` name two of them, and the same keys in what a
    hand-over posts, where `posted` maps a field to the platform's own name for it. `made_at` is the page (with
    `{field}` places) on which the owner makes keys. With `tokens`, the keys are a client's id and secret, and tokens
    are sent instead of them.
    """

    fields: tuple[Field, ...]
    username: str
    password: str
    scopes: tuple[Scope, ...] = ()
    handover: Handover | None = None
    posted: Mapping[str, str] = field(default_factory=dict)
    made_at: str = ""
    tokens: ClientCredentials | None = None
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
        """What every request with these keys carries, or with a token that was had for them."""
        if self.tokens is not None:
            return {"Authorization": self.tokens.token_prefix + token}
        return {"Authorization": f"Basic {b64encode(token.encode()).decode()}"}


Auth = OAuth2 | Keys
