"""Reading posted forms: the values of declared fields, and addresses to go back to.

Whether a value is right is checked by `patchbay.spec.check` in the domain.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from flask import request

from patchbay.spec import Field, Kind

LARGEST_JSON_BYTES = 64 * 1024


def values_of(fields: Sequence[Field]) -> dict[str, Any]:
    """What the form says of the declared fields: text, "on" or "off", or a list of lines for pictures."""
    return {field.name: _value(field) for field in fields}


def text(name: str, longest: int = 500) -> str:
    """One field of a form of our own, trimmed and cut."""
    return untouched(name).strip()[:longest]


def untouched(name: str) -> str:
    """One field just as it was sent: by a form, or by a script as text in a JSON object."""
    sent: object = request.form
    if request.is_json and 0 < (request.content_length or 0) <= LARGEST_JSON_BYTES:
        sent = request.get_json(silent=True)
    value = sent.get(name, "") if isinstance(sent, Mapping) else ""
    return value if isinstance(value, str) else ""


def sought(name: str, longest: int = 100) -> str:
    """One parameter of the address, trimmed and cut."""
    return request.args.get(name, "").strip()[:longest]


def here(**parameters: str | None) -> str:
    """The address of this page with these parameters; those without a value are left out."""
    return f"{request.path}?{urlencode({name: value for name, value in parameters.items() if value})}"


def local(address: str) -> str:
    """`address` when it is a path of this site, else "": nobody is sent elsewhere by a link to us."""
    is_path = address.startswith("/") and not address.startswith("//")
    return address if is_path and "\\" not in address and address.isprintable() else ""


def _value(field: Field) -> Any:
    sent = request.form.get(field.name, "")
    if field.kind is Kind.BOOLEAN:
        return "on" if sent else "off"
    if field.kind is Kind.PICTURES:
        return sent.split()
    return sent
