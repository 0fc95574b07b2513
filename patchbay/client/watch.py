"""What stands behind a client: the run that it works for, or nobody.

Sending lives in the package itself.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol
from urllib.parse import urlsplit

from patchbay.errors import PlatformError
from patchbay.spec import Picture


class Watch(Protocol):
    """The run behind a client: it may stop the work, and keeps what must survive a kill."""

    def check(self) -> None:
        """Raise when the run was cancelled or taken over."""

    def log(self, level: str, message: str, **params: str | int) -> None:
        """Add a line to the run's log."""

    def progress(self, done: int, total: int | None) -> None:
        """Say how far the run has come."""

    def remember(self, name: str, make: Callable[[], Any]) -> Any:
        """The value kept under `name`, made and stored the first time."""

    def forget(self, name: str) -> None:
        """Drop what is kept under `name`."""

    def picture(self, address: str) -> Picture:
        """The picture behind an address of ours or of the public internet."""

    def public_address(self, address: str, content_type: str) -> str:
        """An address from which anybody can fetch that picture, as `content_type` if given."""

    def keep(self, content: bytes, filename: str) -> Mapping[str, Any]:
        """Keep a picture as a design of the owner's."""


class Unwatched:
    """The watch of a call that belongs to no run, such as the question whose account a fresh token is."""

    def check(self) -> None:
        """Nobody can cancel it."""

    def log(self, level: str, message: str, **params: str | int) -> None:
        """Nobody reads it."""

    def progress(self, done: int, total: int | None) -> None:
        """Nobody looks."""

    def remember(self, name: str, make: Callable[[], Any]) -> Any:  # noqa: ARG002 - the protocol's names
        """Nothing outlives the call."""
        return make()

    def forget(self, name: str) -> None:
        """Nothing was kept."""

    def picture(self, address: str) -> Picture:
        """Never asked for outside a run."""
        raise PlatformError(f"no picture can be read here: {urlsplit(address).path}")

    def public_address(self, address: str, content_type: str) -> str:  # noqa: ARG002 - the protocol's names
        """Never asked for outside a run."""
        raise PlatformError(f"no picture can be shown here: {urlsplit(address).path}")

    def keep(self, content: bytes, filename: str) -> Mapping[str, Any]:  # noqa: ARG002 - the protocol's names
        """Never asked for outside a run."""
        raise PlatformError("no picture can be kept here")
