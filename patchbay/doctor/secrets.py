"""The vault: whether its keys open the secrets that are stored. None is shown, and none is kept."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import select

from patchbay import vault
from patchbay.doctor.finding import Finding, broken, doubtful, well
from patchbay.errors import VaultError
from patchbay.models import EncryptedText, db
from patchbay.settings import Settings

SAMPLE = 200


def opened(_here: Settings) -> Iterator[Finding]:
    """A sample of each encrypted column, the newest rows."""
    closed, old, count = [], 0, 0
    for owner, column in EncryptedText.columns:
        for row in _sample(owner, column):
            count += 1
            sealed = getattr(row, column.column)
            try:
                vault.current().open(sealed, context=column.context(row))
            except VaultError:
                closed.append(column.context(row))
                continue
            old += vault.current().needs_rotation(sealed)
    if closed:
        yield broken(
            f"{len(closed)} of {count} stored secrets are opened by no key, such as {closed[0]}",
            "put the key back that they were sealed with (VAULT_KEYS, behind the present one), or let users reconnect",
        )
    elif old:
        yield doubtful(
            f"{old} of {count} are sealed with an older key", "run `flask vault rotate` before it is removed"
        )
    else:
        yield well(f"the keys open what is stored ({count} looked at)")


def _sample(owner: Any, column: EncryptedText) -> list[Any]:
    sealed = getattr(owner, column.column)
    return list(db.session.scalars(select(owner).where(sealed.is_not(None)).order_by(owner.id.desc()).limit(SAMPLE)))
