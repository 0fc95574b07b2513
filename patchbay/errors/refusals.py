"""What Patchbay refuses its callers: bad input, lacking rights, and what cannot be done now.

What does not live here: what platforms refuse to Patchbay (`platforms`, `connections`).
"""

from collections.abc import Mapping

from patchbay.errors.root import N_, PatchbayError


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
