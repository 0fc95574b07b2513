"""The mail addresses by which most platforms know their people: which ones exist, and what their owners are called.

Who the people of a platform are, and what it tells about them, is its own matter.
"""

import re

_WELL_FORMED = re.compile(r"[a-z0-9._+-]{1,64}@[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})+")


def as_address(text: object) -> str | None:
    """The address in lower case; None for what is no address. Whoever has one has an account here."""
    lowered = text.strip().lower() if isinstance(text, str) else ""
    return lowered if _WELL_FORMED.fullmatch(lowered) else None


def name_of(address: str) -> str:
    """A display name: `ada.lovelace@example.org` is Ada Lovelace."""
    return " ".join(part.capitalize() for part in re.split(r"[._+-]", address.partition("@")[0]) if part)
