"""Stores and where they stand: one at the root of each host, one more in its folder `/shop`.

What a store sells is in `catalogue`.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

DEMO_STORE = "demo-store.example"
FOLDER = "/shop"
GMT_OFFSET = timedelta(hours=2)  # of every store, so that nobody takes a store's own time for UTC
_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.example")
_TIME = "%Y-%m-%dT%H:%M:%S"


@dataclass(frozen=True, slots=True)
class Store:
    """A WordPress site with WooCommerce. `key` names it in control calls, in the ledger and in what is kept."""

    host: str
    folder: str = ""

    @property
    def key(self) -> str:
        """`demo-store.example` or `demo-store.example/shop`."""
        return self.host + self.folder

    @property
    def home(self) -> str:
        """Its address, without a slash at the end."""
        return f"https://{self.key}"

    @property
    def name(self) -> str:
        """The name that its owner gave it."""
        title = self.host.removesuffix(".example").replace("-", " ").replace(".", " ").title()
        return f"{title} Shop" if self.folder else title


def located(host: str, path: str) -> tuple[Store, str]:
    """The store that a path of a host leads into, and the rest of the path inside it."""
    if path == FOLDER or path.startswith(f"{FOLDER}/"):
        return Store(host, FOLDER), path.removeprefix(FOLDER) or "/"
    return Store(host), path


def store_called(text: str) -> Store | None:
    """The store of a key; None for what names none."""
    host, slash, folder = text.strip().lower().removeprefix("https://").rstrip("/").partition("/")
    if not _HOST.fullmatch(host) or slash + folder not in ("", FOLDER):
        return None
    return Store(host, slash + folder)


def now_text() -> str:
    """The present second in GMT, without a zone, as the platform writes times."""
    return datetime.now(UTC).strftime(_TIME)


def read_time(text: str) -> datetime:
    """A time as the platform writes it, in the zone it is meant in (which it does not say)."""
    return datetime.strptime(text, _TIME)  # noqa: DTZ007 - the platform's times name no zone


def write_time(moment: datetime) -> str:
    """A time as the platform writes it."""
    return moment.strftime(_TIME)


def site_time(gmt: str) -> str:
    """A GMT time as the store's own clock shows it."""
    return write_time(read_time(gmt) + GMT_OFFSET)
