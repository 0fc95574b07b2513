"""Every failure that Patchbay itself raises, as one tree; its sentences are English message ids.

What does not live here: how an error becomes a page, a toast or a JSON answer (`blueprints`).

    PatchbayError                        code                     status  retryable
    ├── ConnectionFailed                 CONNECTION_FAILED        502     by the user
    ├── OAuthRefused                     OAUTH_ERROR              502     by the user
    │   └── SetupWrong                   OAUTH_ERROR              502     no: an administrator's
    ├── GrantExpired                     TOKEN_EXPIRED            409     no: reconnect
    ├── CredentialsRefused               INVALID_CREDENTIALS      409     no: reconnect
    ├── PlatformError                    API_ERROR                502     no
    │   ├── ProviderUnavailable          API_ERROR                502     yes
    │   ├── ScopeMissing                 API_ERROR                502     no: grant access
    │   ├── NotFoundThere                API_ERROR                502     no
    │   ├── QuotaFull                    API_ERROR                502     no: make room there
    │   ├── CursorExpired                API_ERROR                502     yes, from the beginning
    │   ├── PublicAddressNeeded          API_ERROR                502     no: an administrator's
    │   └── UnexpectedShape              API_ERROR                502     no
    ├── SyncFailed                       SYNC_FAILED              502     by the user
    │   ├── PartlyDone                   SYNC_FAILED              502     by the user
    │   └── OutcomeUnknown               SYNC_FAILED              502     by the user
    ├── Postponed                        API_ERROR                502     yes, at `retry_at`
    │   ├── RateLimited                  RATE_LIMIT_EXCEEDED      429     yes, at `retry_at`
    │   └── CircuitOpen                  API_ERROR                502     yes, at `retry_at`
    ├── StorageAway                      STORAGE_UNAVAILABLE      503     yes
    ├── StorageFull                      STORAGE_FULL             507     yes, once there is room
    ├── NetworkError                     NETWORK_ERROR            504     yes
    │   └── CertificateRefused           NETWORK_ERROR            504     yes
    └── Refused (the caller's mistake, nothing was done)
        ├── Invalid                      VALIDATION_ERROR         422
        │   ├── Malformed                VALIDATION_ERROR         400
        │   └── UnsupportedMedia         VALIDATION_ERROR         415
        ├── AddressBlocked               VALIDATION_ERROR         422
        ├── Unauthenticated              UNAUTHENTICATED          401
        ├── Forbidden                    FORBIDDEN                403
        ├── NotFound                     NOT_FOUND                404
        ├── Conflict                     CONFLICT                 409
        ├── TooLarge                     TOO_LARGE                413
        └── TooManyRequests              TOO_MANY_REQUESTS        429     yes, after `retry_after_s`
    SettingsError                        start-up only: a setting that cannot be used
    VaultError                           a ciphertext that does not open: wrong key, or moved to another row
"""

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar


def N_(message: str) -> str:  # noqa: N802 - gettext's own name for "mark, do not translate yet"
    """Mark `message` for the message catalogue; the edge translates it."""
    return message


def storable(text: str) -> str:
    """The text without what no database and no page takes, but platforms may send: NUL, and halves of characters."""
    return text.replace("\x00", "\ufffd").encode(errors="replace").decode()


class PatchbayError(Exception):
    """The root. `params` fill the placeholders of the sentences; `detail` is for the log and for "Technical details".

    `detail` must hold no secret: it is shown to the connection's owner and written to the log.
    """

    code: ClassVar[str] = "INTERNAL_ERROR"
    http_status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False
    title: ClassVar[str] = N_("Something went wrong here")
    sentence: str = N_("Patchbay could not finish this. Nothing was changed. Try again, or ask your administrator.")

    def __init__(self, detail: str = "", *, sentence: str | None = None, **params: str) -> None:
        self.detail = storable(detail)
        self.params: Mapping[str, str] = {name: storable(text) for name, text in params.items()}
        super().__init__(self.detail or type(self).__name__)
        if sentence is not None:
            self.sentence = sentence

    @property
    def kind(self) -> str:
        """The class name: what rows store, so that `named` finds the sentences again."""
        return type(self).__name__


class ConnectionFailed(PatchbayError):
    """Connecting did not finish for a reason other than a refusal."""

    code = "CONNECTION_FAILED"
    http_status = 502
    retryable = True
    title = N_("Could not connect to %(provider)s")
    sentence = N_("We could not finish connecting to %(provider)s. Nothing was changed. Please try again.")


class OAuthRefused(PatchbayError):
    """The platform refused the authorisation."""

    code = "OAUTH_ERROR"
    http_status = 502
    retryable = True
    title = N_("%(provider)s did not authorise Patchbay")
    sentence = N_(
        "Authorization failed. Check that your %(provider)s account may grant the permissions listed, then try again."
    )


class SetupWrong(OAuthRefused):
    """Client id, secret or redirect URI are not what the platform has on file."""

    retryable = False
    sentence = N_("%(provider)s is not set up correctly here. Ask your administrator.")


class GrantExpired(PatchbayError):
    """The grant has ended at the platform: no token can be had without its owner."""

    code = "TOKEN_EXPIRED"
    http_status = 409
    title = N_("Your connection to %(provider)s has expired")
    sentence = N_("Syncing is paused. Reconnect to continue; your settings are kept.")


