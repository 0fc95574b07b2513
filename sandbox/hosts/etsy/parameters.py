"""Reading what a call was given: query, form, multipart or JSON, each value checked for its type.

Etsy documents forms for listings and takes JSON too, as its own issues and clients show (etsy/open-api #281, read
2026-11-21). What the values mean is decided by the calls.
"""

import re
from collections.abc import Iterable, Mapping

import msgspec
from werkzeug.wrappers import Request

from sandbox.hosts.etsy.refusals import EtsyRefused

MOST_RESULTS = 100
_USUAL_RESULTS = 25


def body_of(request: Request) -> Mapping[str, str]:
    """The fields of the body as text; a list in JSON is joined by commas as a form would have it."""
    if request.mimetype != "application/json":
        return request.form
    try:
        body = msgspec.json.decode(request.get_data() or b"{}")
    except msgspec.DecodeError:
        raise EtsyRefused(400, "The request body is not valid JSON.") from None
    if not isinstance(body, dict):
        raise EtsyRefused(400, "The request body must be an object.")
    return {name: _as_text(value) for name, value in body.items() if value is not None}


def whole(values: Mapping[str, str], name: str, *, least: int | None = None, most: int | None = None) -> int | None:
    """A whole number, None when absent; raises EtsyRefused 400."""
    text = values.get(name, "").strip()
    if text == "":
        return None
    if not re.fullmatch(r"-?[0-9]{1,18}", text, re.ASCII):
        raise _unexpected("int", name, "string")
    number = int(text)
    if least is not None and number < least:
        raise EtsyRefused(400, f"Expected a value >= {least} for '{name}' (got {number}).")
    if most is not None and number > most:
        raise EtsyRefused(400, f"Expected a value <= {most} for '{name}' (got {number}).")
    return number


def needed_whole(values: Mapping[str, str], name: str, *, least: int | None = None, most: int | None = None) -> int:
    """A whole number that must be there; raises EtsyRefused 400."""
    number = whole(values, name, least=least, most=most)
    if number is None:
        raise _unexpected("int", name, "NULL")
    return number


def needed_cents(values: Mapping[str, str], name: str) -> int:
    """An amount of money in hundredths; raises EtsyRefused 400."""
    text = values.get(name, "").strip()
    if text == "":
        raise _unexpected("float", name, "NULL")
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,10})?", text, re.ASCII):
        raise _unexpected("float", name, "string")
    return round(float(text) * 100)


def needed_text(values: Mapping[str, str], name: str) -> str:
    """A text that must be there; raises EtsyRefused 400."""
    text = values.get(name, "")
    if not text.strip():
        raise _unexpected("string", name, "NULL")
    return text


def choice(values: Mapping[str, str], name: str, allowed: Iterable[str], default: str | None = None) -> str:
    """One of a few words; raises EtsyRefused 400."""
    text = values.get(name, "").strip() or default
    if text is None:
        raise _unexpected("string", name, "NULL")
    if text not in allowed:
        listed = ", ".join(allowed)
        raise EtsyRefused(400, f"Invalid value for '{name}' (got {text[:60]}). Must be one of: {listed}.")
    return text


def truth(values: Mapping[str, str], name: str, *, default: bool) -> bool:
    """A yes or no; raises EtsyRefused 400."""
    text = values.get(name, "").strip().lower()
    if text == "":
        return default
    if text not in ("true", "false", "1", "0"):
        raise _unexpected("bool", name, "string")
    return text in ("true", "1")


def words(values: Mapping[str, str], name: str) -> list[str]:
    """A comma-separated list."""
    return [part.strip() for part in values.get(name, "").split(",") if part.strip()]


def numbers(values: Mapping[str, str], name: str) -> list[int]:
    """A comma-separated list of ids; raises EtsyRefused 400."""
    found = words(values, name)
    if not all(re.fullmatch(r"[0-9]{1,18}", each, re.ASCII) for each in found):
        raise EtsyRefused(400, f"Expected array value for '{name}' (got string).")
    return [int(each) for each in found]


def listed(request: Request, name: str) -> list[str]:
    """A list in a query, comma-separated, repeated, or both."""
    given = request.args.getlist(name) + request.args.getlist(f"{name}[]")
    return [part.strip() for text in given for part in text.split(",") if part.strip()]


def window(request: Request) -> tuple[int, int]:
    """`limit` (1–100, else 25) and `offset` of a list; raises EtsyRefused 400."""
    limit = whole(request.args, "limit", least=1, most=MOST_RESULTS)
    offset = whole(request.args, "offset", least=0)
    return _USUAL_RESULTS if limit is None else limit, offset or 0


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(_as_text(each) for each in value)
    return str(value)


def _unexpected(kind: str, name: str, got: str) -> EtsyRefused:
    return EtsyRefused(400, f"Expected {kind} value for '{name}' (got {got}).")
