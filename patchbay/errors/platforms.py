"""What platforms answer, or that they do not: faults of a single call, and reasons to wait with the next one.

What does not live here: answers after which a connection needs its owner (`connections`).
"""

from datetime import datetime
from typing import ClassVar

from patchbay.errors.root import N_, PatchbayError


class PlatformError(PatchbayError):
    """The platform answered with an error that repeating would not mend."""

    code = "API_ERROR"
    http_status = 502
    title = N_("%(provider)s reported a problem")
    sentence = N_("%(provider)s answered with an error while we were %(action)s. Your data here is unchanged.")


class ProviderUnavailable(PlatformError):
    """A passing fault of the platform: 5xx, or its own words for it. `wait_s`: it said how long it will last."""

    retryable = True
    wait_s: float | None = None
    sentence = N_(
        "%(provider)s answered with an error while we were %(action)s. Your data here is unchanged. "
        "Try again in a few minutes."
    )


class ScopeMissing(PlatformError):
    """The grant lacks a scope that the call needs."""

    sentence = N_("%(provider)s did not allow this: the connection lacks a permission. Reconnect and grant it.")


class NotFoundThere(PlatformError):
    """What the operation names does not exist at the platform (any more)."""

    sentence = N_("%(provider)s does not know what was asked for. It may have been deleted there.")


class QuotaFull(PlatformError):
    """The account has no room left, or has used up what it may post or store."""

    sentence = N_(
        "%(provider)s has no room left for this, or a limit of the account is used up. Nothing was changed. "
        "Make room there, or wait until the limit is renewed."
    )


class CursorExpired(PlatformError):
    """The platform has forgotten how far a list was read, so that it must be read from its beginning."""

    retryable = True
    sentence = N_("%(provider)s lost the place in the list twice while we were %(action)s. Try again in a few minutes.")


class PublicAddressNeeded(PlatformError):
    """The platform fetches pictures itself, and this hub has no address that it could fetch them from."""

    title = N_("%(provider)s cannot fetch pictures from here")
    sentence = N_(
        "%(provider)s fetches pictures from a public https address, and this Patchbay has none. "
        "Ask your administrator to set PUBLIC_URL."
    )


class UnexpectedShape(PlatformError):
    """An answer that is not what the platform documents; `detail` names provider, stream and path."""

    sentence = N_(
        "%(provider)s answered in a form Patchbay does not understand. Your data here is unchanged. "
        "Report this with the technical details."
    )


class Postponed(PatchbayError):
    """Not now, but at `retry_at` (aware UTC); a run waits until then, for the reason that `wait_reason` names.

    The sentences say when in the reader's own time.
    """

    code = "API_ERROR"
    http_status = 502
    retryable = True
    wait_reason: ClassVar[str] = ""

    def __init__(self, detail: str, *, retry_at: datetime, **params: str) -> None:
        super().__init__(detail, time=retry_at.isoformat(timespec="minutes"), **params)
        self.retry_at = retry_at


class RateLimited(Postponed):
    """The platform asks to wait."""

    code = "RATE_LIMIT_EXCEEDED"
    http_status = 429
    wait_reason = "rate_limit"
    title = N_("%(provider)s asked us to slow down")
    sentence = N_(
        "Too many requests were sent to %(provider)s. The sync is paused and continues by itself at %(time)s."
    )


class CircuitOpen(Postponed):
    """So many requests to the platform failed of late that it is left alone for a while; nothing was sent."""

    wait_reason = "breaker"
    title = N_("%(provider)s is not answering properly")
    sentence = N_("Many requests to %(provider)s failed of late, so it is left alone until %(time)s.")


class NetworkError(PatchbayError):
    """No answer: name not found, refused, reset, timed out, or cut short. `was_sent`: the platform may have heard."""

    code = "NETWORK_ERROR"
    http_status = 504
    retryable = True
    title = N_("Network error")
    sentence = N_("Patchbay could not reach %(provider)s. Try again in a few minutes.")

    def __init__(self, detail: str = "", *, was_sent: bool = True, **params: str) -> None:
        super().__init__(detail, **params)
        self.was_sent = was_sent


class CertificateRefused(NetworkError):
    """The server did not prove that it is the one that it should be; nothing was sent to it."""

    title = N_("The server of %(provider)s could not be trusted")
    sentence = N_(
        "The certificate of the server of %(provider)s is not valid, so nothing was sent to it. If it is a server of "
        "your own, renew its certificate; else try again later."
    )
