"""What a run comes to when it stops part of the way, or cannot say how far it came.

What does not live here: the faults that stop it (`platforms`, `connections`).
"""

from patchbay.errors.root import N_, PatchbayError


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
    """An action was sent, no answer tells whether it was carried out, and the platform shows nothing of it."""

    sentence = N_("%(provider)s did not say whether this was done. Look there before you try again: it may have been.")
