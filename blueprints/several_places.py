"""The form that sends one picture to several places in one go: chosen, drawn, and checked place by place.

The page that it stands on is in `batches`; the form of a single place is `operation_forms`, which each place has here
under names of its own: the control `dropbox.folderId` is the field `folderId` of Dropbox.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from blueprints import operation_forms, rendering
from blueprints.forms import Sent
from blueprints.operation_forms import NO_ERRORS, OperationForm
from blueprints.shown import assets as shown
from blueprints.shown import drawing
from blueprints.shown.assets import Place
from blueprints.shown.drawing import Drawn
from blueprints.shown.integrations import Obstacle
from patchbay import assets, connections
from patchbay.batches import Part
from patchbay.errors import N_, Invalid, NotFound
from patchbay.models import Asset, AssetKind
from patchbay.spec import check

CHOICE = "place"
REQUESTS = ("show", "again", "more", "make")  # buttons; their values name a control
LONGEST_ADDRESS = 4_000  # characters that every browser and proxy lets through


@dataclass(frozen=True)
class Destination:
    """A chosen place with its own form."""

    place: Place
    form: OperationForm

    def part(self) -> Part:
        """What is asked of it. Raises Invalid by the fields' own names."""
        form = self.form
        values = drawing.addressed(form.connection.user_id, form.fields, form.values())
        given = {**values, **form.fixed}
        check(form.operation.input, given)
        return Part(self.place.key, form.operation.name, given)


@dataclass(frozen=True)
class DrawnPlace:
    """A chosen place as the form shows it: its fields, or what stands in the way."""

    place: Place
    obstacle: Obstacle | None
    fields: Sequence[Drawn]


@dataclass(frozen=True)
class SendForm:
    """A picture, the places that would take it, and those that are chosen."""

    asset: Asset
    places: Sequence[Place]
    sent: Sent
    destinations: Sequence[Destination]

    @property
    def chosen(self) -> set[str]:
        """Keys of the chosen places."""
        return {one.place.key for one in self.destinations}

    def drawn(self, errors: Mapping[str, str]) -> list[DrawnPlace]:
        """The chosen places, ready to be shown; `errors` by the controls' names."""
        return [_drawn(one, _of_place(errors, one.place.key)) for one in self.destinations]

    def parts(self) -> list[Part]:
        """What is asked of every chosen place. Raises Invalid by the controls' names: all that is wrong, at once."""
        errors: dict[str, str] = {}
        parts: list[Part] = []
        for one in self.destinations:
            try:
                if one.form.obstacle is not None:
                    raise Invalid({"": one.form.obstacle.sentence})
                parts.append(one.part())
            except Invalid as error:
                errors |= _prefixed(error.fields, one.place.key)
        if not self.destinations:
            errors[CHOICE] = N_("Choose at least one place.")
        if errors:
            raise Invalid(errors)
        return parts


def form_of(user_id: str, asset_id: str, sent: Sent) -> SendForm:
    """The form for a picture of the user's. Raises NotFound."""
    asset = assets.get(user_id, asset_id)
    purposes = shown.SAVE if asset.kind is AssetKind.DESIGN else (*shown.PUBLISH, *shown.SAVE)
    places = shown.places(connections.of_user(user_id), purposes)
    wanted = set(sent.getlist(CHOICE))
    return SendForm(asset, places, sent, [_destination(one, asset, sent) for one in places if one.key in wanted])


def make(form: SendForm) -> tuple[Sent, Mapping[str, str]]:
    """Make what a list of one place lacks and pick it: what the form says then, and what is wrong. Raises NotFound."""
    key, _, name = form.sent["make"].partition(".")
    one = next((each for each in form.destinations if each.place.key == key), None)
    if one is None:
        raise NotFound(key)
    own, errors, run = operation_forms.make(one.form)
    if run is not None:
        errors = {name: N_("This is still being made. Look at the list again in a moment.")}
    others = [pair for pair in form.sent.items(multi=True) if _field_of(*pair, key) is None and pair[0] not in REQUESTS]
    renamed = [
        (word, f"{key}.{value}") if word in REQUESTS else (f"{key}.{word}", value)
        for word, value in own.items(multi=True)
    ]
    return Sent([*others, *renamed]), _prefixed(errors, key)


def filled_address(address: str, sent: Sent) -> str:
    """Where the form stands with what is filled in; "" when that is too much for an address."""
    filled = operation_forms.filled_address(address, sent)
    return filled if len(filled) <= LONGEST_ADDRESS else ""


def labels(drawn: Sequence[DrawnPlace]) -> list[dict[str, str]]:
    """Every control by its name, as a list of errors calls it."""
    return [
        {"name": one.name, "label": f"{each.place.name}: {rendering.said(one.field.label)}"}
        for each in drawn
        for one in each.fields
    ]


def _destination(place: Place, asset: Asset, sent: Sent) -> Destination:
    pairs = (_field_of(name, value, place.key) for name, value in sent.items(multi=True))
    own = Sent([pair for pair in pairs if pair is not None])
    fixed = {place.pictures: [assets.link(asset)]}
    return Destination(place, operation_forms.form_of(place.key, place.operation.name, own, fixed))


def _field_of(name: str, value: str, key: str) -> tuple[str, str] | None:
    """A control under the name that it has in the place's own form; None when it is none of that place's."""
    prefix = f"{key}."
    if name in REQUESTS:
        return (name, value.removeprefix(prefix)) if value.startswith(prefix) else None
    return (name.removeprefix(prefix), value) if name.startswith(prefix) else None


def _drawn(one: Destination, errors: Mapping[str, str]) -> DrawnPlace:
    obstacle = one.form.obstacle
    fields = one.form.drawn(errors) if obstacle is None else []
    return DrawnPlace(one.place, obstacle, [_renamed(field, one.place.key) for field in fields])


def _renamed(one: Drawn, key: str) -> Drawn:
    """The drawn field under a name of its own. What its list needs of other fields has been looked up by now."""
    field = replace(one.field, name=f"{key}.{one.name}")
    return replace(one, field=field, maker=[_renamed(part, key) for part in one.maker])


def _of_place(errors: Mapping[str, str], key: str) -> Mapping[str, str]:
    prefix = f"{key}."
    return {name.removeprefix(prefix): text for name, text in errors.items() if name.startswith(prefix)} or NO_ERRORS


def _prefixed(errors: Mapping[str, str], key: str) -> dict[str, str]:
    return {f"{key}.{name}": sentence for name, sentence in errors.items()}
