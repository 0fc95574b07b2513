"""The root of the tree, and what the sentences of every error are made with.

What does not live here: any error that is ever raised by its own name.
"""

from collections.abc import Mapping
from typing import ClassVar


def N_(message: str) -> str:  # noqa: N802 - gettext's own name for "mark, do not translate yet"
    """Mark `message` for the message catalogue; the edge translates it."""
    return message


def storable(text: str) -> str:
    """The text without what no database and no page takes, but platforms may send: NUL, and halves of characters."""
    return text.replace("\x00", "\ufffd").encode(errors="replace").decode()


class PatchbayError(Exception):
    """The root. `params` fill the placeholders of the sentences; `detail` is for the log and for "Technical details".

    `detail` must hold no secret: it is shown to the connection's owner and written to the log.
    """

    code: ClassVar[str] = "INTERNAL_ERROR"
    http_status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False
    title: ClassVar[str] = N_("Something went wrong here")
    sentence: str = N_("Patchbay could not finish this. Nothing was changed. Try again, or ask your administrator.")

    def __init__(self, detail: str = "", *, sentence: str | None = None, **params: str) -> None:
        self.detail = storable(detail)
        self.params: Mapping[str, str] = {name: storable(text) for name, text in params.items()}
        super().__init__(self.detail or type(self).__name__)
        if sentence is not None:
            self.sentence = sentence

    @property
    def kind(self) -> str:
        """The class name: what rows store, so that `named` finds the sentences again."""
        return type(self).__name__
