"""Forms drawn from declarations: each field with its value, its error, and what there is to choose from.

Live lists are looked up in `picking`; reading what a form sent is `blueprints.forms`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from blueprints.forms import Sent
from blueprints.shown import picking
from blueprints.shown.picking import Choice, PickList
from patchbay import assets, images, providers
from patchbay.errors import N_, Invalid, NotFound
from patchbay.models import Asset, Connection
from patchbay.spec import Action, Field, Kind, is_asked

PICTURES_AT_FIRST = 12
MOST_PICTURES = 240
ASSET_PREFIX = "ast_"


@dataclass(frozen=True)
class Gallery:
    """Pictures to choose from: the user's own, and addresses typed beside them, one a line."""

    choices: Sequence[Choice]
    chosen: Collection[str]
    typed: str
    count: int
    has_more: bool


@dataclass(frozen=True)
class Drawn:
    """A field as the form shows it.

    `is_asked`: it goes with the other values; what does not is kept out of sight. `decides`: other fields depend on it,
    so that a change draws the form anew. `typed` is what was put in beside a list, `chosen_label` says a value that
    was picked earlier. `maker` are the questions of what makes a value that the list lacks; `maker_title` (a message
    id) is its name.
    """

    field: Field
    value: Any
    error: str = ""
    is_asked: bool = True
    decides: bool = False
    typed: str = ""
    chosen_label: str = ""
    live: PickList | None = None
    gallery: Gallery | None = None
    maker_title: str = ""
    maker: Sequence["Drawn"] = ()

    @property
    def name(self) -> str:
        """The field's name, which is also its control's."""
        return self.field.name


@dataclass(frozen=True)
class Easel:
    """What a form is drawn for: whose it is, what it sent, and what is wrong with it.

    `operation` is the one that the form is for, "" for settings. With `is_patient`, a list is asked for only once it is
    wanted: settings are looked at more often than changed. `is_away`: the platform has just failed to answer, and no
    further list is asked for.
    """

    user_id: str
    connection: Connection
    form: Sent
    errors: Mapping[str, str]
    operation: str = ""
    is_patient: bool = False
    is_away: bool = False


def draw(easel: Easel, fields: Sequence[Field], values: Mapping[str, Any]) -> list[Drawn]:
    """The fields in their order. A platform that cannot be asked shows as a problem beside its list."""
    deciding = {name for field in fields for name in _depends_on(field)}
    filled = {one.name: one.default if values.get(one.name) is None else values[one.name] for one in fields}
    drawn: list[Drawn] = []
    for field in fields:
        one = _drawn(easel, field, fields, filled)
        if one.is_asked:
            filled[field.name] = one.value  # a list may drop a value that no longer goes with the others
        if one.live is not None and one.live.is_away:
            easel = replace(easel, is_away=True)
        drawn.append(replace(one, decides=field.name in deciding))
    return drawn


def maker_of(connection: Connection, field: Field, operation: str) -> Action | None:
    """The action that makes a new value for a picked field: it gives what the field takes, and asks for a word."""
    if field.pick is None or not operation:
        return None
    for action in providers.get(connection.integration_id).actions:
        asks_a_word = [one.kind for one in action.input if one.required] == [Kind.TEXT]
        if field.name in action.gives and asks_a_word and not action.is_read_only and action.name != operation:
            return action
    return None


def maker_fields(field: Field, action: Action) -> list[Field]:
    """What the maker asks, under names of its own within the form around it."""
    return [replace(one, name=f"{field.name}.new.{one.name}", required=False) for one in action.input if one.required]


def addressed(user_id: str, fields: Sequence[Field], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values with the user's own pictures as addresses. Raises Invalid for pictures that are not theirs."""
    pictures = {field.name for field in fields if field.kind is Kind.PICTURES}
    return {
        name: [_address(user_id, name, one) for one in value or ()] if name in pictures else value
        for name, value in values.items()
    }


def _address(user_id: str, name: str, picture: str) -> str:
    if not picture.startswith(ASSET_PREFIX):
        return picture
    try:
        return assets.link(assets.get(user_id, picture))
    except NotFound:
        raise Invalid({name: N_("Choose from your own pictures.")}) from None


def _depends_on(field: Field) -> tuple[str, ...]:
    needs = field.pick.needs if field.pick is not None else ()
    return (*needs, field.only_if[0]) if field.only_if is not None else needs


def _drawn(easel: Easel, field: Field, fields: Sequence[Field], filled: Mapping[str, Any]) -> Drawn:
    value, error = filled[field.name], easel.errors.get(field.name, "")
    if not is_asked(field, fields, filled):
        return Drawn(field, easel.form.get(field.name, ""), is_asked=False)
    if field.kind is Kind.PICTURES:
        return Drawn(field, value, error, gallery=_gallery(easel, field, value or ()))
    if field.pick is None:
        return Drawn(field, value, error)
    if easel.is_patient and not _is_wanted(easel, field, value):
        label = easel.connection.setting_labels.get(field.name, "") or value or ""
        return Drawn(field, value, error, chosen_label=label)
    return _with_list(easel, field, fields, filled)


def _with_list(easel: Easel, field: Field, fields: Sequence[Field], filled: Mapping[str, Any]) -> Drawn:
    """A picked field. What was typed beside the list joins it, unless it is wrong: then it stays where it was typed."""
    error, typed = easel.errors.get(field.name, ""), easel.form.get(f"{field.name}.typed", "")
    values = {**filled, field.name: ""} if error and typed else filled
    live = picking.look(easel.connection, field, fields, easel.form, values, is_away=easel.is_away)
    maker = maker_of(easel.connection, field, easel.operation)
    asked = maker_fields(field, maker) if maker is not None else ()
    return Drawn(
        field,
        live.chosen,
        error,
        typed=typed if error else "",
        live=live,
        maker_title=maker.title if maker is not None else "",
        maker=[Drawn(one, easel.form.get(one.name, ""), easel.errors.get(one.name, "")) for one in asked],
    )


def _is_wanted(easel: Easel, field: Field, value: Any) -> bool:
    if not easel.connection.is_connected:
        return False
    is_missing = field.required and not value
    is_open = bool(easel.form.get(f"{field.name}.shown")) or easel.form.get("show") == field.name
    return is_missing or is_open or field.name in easel.errors


def _gallery(easel: Easel, field: Field, chosen: Sequence[str]) -> Gallery:
    """The newest pictures, as many as were asked for, and those that are chosen in any case."""
    sent = easel.form.get(f"{field.name}.count", "")
    count = int(sent[:4]) if sent.isascii() and sent.isdigit() else PICTURES_AT_FIRST
    if easel.form.get("more") == field.name:
        count *= 2
    count = min(max(count, PICTURES_AT_FIRST), MOST_PICTURES)
    found, following = assets.page(easel.user_id, cursor=None, limit=count)
    known = {one.id for one in found}
    others = [_own(easel.user_id, one) for one in chosen if one.startswith(ASSET_PREFIX) and one not in known]
    shown = [*(one for one in others if one is not None), *found]
    return Gallery(
        choices=[Choice(one.id, one.name, images.of_asset(one)) for one in shown],
        chosen=frozenset(chosen),
        typed="\n".join(one for one in chosen if not one.startswith(ASSET_PREFIX)),
        count=count,
        has_more=following is not None and count < MOST_PICTURES,
    )


def _own(user_id: str, asset_id: str) -> Asset | None:
    try:
        return assets.get(user_id, asset_id)
    except NotFound:
        return None
