"""How each user wants to hear of alerts: through which channels, of which kinds, after how long.

What does not live here: the messages themselves (`alerts.notices`, `alerts.delivery`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select

from patchbay import audit, clock, net, settings
from patchbay.alerts import address
from patchbay.audit import Deed
from patchbay.errors import N_, AddressBlocked, Conflict, Invalid
from patchbay.models import AlertChannel, AlertKind, AlertPreference, db, new_id, transaction

PATIENCE_MINUTES = (0, 5, 15, 60)
LONGEST_ADDRESS = 2000


@dataclass(frozen=True)
class Preference:
    """What holds for a user; see `AlertPreference` for its parts. The page shows every alert in any case."""

    wants_email: bool = True
    address: str | None = None
    muted: Mapping[str, Sequence[str]] = field(default_factory=dict)
    patience_minutes: int = 0

    def channels(self, kind: AlertKind) -> tuple[AlertChannel, ...]:
        """Through which channels an alert of that kind is sent."""
        open_ones = {
            AlertChannel.EMAIL: self.wants_email and has_mail(),
            AlertChannel.ADDRESS: self.address is not None,
        }
        return tuple(channel for channel, is_open in open_ones.items() if is_open and not self.mutes(channel, kind))

    def mutes(self, channel: AlertChannel, kind: AlertKind) -> bool:
        """Whether alerts of that kind are not sent through that channel."""
        return kind in self.muted.get(channel, ())


def of(user_id: str) -> Preference:
    """The user's preference, or what holds for somebody who never said."""
    row = _row(user_id)
    if row is None:
        return Preference()
    return Preference(row.wants_email, row.address, row.muted, row.patience_minutes)


def save(user_id: str, wanted: Preference) -> str | None:
    """Keep what the user wants from now on. A new address gets a new secret, which is returned to be shown this once.

    Looks the address's name up, so never inside a transaction. Raises Invalid.
    """
    _check(wanted)
    with transaction():
        row = _own(user_id)
        is_new = wanted.address is not None and wanted.address != row.address
        row.wants_email, row.address, row.patience_minutes = wanted.wants_email, wanted.address, wanted.patience_minutes
        row.muted = {channel.value: sorted(wanted.muted.get(channel, ())) for channel in AlertChannel}
        row.updated_at = clock.now()
        audit.add(Deed.ALERT_SETTINGS_CHANGED, user_id=user_id)
        return _renewed(row) if is_new else None


def renew_secret(user_id: str) -> str:
    """A new secret in place of the old one, at once; it is shown this once. Raises Conflict without an address."""
    with transaction():
        row = _own(user_id)
        if row.address is None:
            raise Conflict(sentence=N_("Enter an address first."))
        audit.add(Deed.ALERT_SETTINGS_CHANGED, user_id=user_id)
        return _renewed(row)


def secret_of(user_id: str) -> str:
    """What signs for the user's address; "" when there is none."""
    row = _row(user_id)
    return (row.secret or "") if row is not None else ""


def has_mail() -> bool:
    """Whether this installation can send mail at all."""
    return settings.current().mail is not None


def _check(wanted: Preference) -> None:
    problems = {}
    if wanted.patience_minutes not in PATIENCE_MINUTES:
        problems["patience"] = N_("This is not one of the choices.")
    if wanted.address is not None:
        try:
            net.current().check_address(wanted.address[: LONGEST_ADDRESS + 1])
        except AddressBlocked as error:
            problems["address"] = error.sentence
        if len(wanted.address) > LONGEST_ADDRESS:
            problems["address"] = N_("This address is too long.")
    if problems:
        raise Invalid(problems)


def _row(user_id: str) -> AlertPreference | None:
    return db.session.scalar(select(AlertPreference).where(AlertPreference.user_id == user_id))


def _own(user_id: str) -> AlertPreference:
    row = _row(user_id)
    if row is None:
        row = AlertPreference(id=new_id("apr"), user_id=user_id, updated_at=clock.now())
        db.session.add(row)
    return row


def _renewed(row: AlertPreference) -> str:
    secret = address.new_secret()
    row.secret = secret
    return secret
