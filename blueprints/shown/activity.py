"""The audit log, told in sentences: of a connection to its owner, and as a whole on a page of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from blueprints.rendering import said
from patchbay import accounts, connections, providers
from patchbay.audit import Deed
from patchbay.errors import N_
from patchbay.models import AuditEntry, RunStatus, User
from patchbay.spec import Provider

SENTENCES: Mapping[str, str] = {
    Deed.SIGNED_IN: N_("Signed in."),
    Deed.SIGN_IN_FAILED: N_("Could not sign in as %(email)s."),
    Deed.SIGNED_OUT: N_("Signed out."),
    Deed.PASSWORD_CHANGED: N_("The password was changed."),
    Deed.USER_INVITED: N_("Invited %(email)s."),
    Deed.USER_CREATED: N_("The account was made."),
    Deed.USER_CHANGED: N_("The account was changed."),
    Deed.PASSWORD_RESET_OFFERED: N_("Offered %(email)s a new password."),
    Deed.KEY_CREATED: N_("Made an API key for %(scopes)s."),
    Deed.KEY_USED_FROM_NEW_ADDRESS: N_("An API key was used from a new address."),
    Deed.KEY_REFUSED: N_("An API key that no longer counts was refused."),
    Deed.KEY_REVOKED: N_("Revoked an API key."),
    Deed.CONNECT_STARTED: N_("Began to connect."),
    Deed.CONNECT_REFUSED: N_("Connecting did not work out."),
    Deed.CONNECTED: N_("Connected as %(account)s."),
    Deed.RECONNECTED: N_("Reconnected as %(account)s."),
    Deed.TOKEN_REFRESHED: N_("Access was renewed."),
    Deed.RECONNECT_NEEDED: N_("The platform no longer accepts our access."),
    Deed.DISCONNECTED: N_("Disconnected."),
    Deed.SETTINGS_CHANGED: N_("Settings were changed."),
    Deed.RECORDS_DELETED: N_("Imported data was deleted. Records: %(count)s."),
    Deed.RECORD_EDITED: N_("A record was edited."),
    Deed.DELETIONS_CONFIRMED: N_("Held deletions were confirmed. Records: %(count)s."),
    Deed.DELETIONS_KEPT: N_("Held deletions were turned down. Records kept: %(count)s."),
    Deed.DELETIONS_UNDONE: N_("Deletions were undone. Records: %(count)s."),
    Deed.RUN_STARTED: N_("Asked for: %(what)s."),
    Deed.RUN_ENDED: N_("A run ended: %(status)s."),
    Deed.SCHEDULE_SET: N_("Scheduled: %(what)s."),
    Deed.SCHEDULE_PAUSED: N_("Schedule paused: %(what)s."),
    Deed.SCHEDULE_RESUMED: N_("Schedule resumed: %(what)s."),
    Deed.SCHEDULE_REMOVED: N_("Schedule removed: %(what)s."),
    Deed.RUN_CANCELLED: N_("Cancelled a run."),
    Deed.BATCH_STARTED: N_("Started a job. Parts: %(parts)s."),
    Deed.BATCH_ENDED: N_("A job ended. Done: %(done)s of %(parts)s."),
    Deed.ALERT_SETTINGS_CHANGED: N_("How alerts are sent was changed."),
    Deed.CREDENTIALS_CHANGED: N_("An app's credentials were changed."),
    Deed.EXPORT_ASKED: N_("Asked for an archive of all data."),
    Deed.ACCOUNT_ENDING: N_("The account is being deleted."),
    Deed.ACCOUNT_DELETED: N_("The account was deleted."),
    Deed.VAULT_ROTATED: N_("Secrets were sealed anew. Secrets: %(count)s."),
}


LABELS: Mapping[str, str] = {
    Deed.SIGN_IN_FAILED: N_("Could not sign in"),
    Deed.USER_INVITED: N_("Invited somebody"),
    Deed.PASSWORD_RESET_OFFERED: N_("Offered a new password"),
    Deed.KEY_CREATED: N_("Made an API key"),
    Deed.CONNECTED: N_("Connected"),
    Deed.RECONNECTED: N_("Reconnected"),
    Deed.RECORDS_DELETED: N_("Imported data was deleted"),
    Deed.DELETIONS_CONFIRMED: N_("Held deletions were confirmed"),
    Deed.DELETIONS_KEPT: N_("Held deletions were turned down"),
    Deed.DELETIONS_UNDONE: N_("Deletions were undone"),
    Deed.RUN_STARTED: N_("Asked for a run"),
    Deed.RUN_ENDED: N_("A run ended"),
    Deed.SCHEDULE_SET: N_("Made or changed a schedule"),
    Deed.SCHEDULE_PAUSED: N_("Paused a schedule"),
    Deed.SCHEDULE_RESUMED: N_("Resumed a schedule"),
    Deed.SCHEDULE_REMOVED: N_("Removed a schedule"),
    Deed.BATCH_STARTED: N_("Started a job"),
    Deed.BATCH_ENDED: N_("A job ended"),
    Deed.VAULT_ROTATED: N_("Secrets were sealed anew"),
}
"""What a deed is called in a list to choose from, where its sentence speaks of one case."""


@dataclass(frozen=True)
class Told:
    """One entry: when, and what in a sentence."""

    at: datetime
    text: str


@dataclass(frozen=True)
class AuditRow:
    """One entry of the whole log. `who` is in words, `about` an integration's name or ""."""

    id: str
    at: datetime
    text: str
    about: str
    who: str
    address: str


