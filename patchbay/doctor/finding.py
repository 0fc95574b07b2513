"""What an examination comes to: well, to be looked at, or broken, and what to do about it."""

from dataclasses import dataclass, replace
from enum import StrEnum


class Level(StrEnum):
    """How grave a finding is; the last means that something does not work."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Finding:
    """One line for the operator. `advice` says what to do, "" when there is nothing; neither holds a secret."""

    level: Level
    text: str
    advice: str = ""
    name: str = ""

    def about(self, name: str) -> "Finding":
        """The finding under the name of what was examined."""
        return replace(self, name=name)


def well(text: str) -> Finding:
    """It is as it should be."""
    return Finding(Level.OK, text)


def doubtful(text: str, advice: str) -> Finding:
    """It works, but should be looked at."""
    return Finding(Level.WARN, text, advice)


def broken(text: str, advice: str) -> Finding:
    """It does not work."""
    return Finding(Level.FAIL, text, advice)
