"""Reading forms: the values of declared fields, what a drawn form says beside them, and addresses to go back to.

Whether a value is right is checked by `patchbay.spec.check` in the domain; how a form is drawn is `shown.drawing`.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from flask import request
from werkzeug.datastructures import MultiDict

from patchbay.spec import Field, Kind, is_asked

LARGEST_JSON_BYTES = 64 * 1024
Sent = MultiDict[str, str]


def sent() -> Sent:
    """What came in: the posted form, or the query of an address."""
    return MultiDict(request.form if request.method == "POST" else request.args)


def values_of(fields: Sequence[Field], given: Sent | None = None) -> dict[str, Any]:
    """What the form says of the declared fields: text, "on" or "off", or a list of ids and addresses for pictures.

    Of a picked value, what was typed beside the list counts more than the list. What is not asked with the other
    values is None.
    """
    form = sent() if given is None else given
    values = {field.name: _value(field, form) for field in fields}
    return {field.name: values[field.name] if is_asked(field, fields, values) else None for field in fields}


def text(name: str, longest: int = 500) -> str:
    """One field of a form of our own, trimmed and cut."""
    return untouched(name).strip()[:longest]


def untouched(name: str) -> str:
    """One field just as it was sent: by a form, or by a script as text in a JSON object."""
    form: object = request.form
    if request.is_json and 0 < (request.content_length or 0) <= LARGEST_JSON_BYTES:
        form = request.get_json(silent=True)
    value = form.get(name, "") if isinstance(form, Mapping) else ""
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


def _value(field: Field, form: Sent) -> Any:
    if field.kind is Kind.BOOLEAN:
        return "on" if form.get(field.name) else "off"
    typed = form.get(f"{field.name}.typed", "").strip()
    if field.kind is Kind.PICTURES:
        return [*(part for one in form.getlist(field.name) for part in one.split()), *typed.split()]
    return (field.pick is not None and typed) or form.get(field.name, "")
