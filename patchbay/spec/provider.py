"""The declaration of a provider: what it is, how it is connected, what can be asked of it."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from patchbay.spec.api import Api, Request
from patchbay.spec.auth import Auth
from patchbay.spec.faults import Rule
from patchbay.spec.field import Field
from patchbay.spec.throttle import Throttle

ASKED_AT_ONCE = 100
ASKED_SINGLY = 50


class Category(StrEnum):
    """The catalogue's shelves."""

    DESIGN_TOOLS = "design-tools"
    ECOMMERCE = "ecommerce"
    MARKETING = "marketing"
    STORAGE = "storage"


class Status(StrEnum):
    """Whether a provider can be connected yet."""

    ACTIVE = "active"
    COMING_SOON = "coming_soon"


@dataclass(frozen=True)
class Account:
    """Whose account it is at the platform: a stable id and the label that people know it by."""

    id: str
    label: str


@dataclass(frozen=True)
class Item:
    """One external object: the platform's id as text, a title to show and search, and what is stored.

    `version` is a text of the platform's that changes whenever the object does; None where it has none, or where it may
    yet stay the same although the object changes.
    """

    external_id: str
    title: str
    data: Mapping[str, Any]
    version: str | None = None


@dataclass(frozen=True)
class Page:
    """Some items of a stream. `next_cursor` resumes behind them, None: this was the last. `total`: if known."""

    items: tuple[Item, ...]
    next_cursor: str | None
    total: int | None = None


@dataclass(frozen=True)
class Outline:
    """Some objects of a stream by nothing but id and version (see `Item.version`); else as `Page`."""

    versions: Mapping[str, str]
    next_cursor: str | None
    total: int | None = None


@dataclass(frozen=True)
class Changes:
    """How a stream is read again without reading all of it: an outline tells what has changed and what is gone.

    `outlines(api, cursor)` yields the whole stream by ids and versions, in an order that paging keeps; `fetch(api,
    ids)` gives those objects (fewer when some are gone meanwhile), at most as many as one outline names.
    """

    outlines: Callable[[Api, str | None], Iterator[Outline]]
    fetch: Callable[[Api, Sequence[str]], tuple[Item, ...]]


class EditRule(StrEnum):
    """What happens to a field that was edited here when the platform changes it too; the loser is kept."""

    REMOTE_WINS = "remote_wins"
    LOCAL_WINS = "local_wins"
    ASK = "ask"


@dataclass(frozen=True)
class Import:
    """Brings a stream in. `pages(api, cursor)` yields all of it from `cursor` on, in an order that paging keeps.

    `stream` names both the records and the list in the operation's answer; `show` is a stored object in that answer.
    With `changes`, only the first import reads everything. `ids(api, cursor)` yields all of it by nothing but ids (the
    versions empty), where the platform can leave out the rest. `present(api, ids)` gives those ids of which the
    platform says that they exist; it is asked, at most `ASKED_AT_ONCE` at a time, before anything is deleted here.
    Where that takes a request for each of them (`present_singly`), at most `ASKED_SINGLY` are asked for, and when more
    are missing the stream is read once more instead.
    `editable` are the fields of a stored object that may be edited here, `edits` the rule for when the platform
    changes them too.
    """

    name: str
    title: str
    stream: str
    pages: Callable[[Api, str | None], Iterator[Page]]
    scopes: tuple[str, ...] = ()
    doing: str = ""
    show: Callable[[Mapping[str, Any]], Mapping[str, Any]] = dict
    changes: Changes | None = None
    ids: Callable[[Api, str | None], Iterator[Outline]] | None = None
    present: Callable[[Api, Sequence[str]], Collection[str]] | None = None
    present_singly: bool = False
    editable: tuple[Field, ...] = ()
    edits: EditRule = EditRule.REMOTE_WINS
    input: tuple[Field, ...] = ()


@dataclass(frozen=True)
class Action:
    """Does something: checked input → JSON result. `run` must be safe to start again after a kill (`Api.remember`).

    `gives` names what is in the result. `doing` completes "while we were …". `is_read_only`: it changes nothing there.
    `needs_public_address`: the platform fetches pictures from this hub, which must be reachable from outside.
    """

    name: str
    title: str
    run: Callable[[Api, Mapping[str, Any]], Mapping[str, Any]]
    input: tuple[Field, ...] = ()
    scopes: tuple[str, ...] = ()
    gives: tuple[str, ...] = ()
    doing: str = ""
    is_read_only: bool = False
    needs_public_address: bool = False


Operation = Import | Action


@dataclass(frozen=True)
class Setup:
    """What an administrator does once, so that people here can connect: message ids, drawn as a numbered guide.

    `register_url` is where an app is registered; `steps` what to do there, in order (the redirect URI and the scopes to
    paste are shown beside them); `limits` what a new app may not do yet. `probe` is a request that tells whether the
    app's own headers are right, where the token endpoint is never shown the secret.
    """

    register_url: str
    steps: tuple[str, ...]
    limits: tuple[str, ...] = ()
    probe: Request | None = None


@dataclass(frozen=True)
class Provider:
    """A platform as Patchbay knows it.

    `hosts` are patterns of every host that it is spoken to at, and of those that the sandbox plays; `token_hosts` those
    that may be sent a token, `{field}` for an address that the user gave. `fields` are asked before connecting,
    `settings` after it: one with a `pick` is a choice among what the account has, made by itself where there is just
    one. `identify` tells whose account a fresh token belongs to. `revoke` ends the grant where the platform has a call
    of its own for it; `uninstall` removes our app there for good. `credentials_name` is the NAME of `<NAME>_CLIENT_ID`.
    `api_ends` is the day from which the platform no longer serves the version spoken here, where it has named one.
    `logo` is a simple-icons name, None: a tile with the initial. `sources` are the pages the facts come from.
    """

    key: str
    name: str
    category: Category
    description: str
    status: Status = Status.ACTIVE
    logo: str | None = None
    hosts: tuple[str, ...] = ()
    token_hosts: tuple[str, ...] = ()
    auth: Auth | None = None
    fields: tuple[Field, ...] = ()
    settings: tuple[Field, ...] = ()
    identify: Callable[[Api], Account] | None = None
    revoke: Callable[[Api], None] | None = None
    uninstall: Callable[[Api], None] | None = None
    setup: Setup | None = None
    operations: tuple[Operation, ...] = ()
    faults: tuple[Rule, ...] = ()
    throttle: Throttle | None = None
    credentials_name: str = ""
    access_page: str = ""
    api_ends: date | None = None
    sources: tuple[str, ...] = field(default=())

    def operation(self, name: str) -> Operation | None:
        """The operation of that name."""
        return next((operation for operation in self.operations if operation.name == name), None)

    def unchosen(self, values: Mapping[str, Any]) -> tuple[Field, ...]:
        """What must be chosen after connecting and is not among these settings yet."""
        return tuple(field for field in self.settings if field.pick and field.required and not values.get(field.name))

    @property
    def imports(self) -> tuple[Import, ...]:
        """The operations that bring a stream in."""
        return tuple(operation for operation in self.operations if isinstance(operation, Import))

    @property
    def actions(self) -> tuple[Action, ...]:
        """The operations that do something."""
        return tuple(operation for operation in self.operations if isinstance(operation, Action))
