"""What this installation lacks: room, its database, usable settings, the right key.

What does not live here: what a caller or a platform did wrong (`refusals`, `platforms`).
"""

from patchbay.errors.root import N_, PatchbayError


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


class SettingsError(Exception):
    """A setting that cannot be used; the text is one line for whoever starts Patchbay."""


class BackupError(Exception):
    """A backup that cannot be made or restored; the text is one line for whoever asked for it."""


class VaultError(Exception):
    """A ciphertext that does not open."""
