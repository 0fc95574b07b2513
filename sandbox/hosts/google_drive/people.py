"""The people who have a Drive in the sandbox, and what the platform tells about them.

What they allowed which app is in `oauth`, what they keep in `tree`.
"""

import hashlib
from dataclasses import dataclass

from sandbox.mail_addresses import as_address, name_of
from sandbox.store import Document


@dataclass(frozen=True, slots=True)
class Person:
    """A Google account, known by its address."""

    email: str

    @property
    def name(self) -> str:
        """A display name made of the address."""
        return name_of(self.email)

    @property
    def subject(self) -> str:
        """The OpenID subject: 21 digits that never change."""
        return "1" + _digits(f"subject:{self.email}", 20)

    @property
    def permission_id(self) -> str:
        """The stable id that Drive uses for a user: 20 digits."""
        return _digits(f"permission:{self.email}", 20)

    @property
    def photo(self) -> str:
        """Address of the picture."""
        return f"https://lh3.googleusercontent.com/a/sandbox-{self.permission_id}=s64"

    def as_user(self) -> Document:
        """Drive's `User` resource."""
        return {
            "kind": "drive#user",
            "displayName": self.name,
            "photoLink": self.photo,
            "me": True,
            "permissionId": self.permission_id,
            "emailAddress": self.email,
        }


PEOPLE = tuple(Person(f"{name}@example.org") for name in ("ada", "ben", "cleo"))


def person(email: object) -> Person | None:
    """The account of an address; any well-formed one has a Drive here. None for what is no address."""
    address = as_address(email)
    return Person(address) if address else None


def _digits(text: str, length: int) -> str:
    number = int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")
    return str(number)[-length:].replace("0", "7", 1) if length else ""
