"""How a provider's accounts are connected: the words for OAuth 2 and its dialects."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Scope:
    """One permission: its name at the platform, and message ids for what it allows and what it is needed for.

    `is_optional`: the connection works without it, and says what is then off.
    """

    name: str
    allows: str
    purpose: str
    is_optional: bool = False


@dataclass(frozen=True)
class SignedCallback:
    """The platform signs the callback's query: hex HMAC-SHA256, keyed with the client secret, of all parameters but
    `parameter`, sorted and joined as `k=v&k=v`. `must_equal` maps a parameter to the setting that it must repeat.
    """

    parameter: str
    must_equal: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class OAuth2:
    """OAuth 2 authorization code, as this platform speaks it. Addresses may hold `{field}` places.

    `authorize_params` and `token_params` are added to the two calls. `implies` maps a scope to the scopes that it
    contains. `account_field` names the asked-for field that is the account's id, where the platform has one account
    per address: known before the exchange, so a foreign connection is left alone. `grant_is_exclusive`: a new grant
    ends the earlier one. `revoke_url` takes a form with `token` (RFC 7009). `access_lifetime_s` is assumed where an
    answer has no `expires_in`; None: it does not expire.
    """

    authorize_url: str
    token_url: str
    scopes: tuple[Scope, ...]
    scope_separator: str = " "
    uses_pkce: bool = False
    client_auth: Literal["client_secret_post", "client_secret_basic", "none"] = "client_secret_post"
    authorize_params: Mapping[str, str] = field(default_factory=dict)
    token_params: Mapping[str, str] = field(default_factory=dict)
    token_header: str = "Authorization"  # noqa: S105 - the name of a header
    token_prefix: str = "Bearer "  # noqa: S105 - what stands before a token
    signed_callback: SignedCallback | None = None
    implies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    account_field: str | None = None
    grant_is_exclusive: bool = False
    revoke_url: str | None = None
    access_lifetime_s: int | None = None

    def missing(self, granted: frozenset[str]) -> tuple[Scope, ...]:
        """The declared scopes that `granted` does not contain, by name or by implication."""
        have = granted | {name for scope in granted for name in self.implies.get(scope, ())}
        return tuple(scope for scope in self.scopes if scope.name not in have)
