"""English message ids with their parameters, said in the reader's language.

Rows and errors keep ids and parameters (`patchbay.errors`); only here and in templates do they become sentences.
"""

from collections.abc import Mapping

from flask_babel import gettext

from patchbay.errors import PatchbayError, named


class _Known(dict[str, object]):
    """Parameters; one that a row does not know is shown as an ellipsis instead of failing the page."""

    def __missing__(self, key: str) -> str:
        return "…"


def said(message: str, params: Mapping[str, object] | None = None) -> str:
    """The message id in the reader's language, its placeholders filled."""
    if not message:
        return ""
    translated = str(gettext(message))
    return translated % _Known(params) if params is not None else translated


def title_of(error: PatchbayError) -> str:
    """The error's title for people."""
    return said(error.title, error.params)


def sentence_of(error: PatchbayError) -> str:
    """The error's sentence for people."""
    return said(error.sentence, error.params)


def told(kind: str, params: Mapping[str, object]) -> tuple[str, str]:
    """Title and sentence of an error that a row remembers by `kind` and `params`."""
    found = named(kind)
    return said(found.title, params), said(found.sentence, params)
