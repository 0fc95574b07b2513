"""How long tokens live and how often a refresh token works, where a test wants it shorter than the platform has it.

Which tokens there are, and what an answer says of them, is each platform's own matter (`grants` and the hosts).
"""

import msgspec

from sandbox.store import Document, Store

_COLLECTION, _KEY = "lifetimes", "all"


class Lifetimes(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """In seconds; None leaves the platform's own. `one_use`: a refresh token that comes back is refused at once."""

    access_seconds: float | None = None
    refresh_seconds: float | None = None
    one_use: bool = False

    def __post_init__(self) -> None:
        if any(each is not None and not 0 < each < 10**9 for each in (self.access_seconds, self.refresh_seconds)):
            raise ValueError("seconds must be above 0")


def change(store: Store, wanted: Document) -> Document:
    """Take new lifetimes for all tokens that are issued from now on; raises msgspec.ValidationError."""
    lifetimes = msgspec.convert(wanted, Lifetimes)
    kept: Document = msgspec.to_builtins(lifetimes)
    store.put(_COLLECTION, _KEY, kept)
    return kept


def present(store: Store) -> Lifetimes:
    """What holds now."""
    found = store.get(_COLLECTION, _KEY)
    return msgspec.convert(found, Lifetimes) if found else Lifetimes()
