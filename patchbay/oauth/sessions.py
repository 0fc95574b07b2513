"""Authlib's sessions over our own door to the outside, and what they raise as errors of ours.

What the answers mean lives in `answers`; which calls there are, in the package itself.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import Any

import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.flask_client import FlaskOAuth2App
from authlib.integrations.requests_client import OAuth2Session

from patchbay import clock
from patchbay.errors import (
    N_,
    ConnectionFailed,
    GrantExpired,
    NetworkError,
    OAuthRefused,
    PatchbayError,
    ProviderUnavailable,
    RateLimited,
    SetupWrong,
)
from patchbay.oauth.answers import Dialect, Refusal, refusal_in, token_object
from patchbay.oauth.telling import Told, told
from patchbay.redaction import MASK, redact_text
from patchbay.spec import Answer, Provider, retry_after_s

# RFC 6749 §5.2 and §4.1.2.1, and what platforms say in their place.
_SETUP_ERRORS = frozenset(
    {"invalid_client", "unauthorized_client", "redirect_uri_mismatch", "invalid_scope", "application_error"}
)
_TOO_MANY = 429
_GATEWAY = frozenset({502, 504})  # what stands before the token endpoint heard nothing of it: it may have done its work
_WAIT_S, _LONGEST_WAIT_S = 60.0, 24 * 3600.0
_PASSING = frozenset({408, _TOO_MANY})  # statuses below 500 that say nothing of the grant


class TokenRefused(OAuthError):
    """The token endpoint's refusal, before it is known what it means for whoever asked."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(error=refusal.code[:80])
        self.refusal = refusal


@dataclass(frozen=True)
class Asking:
    """How a token endpoint is asked: for how long at the most, and who is told of it without the secrets."""

    timeout_s: float = 10.0
    tell: Callable[[Told], None] = lambda _told: None


class Session(OAuth2Session):
    """One conversation with a token endpoint: no proxies, no netrc, no redirects, answers read in the dialect."""

    def __init__(self, *, transport: Any, dialect: Dialect, asking: Asking | None = None, **options: Any) -> None:
        super().__init__(**options)
        self._asking = asking or Asking()
        self.trust_env = False
        self.mount("https://", transport)
        self.mount("http://", transport)
        self.answered: Mapping[str, Any] = {}
        self._dialect = dialect

    def request(self, method: str, url: str, **options: Any) -> Any:
        return super().request(method, url, allow_redirects=False, timeout=self._asking.timeout_s, **options)

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        """Send it, and tell of it whatever comes of it."""
        started_at, began = clock.now(), monotonic()
        answer: requests.Response | None = None
        try:
            answer = super().send(request, **options)
            return answer
        finally:
            duration_ms = round((monotonic() - began) * 1000)
            self._asking.tell(told(request, answer, started_at=started_at, duration_ms=duration_ms))

    def parse_response_token(self, response: Any) -> Mapping[str, Any]:
        """The token object, also kept as `answered`.

        Raises TokenRefused, and what `Translated` turns into errors of ours.
        """
        if response.status_code >= 500 or response.status_code in _PASSING:
            response.raise_for_status()
        body = response.json()
        refusal = refusal_in(body, response.status_code)
        if refusal is not None:
            raise TokenRefused(refusal)
        self.answered = token_object(self._dialect, body)
        # Authlib reckons with `expires_in` by itself, and fails at one that makes no sense.
        self.token = {name: value for name, value in self.answered.items() if not name.startswith("expires")}
        return self.answered


class App(FlaskOAuth2App):
    """Authlib's client for one flow, with our session."""

    client_cls = Session


class Translated:
    """Turns what Authlib and requests raise into our own errors, naming the platform and none of the `secrets`."""

    def __init__(
        self, provider: Provider, auth: Dialect, *secrets: str, refused: type[GrantExpired] | None = None
    ) -> None:
        self._name = provider.name
        self._auth = auth
        self._secrets = secrets
        self._refused = refused

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, OAuthError):
            refusal = error.refusal if isinstance(error, TokenRefused) else Refusal(str(error.error)[:80])
            detail = f"the platform answered {self._without_secrets(refusal.code)[:80]}"
            if refusal.code in _SETUP_ERRORS - self._auth.dead_grant or refusal.is_one_of(self._auth.wrong_app):
                raise SetupWrong(detail, provider=self._name) from None
            if self._refused and refusal.is_one_of(self._auth.dead_grant):
                raise self._refused(detail, provider=self._name) from None
            raise OAuthRefused(detail, provider=self._name) from None
        if isinstance(error, ConnectionFailed):
            raise ConnectionFailed(error.detail, provider=self._name) from None
        if isinstance(error, ValueError | KeyError | TypeError | RecursionError):
            raise ConnectionFailed("the token answer is not as documented", provider=self._name) from None
        if isinstance(error, requests.HTTPError) and error.response is not None:
            raise self._unanswered(error.response) from None

    def _unanswered(self, response: requests.Response) -> PatchbayError:
        """What a status means that says nothing of the grant."""
        detail = f"the token endpoint answered HTTP {response.status_code}"
        if response.status_code in _GATEWAY:
            return NetworkError(detail, provider=self._name)
        if response.status_code != _TOO_MANY:
            return ProviderUnavailable(detail, provider=self._name, action=N_("signing in"))
        headers = {name.lower(): text for name, text in response.headers.items()}
        wait_s = retry_after_s(Answer(response.status_code, headers, b"", "")) or _WAIT_S
        retry_at = clock.now() + timedelta(seconds=min(wait_s, _LONGEST_WAIT_S))
        return RateLimited(detail, retry_at=retry_at, provider=self._name)

    def _without_secrets(self, text: str) -> str:
        """The platform's own words, which may repeat what it was sent."""
        for secret in filter(None, self._secrets):
            text = text.replace(secret, MASK)
        return redact_text(text)
