"""Fields: what a provider asks of a person or a caller, and the check of what came in.

Connect forms, settings forms, operation forms and the bodies of the JSON API are all drawn from these.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from patchbay.errors import N_, Invalid


class Kind(StrEnum):
    """What a field holds."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    SECRET = "secret"  # noqa: S105 - the kind of a field, not a secret
    NUMBER = "number"
    MONEY = "money"
    BOOLEAN = "boolean"
    CHOICE = "choice"
    PICTURES = "pictures"
    MAPPING = "mapping"
    LIST = "list"


@dataclass(frozen=True)
class Pick:
    """The values of a field are offered live: by the read-only action `operation`, as the list `entries` of its answer.

    Of each entry, `value` is stored, `label` and `picture` are shown. `search` names the action's input that narrows
    the list, "" where there is none; `needs` names fields of the same form whose values the action is asked with.
    """

    operation: str
    entries: str
    value: str = "id"
    label: str = "name"
    picture: str = ""
    search: str = ""
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Field:
    """One value that is asked for.

    `label`, `help` and `mismatch` are message ids. `normalise` turns what people type into the one form that is
    stored; `pattern` must then match all of it. PICTURES takes a list of addresses, of our own assets or public https
    ones. `suffix` is shown behind the input. NUMBER is a whole number between `lowest` and `highest`; MONEY a decimal
    text with at most two places in the same bounds. `words` says the choices in words (message ids), in the same order.
    With `pick` the value is chosen from what the platform has. `only_if` names another field of the form and the values
    with which this one is asked: `("target", ("draft",))`; otherwise it is absent, whether required or not.
    """

    name: str
    label: str
    kind: Kind = Kind.TEXT
    required: bool = True
    help: str = ""
    placeholder: str = ""
    suffix: str = ""
    choices: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    pick: Pick | None = None
    only_if: tuple[str, tuple[str, ...]] | None = None
    pattern: str = ""
    mismatch: str = N_("This value does not have the right form.")
    normalise: Callable[[str], str] = str
    max_length: int = 2_000
    lowest: int = 0
    highest: int = 1_000_000
    most: int = 10
    default: Any = None
    autocomplete: str = "off"


def check(fields: Sequence[Field], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values in their stored form, defaults filled in; absent optional ones are None.

    Raises Invalid with a sentence for every field that is missing, wrong or unknown; nothing is half-accepted.
    """
    known = {field.name for field in fields}
    problems: dict[str, str] = {name: N_("This field is not known here.") for name in values if name not in known}
    clean: dict[str, Any] = {}
    for field in fields:
        try:
            clean[field.name] = _one(field, values.get(field.name)) if is_asked(field, fields, values) else None
            if clean[field.name] is None and not _is_absent(values.get(field.name)):
                raise _Wrong(N_("This does not go with what was chosen."))
        except _Wrong as wrong:
            problems[field.name] = wrong.sentence
    if problems:
        raise Invalid(problems)
    return clean


def is_asked(field: Field, fields: Sequence[Field], values: Mapping[str, Any]) -> bool:
    """Whether the field is asked for, with these values in the other fields of its form."""
    if field.only_if is None:
        return True
    name, wanted = field.only_if
    default = next((one.default for one in fields if one.name == name), None)
    return (default if _is_absent(values.get(name)) else values[name]) in wanted


class _Wrong(Exception):
    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def _one(field: Field, value: Any) -> Any:
    if _is_absent(value):
        if field.required and field.default is None:
            raise _Wrong(N_("This field is needed."))
        return field.default
    return _CHECKS[field.kind](field, value)


def _is_absent(value: Any) -> bool:
    return value is None or value in ("", [])


def _text(field: Field, value: Any) -> str:
    if not isinstance(value, str):
        raise _Wrong(N_("This must be text."))
    if len(value) > field.max_length:
        raise _Wrong(N_("This text is too long."))
    if "\x00" in value:
        raise _Wrong(field.mismatch)
    text = field.normalise(value.strip())
    if not text and field.required:
        raise _Wrong(N_("This field is needed."))
    if field.pattern and not re.fullmatch(field.pattern, text, re.ASCII):
        raise _Wrong(field.mismatch)
    return text


def _number(field: Field, value: Any) -> int:
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,15}", value.strip(), re.ASCII):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise _Wrong(N_("This must be a whole number."))
    if not field.lowest <= value <= field.highest:
        raise _Wrong(N_("This number is out of range."))
    return value


def _money(field: Field, value: Any) -> str:
    text = str(value).strip() if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,2})?", text, re.ASCII):
        raise _Wrong(N_("This must be an amount such as 21.99."))
    if not field.lowest <= Decimal(text) <= field.highest:
        raise _Wrong(N_("This number is out of range."))
    return str(Decimal(text).quantize(Decimal("0.01")))


def _boolean(_field: Field, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if value in ("on", "true", "off", "false"):  # a tuple: a list or object from a JSON body has no hash
        return value in ("on", "true")
    raise _Wrong(N_("This must be yes or no."))


def _choice(field: Field, value: Any) -> str:
    if value not in field.choices:
        raise _Wrong(N_("This is not one of the choices."))
    return str(value)


def _pictures(field: Field, value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) and len(item) <= 2_000 for item in value):
        raise _Wrong(N_("This must be a list of addresses."))
    if len(value) > field.most:
        raise _Wrong(N_("These are too many pictures at once."))
    return list(value)


def _mapping(_field: Field, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _Wrong(N_("This must be an object."))
    return value


def _list(_field: Field, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise _Wrong(N_("This must be a list."))
    return value


_CHECKS: Mapping[Kind, Callable[[Field, Any], Any]] = {
    Kind.TEXT: _text,
    Kind.LONG_TEXT: _text,
    Kind.SECRET: _text,
    Kind.NUMBER: _number,
    Kind.MONEY: _money,
    Kind.BOOLEAN: _boolean,
    Kind.CHOICE: _choice,
    Kind.PICTURES: _pictures,
    Kind.MAPPING: _mapping,
    Kind.LIST: _list,
}
