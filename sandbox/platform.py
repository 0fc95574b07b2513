"""What a host file must say so that the sandbox can play a platform, and the discovery of those files.

Routing, faults, the ledger and the control calls live in the modules beside it.
"""

import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib import import_module
from inspect import getmembers, isabstract, isclass
from typing import ClassVar

from werkzeug.wrappers import Request, Response

from sandbox import hosts
from sandbox.store import Document, Page, Store

__all__ = [
    "ControlForm",
    "ControlRefused",
    "Description",
    "Document",
    "Page",
    "Platform",
    "Store",
    "count_and_seed",
    "discover",
    "refuse_unknown",
]


class ControlRefused(Exception):
    """A control call that cannot be done; `text` is what the caller reads, `status` the HTTP status (4xx)."""

    def __init__(self, text: str, status: int = 422) -> None:
        super().__init__(text)
        self.text = text
        self.status = status


@dataclass(frozen=True, slots=True)
class Description:
    """What the ledger says of one request beyond method, host and path; never a secret, only its last characters."""

    operation: str | None = None
    grant_type: str | None = None
    token_tail: str | None = None
    account: str | None = None


@dataclass(frozen=True, slots=True)
class ControlForm:
    """One form on the sandbox's own page for a control call that only this platform has.

    `path` follows `/_sandbox/<key>/`; `{name}` in it is filled from the field of that name, the other fields go as a
    JSON body. With `csv` the form takes one file and sends it as text/csv, the fields as query.
    """

    title: str
    method: str
    path: str
    fields: tuple[str, ...] = ()
    csv: bool = False


class Platform(ABC):
    """One platform as the sandbox plays it. Methods are called from many threads at once."""

    key: ClassVar[str]
    name: ClassVar[str]
    hosts: ClassVar[tuple[str, ...]]  # fnmatch patterns
    forms: ClassVar[tuple[ControlForm, ...]] = ()
    generate_fields: ClassVar[tuple[str, ...]] = ("count", "seed", "shop")  # what the page's forms offer
    token_fields: ClassVar[tuple[str, ...]] = ("scopes", "account", "shop")
    has_lifetimes: ClassVar[bool] = True  # of its tokens; keys have none
    secret_parameters: ClassVar[frozenset[str]] = frozenset()  # of queries, beyond those that the ledger always hides

    def __init__(self, store: Store) -> None:
        self.store = store

    @abstractmethod
    def reset(self) -> None:
        """Fill the store with the first state. The caller has emptied the store of this platform before."""

    @abstractmethod
    def handle(self, request: Request, host: str, path: str) -> Response:
        """Answer as the platform would; `path` begins with a slash and carries no query."""

    @abstractmethod
    def is_api_call(self, request: Request, host: str, path: str) -> bool:
        """Whether faults without `match` strike here: API and token calls, not the consent page."""

    @abstractmethod
    def describe(self, request: Request, host: str, path: str) -> Description:
        """What the ledger notes; called before `handle`, changes nothing, must cope with any input."""

    @abstractmethod
    def rate_limit(self, request: Request, host: str, path: str, seconds: float) -> Response:
        """The platform's own throttle answer, announcing `seconds` where its dialect can."""

    @abstractmethod
    def server_error(self, request: Request, host: str, path: str) -> Response:
        """The platform's own 5xx answer."""

    @abstractmethod
    def expire_tokens(self) -> None:
        """Make every present access token expired, refresh tokens untouched."""

    @abstractmethod
    def revoke_grants(self) -> None:
        """Kill every present access and refresh token for good."""

    @abstractmethod
    def issue_token(self, wanted: Document) -> Document:
        """A token answer without a walk through the consent; raises ControlRefused on input that makes no sense."""

    @abstractmethod
    def generate(self, wanted: Document) -> Document:
        """Deterministic synthetic content from `count` and `seed`; raises ControlRefused."""

    @abstractmethod
    def collections(self, shop: str | None) -> dict[str, int]:
        """Names and totals of what `page` can show."""

    @abstractmethod
    def page(self, collection: str, cursor: str | None, limit: int, shop: str | None) -> Page:
        """One page of a collection in the platform's own JSON; raises ControlRefused for a bad cursor."""

    def control(self, request: Request, rest: str) -> Response | None:  # noqa: ARG002 - a hook most platforms leave out
        """Control calls that only this platform has; `rest` is what follows `/_sandbox/<key>/`. None means 404."""
        return None

    def serves(self, host: str) -> bool:
        """Whether this platform plays `host` (lower case, without port)."""
        return any(fnmatchcase(host, pattern) for pattern in self.hosts)


def refuse_unknown(wanted: Document, *known: str) -> None:
    """Raise ControlRefused when a control call has a field beyond those it takes."""
    unknown = sorted(set(wanted) - set(known))
    if unknown:
        raise ControlRefused(f"Unknown field: {', '.join(unknown)}")


def count_and_seed(wanted: Document, most: int, *others: str) -> tuple[int, int]:
    """What `generate` is asked for: how many (0 to `most`), and what the content is made from (without one: 0).

    Raises ControlRefused, for a field too that is neither of the two nor one of `others`.
    """
    refuse_unknown(wanted, "count", "seed", *others)
    count, seed = wanted.get("count"), wanted.get("seed", 0)
    if type(count) is not int or not 0 <= count <= most:
        raise ControlRefused(f"count must be a number from 0 to {most}")
    if type(seed) is not int:
        raise ControlRefused("seed must be a whole number")
    return count, seed


def discover(store_for: Callable[[str], Store]) -> dict[str, Platform]:
    """Every platform found under `sandbox/hosts`, by key; raises RuntimeError when a file defines none or many."""
    platforms: dict[str, Platform] = {}
    for module_info in pkgutil.iter_modules(hosts.__path__):
        kind = _platform_of(f"{hosts.__name__}.{module_info.name}")
        if kind.key in platforms:
            raise RuntimeError(f"Two hosts call themselves {kind.key}")
        platforms[kind.key] = kind(store_for(kind.key))
    return platforms


def _platform_of(module_name: str) -> type[Platform]:
    module = import_module(module_name)
    found = {
        member
        for _, member in getmembers(module, isclass)
        if issubclass(member, Platform) and not isabstract(member) and member.__module__.startswith(module_name)
    }
    if len(found) != 1:
        raise RuntimeError(f"{module_name} must define exactly one platform, it defines {len(found)}")
    return found.pop()
