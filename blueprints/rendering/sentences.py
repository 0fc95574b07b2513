"""English message ids with their parameters, said in the reader's language.

Rows and errors keep ids and parameters (`patchbay.errors`); only here and in templates do they become sentences.
"""

import re
from collections.abc import Mapping
from datetime import datetime

from flask import Flask
from flask_babel import gettext

from blueprints.rendering import formats
from patchbay.errors import Invalid, PatchbayError, named

PLACEHOLDER = re.compile(r"%\((\w+)\)s|%%")
# Parameters that are message ids themselves, or else a platform's own words.
WORDS = ("action", "done", "reason", "limit")
UNKNOWN = "…"  # for what a row does not know: better than no page


def said(message: str, params: Mapping[str, object] | None = None) -> str:
    """The message id in the reader's language, its placeholders filled."""
    if not message:
        return ""
    translated = str(gettext(message))
    return translated if params is None else _filled(translated, params)


def title_of(error: PatchbayError) -> str:
    """The error's title for people."""
    return said(error.title, error.params)


def sentence_of(error: PatchbayError) -> str:
    """The error's sentence for people."""
    return said(error.sentence, error.params)


def notes_of(error: PatchbayError) -> dict[str, str]:
    """What is wrong with each value, by the name of its field, for people."""
    fields = error.fields if isinstance(error, Invalid) else {}
    return {name: said(note, error.params) for name, note in fields.items()}


def told(kind: str, params: Mapping[str, object]) -> tuple[str, str]:
    """Title and sentence of an error that a row remembers by `kind` and `params`."""
    found = named(kind)
    return said(found.title, params), said(found.sentence, params)


def titled(kind: str, provider: str) -> str:
    """What an error of that kind is called, of that platform: "Etsy reported a problem"."""
    return told(kind, {"provider": provider})[0]


def _filled(text: str, params: Mapping[str, object]) -> str:
    """By hand, since the operator % would fail at a stray percent sign in a platform's words."""
    return PLACEHOLDER.sub(lambda found: "%" if found[1] is None else _shown(found[1], params), text)


def _shown(name: str, params: Mapping[str, object]) -> str:
    """One parameter for people. Words may hold the same placeholders, and need no full stop inside a sentence."""
    value = params.get(name, UNKNOWN)
    if name in WORDS and isinstance(value, str):
        others = {key: other for key, other in params.items() if key not in WORDS}
        return said(value, others).rstrip(".")
    if name == "time" and isinstance(value, str):
        return _time(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return formats.number(value)
    return str(value)


def _time(text: str) -> str:
    """ISO 8601 for people; anything else as it is."""
    try:
        return formats.moment(datetime.fromisoformat(text))
    except ValueError:
        return text


def init_app(app: Flask) -> None:
    """Register the filters."""
    app.jinja_env.filters.update(said=said, titled=titled)
