"""Live lists in forms: what a platform has to pick from right now, with search, more, and what was picked before.

A form says with each redraw what its lists show, so that a platform is asked again only for what is new.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from blueprints import rendering
from blueprints.forms import Sent
from patchbay import connections, images
from patchbay.errors import PatchbayError
from patchbay.models import Connection
from patchbay.spec import Field, Pick

MOST_SHOWN = 400
LONGEST_SEARCH = 100
LONGEST_LABEL = 300


class Choice(msgspec.Struct, frozen=True, array_like=True):
    """One value to pick; `picture` is the token that its picture is shown with, "" for none."""

    value: str
    label: str
    picture: str = ""


class Memory(msgspec.Struct, frozen=True):
    """What a list shows, as its form says it again: what was searched for and with which other values."""

    search: str = ""
    given: dict[str, str] = {}
    choices: tuple[Choice, ...] = ()
    next_cursor: str | None = None


@dataclass(frozen=True)
class PickList:
    """A list to pick from. `lacks` are labels (message ids) of what has to be chosen first; `problem` is a sentence.

    `key` tells lists apart that come with other values in the fields that they need: their own values may be the same.
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

    @property
    def is_whole(self) -> bool:
        """Whether everything that there is to pick is shown: then nothing needs to be put in beside the list."""
        return bool(self.choices) and not (self.has_search or self.has_more or self.problem)


def look(
    connection: Connection, field: Field, fields: Sequence[Field], form: Sent, values: Mapping[str, Any]
) -> PickList:
    """The list of a picked field as the form wants it now. A platform's refusal is a `problem`, never raised."""
    pick, memory = _declared(field), _recalled(form.get(f"{field.name}.shown", ""))
    given = {name: str(values.get(name) or "") for name in pick.needs}
    lacks = [one.label for one in fields if one.name in pick.needs and not given[one.name]]
    chosen = str(values.get(field.name) or "")
    if memory is not None and memory.given != given:
        chosen, memory = "", None  # what it depends on has changed
    shown, problem = memory, ""
    if not lacks:
        search = form.get(f"{field.name}.search", "").strip()[:LONGEST_SEARCH]
        shown, problem = _renewed(connection, field, memory, Memory(search, given), form)
    return _list(field, shown or Memory(given=given), _known(field, chosen, memory, form), lacks, problem)


def _renewed(
    connection: Connection, field: Field, memory: Memory | None, wanted: Memory, form: Sent
) -> tuple[Memory, str]:
    """The list that is wanted, from memory as far as that goes; and a sentence when the platform refuses."""
    is_same = memory is not None and memory.search == wanted.search and form.get("again") != field.name
    start = memory if is_same and memory is not None else wanted
    if is_same and (form.get("more") != field.name or start.next_cursor is None):
        return start, ""
    try:
        offered = connections.offer(
            connection, _declared(field), search=wanted.search, cursor=start.next_cursor, given=wanted.given
        )
    except PatchbayError as error:
        return start, rendering.sentence_of(error)
    fresh = tuple(
        Choice(one.value, one.label[:LONGEST_LABEL], images.of_address(connection, one.picture))
        for one in offered.options
    )
    return Memory(wanted.search, wanted.given, (*start.choices, *fresh)[:MOST_SHOWN], offered.next_cursor), ""


def _known(field: Field, chosen: str, memory: Memory | None, form: Sent) -> Choice | None:
    """What is chosen, as people know it: from the list before, else from the address that led here."""
    if not chosen:
        return None
    before = memory.choices if memory is not None else ()
    label = form.get(f"{field.name}.label", "")[:LONGEST_LABEL]
    return next((one for one in before if one.value == chosen), Choice(chosen, label or chosen))


def _list(field: Field, shown: Memory, chosen: Choice | None, lacks: Sequence[str], problem: str) -> PickList:
    """The list with what is chosen in it, first when the platform's own answer does not hold it."""
    choices = shown.choices
    if chosen is not None and all(one.value != chosen.value for one in choices):
        choices = (chosen, *choices)
    return PickList(
        choices=choices,
        chosen=chosen.value if chosen else "",
        search=shown.search,
        memory=_memory(shown, choices) if choices or not problem else "",
        has_search=bool(_declared(field).search),
        has_more=shown.next_cursor is not None and len(choices) < MOST_SHOWN,
        has_pictures=any(one.picture for one in choices),
        key=" ".join(shown.given.values()),
        lacks=lacks,
        problem=problem,
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
