"""The audit log of a connection, told to its owner in sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from blueprints.rendering import said
from patchbay.audit import Deed
from patchbay.errors import N_
from patchbay.models import AuditEntry

SENTENCES: Mapping[str, str] = {
    Deed.CONNECTED: N_("Connected as %(account)s."),
    Deed.RECONNECTED: N_("Reconnected as %(account)s."),
    Deed.TOKEN_REFRESHED: N_("Access was renewed."),
    Deed.RECONNECT_NEEDED: N_("The platform no longer accepts our access."),
    Deed.DISCONNECTED: N_("Disconnected."),
    Deed.SETTINGS_CHANGED: N_("Settings were changed."),
    Deed.RECORDS_DELETED: N_("Imported data was deleted: %(count)s records."),
    Deed.RUN_STARTED: N_("Asked for: %(what)s."),
    Deed.RUN_ENDED: N_("A run ended: %(status)s."),
}


@dataclass(frozen=True)
class Told:
    """One entry: when, and what in a sentence."""

    at: datetime
    text: str


def told_of(entries: Sequence[AuditEntry]) -> list[Told]:
    """The entries as sentences, in their order; deeds that have none are shown by name."""
    return [Told(entry.at, said(SENTENCES.get(entry.action, entry.action), entry.detail)) for entry in entries]
