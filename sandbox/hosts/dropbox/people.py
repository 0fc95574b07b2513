"""The people who have a Dropbox in the sandbox, the team that some belong to, and what the platform tells about them.

What they keep there is in `tree`, what they allowed which app in `oauth`.
"""

import hashlib
from dataclasses import dataclass

from sandbox.mail_addresses import as_address, name_of
from sandbox.store import Document

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_TEAM_NAME = "Acme"


@dataclass(frozen=True, slots=True)
class Root:
    """What paths are relative to: a folder (`base`, its names from the top) of the tree of a root namespace."""

    tree: str
    base: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Person:
    """A Dropbox account, known by its address."""

    email: str

    @property
    def name(self) -> str:
        """A display name made of the address."""
        return name_of(self.email)

    @property
    def account_id(self) -> str:
        """The id for apps: 40 characters."""
        return "dbid:AA" + lettered(f"account:{self.email}", 33)

    @property
    def uid(self) -> str:
        """The older numeric id, which token answers still carry."""
        return _digits(f"uid:{self.email}", 9)

    @property
    def is_in_team(self) -> bool:
        """Whether the account is a member of the team, which has a root namespace of its own."""
        return self == MEMBER

    @property
    def home_namespace(self) -> str:
        """Where the person's own files are."""
        return _digits(f"home:{self.email}", 10)

    @property
    def root_namespace(self) -> str:
        """The team's space for a member, else the home namespace again."""
        return _digits(f"team:{_TEAM_NAME}", 10) if self.is_in_team else self.home_namespace

    @property
    def home(self) -> Root:
        """The root of calls that do not name one."""
        return Root(self.root_namespace, (self.name,) if self.is_in_team else ())

    @property
    def namespaces(self) -> dict[str, Root]:
        """Every namespace that the person may name, by id."""
        return {self.root_namespace: Root(self.root_namespace), self.home_namespace: self.home}

    def root_info(self) -> Document:
        """`RootInfo` of common.stone."""
        home_path: Document = {"home_path": f"/{self.name}"} if self.is_in_team else {}
        return {
            ".tag": "team" if self.is_in_team else "user",
            "root_namespace_id": self.root_namespace,
            "home_namespace_id": self.home_namespace,
        } | home_path

    def full_account(self) -> Document:
        """`FullAccount` of users.stone."""
        given, _, family = self.name.partition(" ")
        account: Document = {
            "account_id": self.account_id,
            "name": {
                "given_name": given,
                "surname": family,
                "familiar_name": given,
                "display_name": self.name,
                "abbreviated_name": (given[:1] + family[:1]).upper(),
            },
            "email": self.email,
            "email_verified": True,
            "disabled": False,
            "country": "DE",
            "locale": "en",
            "referral_link": f"https://www.dropbox.com/referrals/{lettered(f'referral:{self.email}', 16)}",
            "is_paired": False,
            "account_type": {".tag": "business" if self.is_in_team else "basic"},
            "root_info": self.root_info(),
        }
        return account | (_membership(self) if self.is_in_team else {})


MEMBER = Person("ben@acme.example")
PEOPLE = (Person("ada@example.org"), MEMBER, Person("cleo@example.org"))


def person(email: object) -> Person | None:
    """The account of an address; any well-formed one has a Dropbox here. None for what is no address."""
    address = as_address(email)
    return Person(address) if address else None


def lettered(text: str, length: int) -> str:
    """Up to 64 letters, the same for the same text."""
    digest = hashlib.sha512(text.encode()).digest()
    return "".join(_LETTERS[byte % len(_LETTERS)] for byte in digest[:length])


def _membership(member: Person) -> Document:
    """What a team adds to an account: `FullTeam` with the policies that users.stone asks for."""
    policies = {
        "shared_folder_member_policy": {".tag": "team"},
        "shared_folder_join_policy": {".tag": "from_anyone"},
        "shared_link_create_policy": {".tag": "team_only"},
        "group_creation_policy": {".tag": "admins_only"},
        "shared_folder_link_restriction_policy": {".tag": "anyone"},
        "enforce_link_password_policy": {".tag": "optional"},
        "default_link_expiration_days_policy": {".tag": "none"},
        "shared_link_default_permissions_policy": {".tag": "default"},
    }
    return {
        "team_member_id": "dbmid:AA" + lettered(f"member:{member.email}", 33),
        "team": {
            "id": team_id(),
            "name": _TEAM_NAME,
            "sharing_policies": policies,
            "office_addin_policy": {".tag": "disabled"},
            "top_level_content_policy": {".tag": "everyone"},
        },
    }


def team_id() -> str:
    """The id of the one team."""
    return "dbtid:AA" + lettered(f"team:{_TEAM_NAME}", 33)


def _digits(text: str, length: int) -> str:
    number = int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")
    return str(number)[-length:].replace("0", "7", 1)
