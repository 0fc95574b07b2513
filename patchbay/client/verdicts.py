"""What a fault comes to when it is not waited out: the error of our tree, in words that repeat no secret.

What does not live here: which answer is which fault (`spec.faults`), and trying again (the package itself).
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from patchbay import clock
from patchbay.errors import (
    CredentialsRefused,
    CursorExpired,
    NotFoundThere,
    OutcomeUnknown,
    PatchbayError,
    PlatformError,
    ProviderUnavailable,
    QuotaFull,
    RateLimited,
    ScopeMissing,
    SetupWrong,
    storable,
)
from patchbay.redaction import MASK, redact_text
from patchbay.spec import Answer, Fault, Meaning, Provider, Request

SHORTEST_SECRET = 8  # shorter ones stand in words by chance
LONGEST_WAIT_S = 31 * 24 * 3600  # Figma counts the dearest calls of some seats by the month

_KINDS: Mapping[Meaning, type[PatchbayError]] = {
    Meaning.TOKEN_EXPIRED: CredentialsRefused,
    Meaning.THROTTLED: RateLimited,
    Meaning.SCOPE_MISSING: ScopeMissing,
    Meaning.NOT_FOUND: NotFoundThere,
    Meaning.UNAVAILABLE: ProviderUnavailable,
    Meaning.FULL: QuotaFull,
    Meaning.SETUP_WRONG: SetupWrong,
    Meaning.CURSOR_EXPIRED: CursorExpired,
}


def error_kind(fault: Fault) -> str:
    """The name of the error that the fault comes to."""
    return _KINDS.get(fault.meaning, PlatformError).__name__


def meant(provider: Provider, request: Request, fault: Fault, answer: Answer, *, doing: str) -> PatchbayError:
    """The error for a fault that is no throttling; `doing` completes "while we were …"."""
    kind = _KINDS.get(fault.meaning, PlatformError)
    if fault.meaning is Meaning.TOKEN_EXPIRED and not request.with_token:
        kind = PlatformError  # no token was sent that could have been refused
    detail = f"HTTP {answer.status} {fault.text}".strip()
    error = kind(detail, sentence=fault.says or None, provider=provider.name, action=doing)
    if isinstance(error, ProviderUnavailable):
        error.wait_s = fault.wait_s
    return error


def untold(provider: Provider, fault: Fault, answer: Answer) -> OutcomeUnknown:
    """The error for an answer that leaves in doubt what was done."""
    return OutcomeUnknown(f"HTTP {answer.status} {fault.text}".strip(), provider=provider.name)


def rate_limited(provider: Provider, wait_s: float, detail: str) -> RateLimited:
    """The error for a platform that wants to be left alone for so long; absurd times are bounded."""
    retry_at = clock.now() + timedelta(seconds=min(wait_s, LONGEST_WAIT_S))
    return RateLimited(detail, retry_at=retry_at, provider=provider.name)


def without_secrets(fault: Fault, secrets: list[str]) -> Fault:
    """The fault in words that do not repeat what was sent to prove who we are."""
    text = fault.text
    for secret in sorted(secrets, key=len, reverse=True):  # one may begin with another
        text = text.replace(secret, MASK) if len(secret) >= SHORTEST_SECRET else text
    return replace(fault, text=storable(redact_text(text)))
