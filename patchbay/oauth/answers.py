"""What token endpoints answer, in all its dialects: the grant in it, or the platform's word for why there is none.

Sending the requests lives in `sessions`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from patchbay import clock
from patchbay.errors import ConnectionFailed
from patchbay.spec import ClientCredentials, OAuth2

Dialect = OAuth2 | ClientCredentials
"""Whatever says how a token endpoint answers."""

LONGEST_LIFETIME_S = 10 * 365 * 24 * 3600


@dataclass(frozen=True)
class Grant:
    """What a token endpoint gave. `scopes` is None when the answer does not say."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    expires_at: datetime | None = None
    refresh_expires_at: datetime | None = None
    scopes: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Refusal:
    """Why a token endpoint gave nothing: its code, and its words, which may tell what the code does not."""

    code: str
    words: str = ""

    def is_one_of(self, known: frozenset[str]) -> bool:
        """Whether the code is in `known`, or a sentence of `known` occurs in the words."""
        return self.code in known or any(" " in entry and entry in self.words for entry in known)


def refusal_in(body: Any, status: int) -> Refusal | None:
    """The refusal in an answer; None when it is none.

    RFC 6749 §5.2 has `error` as text. Meta nests an object there, Canva says `code`, Instagram `error_type`, and Figma
    sets `error` to true and says the rest in `message`.
    """
    if not isinstance(body, Mapping):
        return Refusal(f"HTTP {status}") if status >= 400 else None
    error = body.get("error")
    if isinstance(error, Mapping):
        return Refusal(str(error.get("code", error.get("type", status))), str(error.get("message", "")))
    if isinstance(error, str):
        return Refusal(error, str(body.get("error_description", "")))
    if error is True:
        words = str(body.get("message", ""))
        return Refusal(words, words)
    if status < 400:
        return None
    code = body.get("error_type", body.get("code", f"HTTP {status}"))
    return Refusal(str(code), str(body.get("error_message", body.get("message", ""))))


def token_object(auth: Dialect, body: Any) -> dict[str, Any]:
    """The token object of an answer, taken out of what wraps it. Raises ConnectionFailed when there is none."""
    found = body
    for step in auth.answer_root:
        try:
            found = found[step]
        except (KeyError, IndexError, TypeError):
            found = body  # the flat form is met beside the documented one
            break
    if not isinstance(found, Mapping):
        raise ConnectionFailed("the token answer is not an object")
    return dict(found)


def grant_of(auth: Dialect, answer: Mapping[str, Any]) -> Grant:
    """The grant in a token object. Raises ConnectionFailed when it holds no usable token."""
    access_token, refresh_token = answer.get("access_token"), answer.get("refresh_token")
    if not isinstance(access_token, str) or not access_token:
        raise ConnectionFailed("the token answer has no access_token")
    if refresh_token is not None and not isinstance(refresh_token, str):
        raise ConnectionFailed("the token answer has a refresh_token that is not text")
    return Grant(
        access_token=access_token,
        refresh_token=access_token if auth.renewal else refresh_token or None,
        expires_at=_expiry(answer.get("expires_in"), auth.access_lifetime_s),
        refresh_expires_at=_expiry(answer.get("refresh_token_expires_in"), None),
        scopes=_scopes(answer.get(auth.scope_key)),
    )


def _scopes(named: Any) -> tuple[str, ...] | None:
    if isinstance(named, str):
        return tuple(named.replace(",", " ").split())
    if isinstance(named, list):
        return tuple(str(name) for name in named)
    return None


def _expiry(lifetime_s: Any, assumed_s: int | None) -> datetime | None:
    """When something ends that lives `lifetime_s` from now; what makes no sense counts as `assumed_s`."""
    try:
        seconds = int(lifetime_s)
    except (TypeError, ValueError, OverflowError):
        seconds = assumed_s or 0
    if not 0 < seconds <= LONGEST_LIFETIME_S:
        seconds = assumed_s or 0
    return clock.now() + timedelta(seconds=seconds) if seconds else None