class CredentialsRefused(PatchbayError):
    """The platform refuses a token or key that ought to work."""

    code = "INVALID_CREDENTIALS"
    http_status = 409
    title = N_("%(provider)s rejected the saved credentials")
    sentence = N_("They may have been changed or revoked in %(provider)s. Reconnect to fix this.")


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


class SyncFailed(PatchbayError):
    """A run stopped part of the way; what it saved stays."""

    code = "SYNC_FAILED"
    http_status = 502
    retryable = True
    title = N_("Sync with %(provider)s failed")
    sentence = N_(
        "%(saved)s of %(total)s items were saved before it stopped. Try again; finished items are not repeated."
    )


class PartlyDone(SyncFailed):
    """An action came part of the way; `done` says in words what exists now, `reason` why it stopped.

    Both are message ids, filled from the other parameters, or else the platform's own words.
    """

    title = N_("%(provider)s did only a part of it")
    sentence = N_("This much was done: %(done)s. %(provider)s refused the rest: %(reason)s.")


class OutcomeUnknown(SyncFailed):
    """An action was sent, the answer was lost, and the platform cannot be asked what became of it."""

    sentence = N_("The answer of %(provider)s was lost. Look there before you try again: the work may have been done.")


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


class StorageAway(PatchbayError):
    """The database is locked, starts again or is out of reach."""

    code = "STORAGE_UNAVAILABLE"
    http_status = 503
    retryable = True
    title = N_("Back in a moment")
    sentence = N_("Patchbay's database is busy or starts again. Nothing was changed. Try again in a few seconds.")


class StorageFull(PatchbayError):
    """There is no room left for the database, or on the disk of the home."""

    code = "STORAGE_FULL"
    http_status = 507
    retryable = True
    title = N_("There is no room left here")
    sentence = N_("Patchbay's disk is full. Nothing was changed. Ask your administrator to make room, then try again.")


class Refused(PatchbayError):
    """The caller asked for something that cannot be; nothing was done."""

    code = "VALIDATION_ERROR"
    http_status = 422
    title = N_("That did not work")
    sentence = N_("This request cannot be carried out.")


class Invalid(Refused):
    """Bad input. `fields` maps a field name to an English sentence (a message id)."""

    title = N_("Please check what you entered")
    sentence = N_("Some of the values cannot be used. See the notes beside them.")

    def __init__(self, fields: Mapping[str, str] | None = None, *, sentence: str | None = None, **params: str) -> None:
        super().__init__("", sentence=sentence, **params)
        self.fields: Mapping[str, str] = fields or {}


class Malformed(Invalid):
    """A body that cannot be read at all."""

    http_status = 400
    sentence = N_("The body is not valid JSON.")


class UnsupportedMedia(Invalid):
    """A body of a kind that the call does not take."""

    http_status = 415
    sentence = N_("This call takes %(wanted)s.")


class AddressBlocked(Refused):
    """An address that may not be fetched; the reason is never told in more detail."""

    sentence = N_("This address is not allowed. Use a public https address.")


class Unauthenticated(Refused):
    """Nobody is signed in, or the key is not known."""

    code = "UNAUTHENTICATED"
    http_status = 401
    title = N_("Sign in first")
    sentence = N_("Sign in, or send a valid API key.")


class Forbidden(Refused):
    """Signed in, but not allowed."""

    code = "FORBIDDEN"
    http_status = 403
    title = N_("Not allowed")
    sentence = N_("You may not do this.")


class NotFound(Refused):
    """It does not exist, or it is somebody else's."""

    code = "NOT_FOUND"
    http_status = 404
    title = N_("Not found")
    sentence = N_("There is nothing here. It may have been deleted, or it belongs to someone else.")


class Conflict(Refused):
    """The present state does not allow it."""

    code = "CONFLICT"
    http_status = 409
    title = N_("Not possible right now")
    sentence = N_("This does not fit the present state.")


class TooLarge(Refused):
    """More bytes than the call takes."""

    code = "TOO_LARGE"
    http_status = 413
    title = N_("Too large")
    sentence = N_("This is larger than the %(limit)s that are allowed.")


class TooManyRequests(Refused):
    """Our own limit, not a platform's; `retry_after_s` says when to come back."""

    code = "TOO_MANY_REQUESTS"
    http_status = 429
    retryable = True
    title = N_("Too many attempts")
    sentence = N_("Too many attempts. Wait a little, then try again.")

    def __init__(self, retry_after_s: int) -> None:
        super().__init__("")
        self.retry_after_s = retry_after_s


class SettingsError(Exception):
    """A setting that cannot be used; the text is one line for whoever starts Patchbay."""


class BackupError(Exception):
    """A backup that cannot be made or restored; the text is one line for whoever asked for it."""


class VaultError(Exception):
    """A ciphertext that does not open."""


def named(kind: str) -> type[PatchbayError]:
    """The class that a row remembers by name; an unknown name gives the root."""
    return _ALL.get(kind, PatchbayError)


def _tree(root: type[PatchbayError]) -> dict[str, type[PatchbayError]]:
    found = {root.__name__: root}
    for child in root.__subclasses__():
        found |= _tree(child)
    return found


_ALL = _tree(PatchbayError)
