"""What a platform has to pick from: asked for now, and as it was when it last answered.

The last answers are kept for forms that are opened while the platform cannot be asked. What becomes of a value that
was picked is in `choices`, for settings, and in `runs`.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select

from patchbay import clock, providers
from patchbay.connections.asking import ask_as
from patchbay.errors import storable
from patchbay.models import Connection, KnownChoices, db, transaction
from patchbay.spec import Action, Pick

MOST_CHOICES = 400
MOST_LISTS = 40
"""Of a connection: a form may need as many lists as another field has values."""
LONGEST_KEPT = timedelta(days=30)
WRITTEN_EVERY = timedelta(minutes=5)


@dataclass(frozen=True)
class Option:
    """One value that can be picked, with what a person knows it by. `picture` is an address there, "" for none."""

    value: str
    label: str
    picture: str = ""


@dataclass(frozen=True)
class Offer:
    """Some options, and the cursor behind them (None: these were all)."""

    options: tuple[Option, ...]
    next_cursor: str | None


@dataclass(frozen=True)
class KnownOffer:
    """Options as they were at `seen_at`."""

    options: tuple[Option, ...]
    seen_at: datetime


def offer(
    connection: Connection, pick: Pick, *, search: str = "", cursor: str | None = None, given: Mapping[str, str] = {}
) -> Offer:
    """What the platform has to pick from right now; `given` holds the values of the fields that the pick needs.

    Raises what the platform's answer means.
    """
    action = providers.get(connection.integration_id).operation(pick.operation)
    inputs = {field.name for field in action.input} if isinstance(action, Action) else set()
    values: dict[str, Any] = {name: given.get(name, "") for name in pick.needs}
    if pick.search:
        values[pick.search] = search
    if cursor and "cursor" in inputs:
        values["cursor"] = cursor
    answer = ask_as(connection, pick.operation, values)
    offered = Offer(tuple(_option(pick, entry) for entry in answer[pick.entries]), answer.get("nextCursor"))
    if not search:
        _keep(connection, _key(connection, pick, given), offered, follows=cursor is not None)
    return offered


def known(connection: Connection, pick: Pick, *, search: str = "", given: Mapping[str, str] = {}) -> KnownOffer | None:
    """The same as it was when the platform last answered, searched in here; None when that is not known, or too old."""
    row = db.session.get(KnownChoices, (connection.id, _key(connection, pick, given)))
    if row is None or row.seen_at < clock.now() - LONGEST_KEPT:
        return None
    sought = search.casefold()
    return KnownOffer(tuple(Option(*one) for one in row.choices if sought in one[1].casefold()), row.seen_at)


def _keep(connection: Connection, key: str, offered: Offer, *, follows: bool) -> None:
    """Keep what came: a first page instead of the list before, others behind it. Seldom, when nothing has changed."""
    choices = [[storable(one.value), storable(one.label)] for one in offered.options]
    before = db.session.get(KnownChoices, (connection.id, key))
    if not _is_news(before, choices, follows=follows, is_last=offered.next_cursor is None):
        return
    with transaction() as session:
        # Locked, so that two forms keep one after the other, and nothing is kept of what was disconnected meanwhile.
        owner = session.get(Connection, connection.id, populate_existing=True, with_for_update=True)
        if owner is None or not owner.is_connected:
            return
        row = session.get(KnownChoices, (connection.id, key), populate_existing=True)
        if row is None:
            row = KnownChoices(connection_id=owner.id, list_key=key, user_id=owner.user_id, choices=[])
            session.add(row)
        row.choices = _joined(row.choices if follows else [], choices)
        row.seen_at = clock.now()
        session.flush()  # what is too many is counted in the database
        _drop_oldest(connection.id)


def _is_news(row: KnownChoices | None, choices: list[list[str]], *, follows: bool, is_last: bool) -> bool:
    if row is None:
        return not follows
    if follows:
        return _joined(row.choices, choices) != row.choices
    known = row.choices if is_last else row.choices[: len(choices)]
    return known != choices or row.seen_at < clock.now() - WRITTEN_EVERY


def _joined(before: list[list[str]], choices: list[list[str]]) -> list[list[str]]:
    values = {value for value, _ in before}
    return [*before, *(one for one in choices if one[0] not in values)][:MOST_CHOICES]


def _drop_oldest(connection_id: str) -> None:
    mine = KnownChoices.connection_id == connection_id
    newest = select(KnownChoices.list_key).where(mine).order_by(KnownChoices.seen_at.desc()).limit(MOST_LISTS)
    kept = db.session.scalars(newest).all()
    db.session.execute(delete(KnownChoices).where(mine, KnownChoices.list_key.not_in(kept)))


def _key(connection: Connection, pick: Pick, given: Mapping[str, str]) -> str:
    """What tells the list from others: what is asked, of whom, after which choices. Hashed, for it may be long."""
    asked = (pick.operation, pick.entries, pick.value, pick.label, [given.get(name, "") for name in pick.needs])
    whom = (connection.account_id, sorted(connection.settings.items()))
    return hashlib.sha256(json.dumps((asked, whom)).encode()).hexdigest()


def _option(pick: Pick, entry: Mapping[str, Any]) -> Option:
    value = str(entry[pick.value])
    return Option(value, str(entry.get(pick.label) or value), _address(entry.get(pick.picture)) if pick.picture else "")


def _address(found: Any) -> str:
    """A picture's address, or the first of several."""
    first = found[0] if isinstance(found, list) and found else found
    return first if isinstance(first, str) else ""
