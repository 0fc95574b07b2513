"""Live lists in forms: what a platform has to pick from right now, with search, more, and what was picked before.

A form says with each redraw what its lists show, so that a platform is asked again only for what is new. While it
cannot be asked, the list is the one of its last answer (kept by `patchbay.connections`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import msgspec

from blueprints import rendering
from blueprints.forms import Sent
from blueprints.shown.runs import RECONNECTABLE
from patchbay import connections, images, providers
from patchbay.errors import N_, PatchbayError
from patchbay.models import Connection
from patchbay.spec import Field, Pick

MOST_SHOWN = 400
LONGEST_SEARCH = 100
LONGEST_LABEL = 300
UNASKED = N_("%(provider)s could not be asked.")


class Choice(msgspec.Struct, frozen=True, array_like=True):
    """One value to pick; `picture` is the token that its picture is shown with, "" for none."""

    value: str
    label: str
    picture: str = ""


class Memory(msgspec.Struct, frozen=True):
    """What a list shows, as its form says it again: what was searched for and with which other values.

    `is_old`: it is from an earlier answer, since the platform could not be asked.
    """

    search: str = ""
    given: dict[str, str] = {}
    choices: tuple[Choice, ...] = ()
    next_cursor: str | None = None
    is_old: bool = False


@dataclass(frozen=True)
class _Found:
    """What a list is to show: `problem` is a sentence, `seen_at` when the platform last said what is shown if old.

    `is_away`: the platform was asked, and there is no use in asking it again just now; `to_reconnect` is as in
    `PickList`.
    """

    memory: Memory
    problem: str = ""
    seen_at: datetime | None = None
    is_away: bool = False
    to_reconnect: str = ""


@dataclass(frozen=True)
class PickList:
    """A list to pick from. `lacks` are labels (message ids) of what has to be chosen first; `problem` is a sentence.

    `seen_at` is set while the platform cannot be asked: the list is as it was then. `key` tells lists
    apart that come with other values in the fields that they need: their own values may be the same. `to_reconnect`
    is the key of the integration that has to be reconnected before there is anything to pick, "" for none.
    """

    choices: Sequence[Choice]
    chosen: str
    search: str
    memory: str
    has_search: bool
    has_more: bool
    has_pictures: bool
    key: str = ""
    lacks: Sequence[str] = ()
    problem: str = ""
    seen_at: datetime | None = None
    is_away: bool = False
    to_reconnect: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether everything that there is to pick is shown: then nothing needs to be put in beside the list."""
        return bool(self.choices) and not (self.has_search or self.has_more or self.problem)


def look(
    connection: Connection,
    field: Field,
    fields: Sequence[Field],
    form: Sent,
    values: Mapping[str, Any],
    *,
    is_away: bool = False,
) -> PickList:
    """The list of a picked field as the form wants it now. A platform's refusal is a `problem`, never raised.

    With `is_away` the platform is not asked: it has just failed to answer for another list of the form.
    """
    pick, memory = _declared(field), _recalled(form.get(f"{field.name}.shown", ""))
    given = {name: str(values.get(name) or "") for name in pick.needs}
    lacks = [one.label for one in fields if one.name in pick.needs and not given[one.name]]
    chosen = str(values.get(field.name) or "")
    if memory is not None and memory.given != given:
        chosen, memory = "", None  # what it depends on has changed
    found = _Found(memory or Memory(given=given))
    if not lacks:
        search = form.get(f"{field.name}.search", "").strip()[:LONGEST_SEARCH]
        found = _renewed(connection, field, memory, Memory(search, given), form, is_away=is_away)
    return _list(field, found, _known(field, chosen, memory, form), lacks)


def _renewed(
    connection: Connection, field: Field, memory: Memory | None, wanted: Memory, form: Sent, *, is_away: bool
) -> _Found:
    """The list that is wanted: from memory as far as that goes, from the platform, or as it last was there."""
    is_old = memory is not None and memory.is_old
    is_again = form.get("again") == field.name or (is_old and "again" in form)  # another try is one for all that is old
    is_same = memory is not None and memory.search == wanted.search and not (is_again or is_old)
    start = memory if is_same and memory is not None else wanted
    if is_same and (form.get("more") != field.name or start.next_cursor is None):
        return _Found(start)
    if is_away or (is_old and not is_again):
        unasked = rendering.said(UNASKED, {"provider": providers.get(connection.integration_id).name})
        return _as_last_known(connection, field, start, unasked)
    try:
        offered = connections.offer(
            connection, _declared(field), search=wanted.search, cursor=start.next_cursor, given=wanted.given
        )
    except PatchbayError as error:
        problem = rendering.sentence_of(error)
        if not error.retryable:
            helps = error.kind in RECONNECTABLE
            return _Found(start, problem, to_reconnect=connection.integration_id if helps else "")
        return replace(_as_last_known(connection, field, start, problem), is_away=True)
    fresh = tuple(
        Choice(one.value, one.label[:LONGEST_LABEL], images.of_address(connection, one.picture))
        for one in offered.options
    )
    return _Found(Memory(wanted.search, wanted.given, (*start.choices, *fresh)[:MOST_SHOWN], offered.next_cursor))


def _as_last_known(connection: Connection, field: Field, start: Memory, problem: str) -> _Found:
    """What is shown while the platform cannot be asked: what it began with, else the list of its last answer."""
    if start.choices:
        return _Found(start, problem)
    known = connections.known(connection, _declared(field), search=start.search, given=start.given)
    if known is None:
        return _Found(start, problem)
    choices = tuple(Choice(one.value, one.label[:LONGEST_LABEL]) for one in known.options)
    return _Found(msgspec.structs.replace(start, choices=choices, is_old=True), problem, known.seen_at)


def _known(field: Field, chosen: str, memory: Memory | None, form: Sent) -> Choice | None:
    """What is chosen, as people know it: from the list before, else from the address that led here."""
    if not chosen:
        return None
    before = memory.choices if memory is not None else ()
    label = form.get(f"{field.name}.label", "")[:LONGEST_LABEL]
    return next((one for one in before if one.value == chosen), Choice(chosen, label or chosen))


def _list(field: Field, found: _Found, chosen: Choice | None, lacks: Sequence[str]) -> PickList:
    """The list with what is chosen in it, first when the platform's own answer does not hold it."""
    shown, choices = found.memory, found.memory.choices
    if chosen is not None and all(one.value != chosen.value for one in choices):
        choices = (chosen, *choices)
    return PickList(
        choices=choices,
        chosen=chosen.value if chosen else "",
        search=shown.search,
        memory=_memory(shown, choices) if choices or shown.is_old or not found.problem else "",
        has_search=bool(_declared(field).search),
        has_more=shown.next_cursor is not None and len(choices) < MOST_SHOWN,
        has_pictures=any(one.picture for one in choices),
        key=" ".join(shown.given.values()),
        lacks=lacks,
        problem=found.problem,
        seen_at=found.seen_at,
        is_away=found.is_away,
        to_reconnect=found.to_reconnect,
    )


def _memory(shown: Memory, choices: Sequence[Choice]) -> str:
    return msgspec.json.encode(msgspec.structs.replace(shown, choices=choices)).decode()


def _recalled(text: str) -> Memory | None:
    """What the form says of its list; None when it says nothing that makes sense."""
    try:
        return msgspec.json.decode(text, type=Memory)
    except msgspec.DecodeError:
        return None


def _declared(field: Field) -> Pick:
    if field.pick is None:
        raise LookupError(f"{field.name} is not picked from a list")
    return field.pick
