"""The people who have a Figma account in the sandbox.

What they may see is in `library`, what they allowed which app in `oauth`.
"""

import hashlib
import re
from dataclasses import dataclass

from sandbox.store import Document

_EMAIL = re.compile(r"[a-z0-9._+-]{1,64}@[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})+")


@dataclass(frozen=True, slots=True)
class Person:
    """A Figma user, known by the address of the account."""

    email: str

    @property
    def id(self) -> str:
        """Nineteen digits: more than a double holds, so it travels as text."""
        number = int.from_bytes(hashlib.sha256(f"user:{self.email}".encode()).digest(), "big")
        return "9" + str(number)[-18:]

    @property
    def handle(self) -> str:
        """The name that others see."""
        return " ".join(part.capitalize() for part in re.split(r"[._+-]", self.email.partition("@")[0]) if part)

    def as_user(self) -> Document:
        """The `User` of the API, which others may see: no address."""
        picture = f"https://s3-alpha-sig.figma.com/profile/{self.id}"
        return {"id": self.id, "handle": self.handle, "img_url": picture}


ADA, BEN, CLEO = (Person(f"{name}@example.org") for name in ("ada", "ben", "cleo"))
PEOPLE = (ADA, BEN, CLEO)


def person(email: object) -> Person | None:
    """The account of an address; any well-formed one has one. None for what is no address."""
    lowered = email.strip().lower() if isinstance(email, str) else ""
    return Person(lowered) if _EMAIL.fullmatch(lowered) else None
