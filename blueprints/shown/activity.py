"""The audit log of a connection, told to its owner in sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from blueprints.rendering import said
from patchbay.audit import Deed
from patchbay.errors import N_
from patchbay.models import AuditEntry, RunStatus
from patchbay.spec import Provider

SENTENCES: Mapping[str, str] = {
    Deed.CONNECTED: N_("Connected as %(account)s."),
    Deed.RECONNECTED: N_("Reconnected as %(account)s."),
    Deed.TOKEN_REFRESHED: N_("Access was renewed."),
    Deed.RECONNECT_NEEDED: N_("The platform no longer accepts our access."),
    Deed.DISCONNECTED: N_("Disconnected."),
    Deed.SETTINGS_CHANGED: N_("Settings were changed."),
    Deed.RECORDS_DELETED: N_("Imported data was deleted. Records: %(count)s."),
    Deed.RUN_STARTED: N_("Asked for: %(what)s."),
    Deed.RUN_ENDED: N_("A run ended: %(status)s."),
}


@dataclass(frozen=True)
class Told:
    """One entry: when, and what in a sentence."""

    at: datetime
    text: str


STATUSES: Mapping[str, str] = {
    RunStatus.SUCCEEDED: N_("succeeded"),
    RunStatus.FAILED: N_("failed"),
    RunStatus.CANCELLED: N_("cancelled"),
}


def told_of(entries: Sequence[AuditEntry], provider: Provider) -> list[Told]:
    """The entries about a connection as sentences, in their order; deeds that have none are shown by name."""
    return [
        Told(entry.at, said(SENTENCES.get(entry.action, entry.action), _named(entry.detail, provider)))
        for entry in entries
    ]


def _named(detail: Mapping[str, Any], provider: Provider) -> dict[str, Any]:
    """The entry's details, with operations and statuses in the words that pages use."""
    operation = provider.operation(str(detail.get("what", "")))
    what = said(operation.title) if operation is not None else detail.get("what", "")
    status = said(STATUSES.get(str(detail.get("status", "")), ""))
    return {**detail, "what": what, "status": status}
