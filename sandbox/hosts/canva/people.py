"""The people who have a Canva account in the sandbox, and the ids under which an app knows them.

What they allowed which app is in `oauth`, what they designed in `designs`.
"""

import hashlib
from dataclasses import dataclass

from sandbox.mail_addresses import as_address, name_of
from sandbox.store import Document

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Person:
    """A Canva account on the free plan, known by its address; Canva itself never tells an app the address."""

    email: str

    @property
    def name(self) -> str:
        """The display name, made of the address."""
        return name_of(self.email)

    @property
    def team_id(self) -> str:
        """Everybody has a team of their own."""
        return f"oB{scrambled(f'team:{self.email}', 11)}"

    def user_id(self, client_id: str) -> str:
        """Another one for each app: "an obfuscated value" (reference of the introspection)."""
        return f"oU{scrambled(f'user:{client_id}:{self.email}', 11)}"

    def as_owner(self, client_id: str) -> Document:
        """Canva's `team_user`, as that app sees it."""
        return {"user_id": self.user_id(client_id), "team_id": self.team_id}


PEOPLE = tuple(Person(f"{name}@example.org") for name in ("ada", "ben", "cleo"))


def person(email: object) -> Person | None:
    """The account of an address; any well-formed one exists here. None for what is no address."""
    address = as_address(email)
    return Person(address) if address else None


def scrambled(text: str, length: int) -> str:
    """Letters and digits that follow from a text and do not tell it; at most 40."""
    number = int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")
    digits = []
    for _ in range(length):
        number, digit = divmod(number, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return "".join(digits)
