"""The people who have a Figma account in the sandbox.

What they may see is in `library`, what they allowed which app in `oauth`.
"""

import hashlib
from dataclasses import dataclass

from sandbox.mail_addresses import as_address, name_of
from sandbox.store import Document


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
        return name_of(self.email)

    def as_user(self) -> Document:
        """The `User` of the API, which others may see: no address."""
        picture = f"https://s3-alpha-sig.figma.com/profile/{self.id}"
        return {"id": self.id, "handle": self.handle, "img_url": picture}


ADA, BEN, CLEO = (Person(f"{name}@example.org") for name in ("ada", "ben", "cleo"))
PEOPLE = (ADA, BEN, CLEO)


def person(email: object) -> Person | None:
    """The account of an address; any well-formed one has one. None for what is no address."""
    address = as_address(email)
    return Person(address) if address else None
