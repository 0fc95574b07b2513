"""Where a client gets its token, anew for each request: the stored one of a connection, or one that is not stored yet.

What keeps the stored one alive lives in `refreshing`.
"""

from dataclasses import dataclass, field
from typing import Protocol

from patchbay.errors import CredentialsRefused
from patchbay.tokens import keeping, refreshing
from patchbay.tokens.attempt import Tell
from patchbay.tokens.present import Token


class TokenSource(Protocol):
    """Where a client gets its token, anew for each request."""

    def fresh(self) -> Token:
        """A token that is good for some minutes."""

    def replaced(self, refused: Token) -> Token:
        """A token in place of one that the platform has refused. Raises when there is none."""

    def worked(self, token: Token) -> None:
        """The platform took a token that was not proved yet."""

    def gave_up(self, reason: str) -> None:
        """Even the replacement was refused."""


@dataclass
class StoredToken:
    """The token of a connection. `tell` hears of each call to the token endpoint that was made for this one's sake."""

    connection_id: str
    tell: Tell = refreshing.tell_nobody
    _given: int | None = field(default=None, init=False, repr=False)

    def fresh(self) -> Token:
        """Refreshed ahead of its end."""
        return self._noted(refreshing.fresh(self.connection_id, self.tell))

    def replaced(self, refused: Token) -> Token:
        """Refreshed once for all workers that saw it refused."""
        return self._noted(refreshing.refresh(self.connection_id, seen_version=refused.version, tell=self.tell))

    def worked(self, token: Token) -> None:
        """The pair before it is needed no more."""
        keeping.prove(self.connection_id, token.version)

    def gave_up(self, reason: str) -> None:
        """The owner has to reconnect, unless there is a newer token than the one that was given here."""
        seen = self._given
        keeping.mark_reconnect_needed(self.connection_id, reason, seen_version=seen, unless_ended=seen is not None)

    def _noted(self, token: Token) -> Token:
        self._given = token.version
        return token


@dataclass(frozen=True)
class GivenToken:
    """A token that is not stored yet."""

    value: str = field(repr=False)

    def fresh(self) -> Token:
        """As it was given."""
        return Token(self.value, 0)

    def replaced(self, refused: Token) -> Token:  # noqa: ARG002 - the protocol's names
        """There is no other."""
        raise CredentialsRefused("the platform refused a token it had just given")

    def worked(self, token: Token) -> None:
        """Nothing was kept beside it."""

    def gave_up(self, reason: str) -> None:
        """Nothing is stored that could be marked."""
