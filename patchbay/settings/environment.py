"""How one environment variable is read: as text, as a secret that a file may hold, as a number, as a switch.

What does not live here: which variables there are and what they mean (`settings`). All raise SettingsError.
"""

from collections.abc import Mapping
from pathlib import Path

from patchbay.errors import SettingsError


class Environment:
    """What the process was given; a variable that is not set, or blank, counts as its default."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    def text(self, name: str, default: str) -> str:
        """The value of `name`, without blanks around it."""
        return self._values.get(name, "").strip() or default

    def secret(self, name: str) -> str:
        """The value of `name`, or what the file named by `<name>_FILE` holds; "" when neither is set."""
        path = self._values.get(f"{name}_FILE", "").strip()
        if not path:
            return self.text(name, "")
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise SettingsError(f"{name}_FILE: cannot read {path}: {error.strerror}.") from error
        except UnicodeDecodeError as error:
            raise SettingsError(f"{name}_FILE: {path} is not text.") from error

    def number(self, name: str, default: int, lowest: int, highest: int) -> int:
        """The value of `name` as a whole number within its limits."""
        text = self.text(name, str(default))
        if not text.isascii() or not text.isdigit() or not lowest <= int(text) <= highest:
            raise SettingsError(f"{name} must be a whole number from {lowest} to {highest}, not {text!r}.")
        return int(text)

    def switch(self, name: str, default: bool) -> bool:
        """Whether `name` is on."""
        text = self.text(name, "on" if default else "off").lower()
        if text not in {"on", "off"}:
            raise SettingsError(f"{name} must be on or off, not {text!r}.")
        return text == "on"

    def names(self) -> list[str]:
        """All variables that have a value."""
        return [name for name, value in self._values.items() if value.strip()]