STATUSES: Mapping[str, str] = {
    RunStatus.SUCCEEDED: N_("succeeded"),
    RunStatus.FAILED: N_("failed"),
    RunStatus.CANCELLED: N_("cancelled"),
}


def told_of(entries: Sequence[AuditEntry], provider: Provider) -> list[Told]:
    """The entries about a connection as sentences, in their order."""
    return [Told(entry.at, _sentence(entry, provider)) for entry in entries]


def labelled_deeds() -> list[tuple[str, str]]:
    """Every deed with what it is called in the reader's language."""
    return [(deed.value, said(LABELS.get(deed, SENTENCES[deed])).rstrip(".")) for deed in Deed]


def rows_of(entries: Sequence[AuditEntry], *, reader: User) -> list[AuditRow]:
    """The entries as rows, in their order; of other people an administrator alone is told more than that they are."""
    keys = connections.integrations_of({entry.subject_id for entry in entries if entry.subject_id})
    known = {provider.key: provider for provider in providers.all()}
    people = accounts.emails_of({entry.actor for entry in entries}) if reader.is_admin else {}
    rows = []
    for entry in entries:
        provider = known.get(keys.get(entry.subject_id or "", entry.subject_id or ""))
        who = said(N_("You")) if entry.actor == reader.id else people.get(entry.actor, "")
        rows.append(
            AuditRow(
                entry.id,
                entry.at,
                _sentence(entry, provider),
                provider.name if provider else "",
                who or said(_kind_of(entry.actor)),
                entry.address or "",
            )
        )
    return rows


def _kind_of(actor: str) -> str:
    """An actor by what their id begins with."""
    kinds = {"key": N_("An API key"), "usr": N_("Someone else")}
    return kinds.get(actor.partition("_")[0], N_("Patchbay"))


def _sentence(entry: AuditEntry, provider: Provider | None) -> str:
    return said(SENTENCES.get(entry.action, entry.action), _named(entry.detail, provider))


def _named(detail: Mapping[str, Any], provider: Provider | None) -> dict[str, Any]:
    """The entry's details, with operations and statuses in the words that pages use."""
    operation = provider.operation(str(detail.get("what", ""))) if provider else None
    what = said(operation.title) if operation is not None else detail.get("what", "")
    status = said(STATUSES.get(str(detail.get("status", "")), ""))
    return {**detail, "what": what, "status": status}
