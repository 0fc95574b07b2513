"""Cards and the shelves they stand on: the catalogue as one reader sees it.

How a card's state comes about is decided in `patchbay.catalog`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from blueprints.rendering import said
from blueprints.shown.integrations import choose_first
from blueprints.shown.runs import RunRow, reason_of
from patchbay import connections
from patchbay.catalog import ATTENTION_FIRST, CardState, Entry
from patchbay.errors import N_, GrantExpired
from patchbay.models import WaitReason
from patchbay.spec import Category

CATEGORY_NAMES = {
    Category.DESIGN_TOOLS: N_("Design tools"),
    Category.ECOMMERCE: N_("E-commerce"),
    Category.MARKETING: N_("Marketing"),
    Category.STORAGE: N_("Storage"),
}
SUGGESTED = ("shopify", "google-drive", "etsy")


@dataclass(frozen=True)
class Shelf:
    """A category as a link that switches it on or off: its key, its name (a message id), what is then chosen."""

    key: str
    name: str
    is_chosen: bool
    toggled: Sequence[str]


@dataclass(frozen=True)
class Card:
    """One integration. `operation` is the import that Sync starts; `reason` says why attention is needed.

    `action` is what is done with one that brings nothing in: its name and title (a message id). `missing` are the
    labels (message ids) of choices that are still to be made.
    """

    key: str
    name: str
    description: str
    logo: str | None
    state: CardState
    account_label: str | None
    last_synced_at: datetime | None
    operation: str | None
    run: RunRow | None
    resumes_at: datetime | None
    reason: str
    is_sandbox: bool
    missing: Sequence[str] = ()
    action: tuple[str, str] | None = None


@dataclass(frozen=True)
class Catalogue:
    """The integrations page: what is searched for, the shelves, and the counts over all integrations."""

    q: str
    chosen: Sequence[Category]
    found: Sequence[Card]
    everything: Sequence[Entry]

    @property
    def categories(self) -> list[Shelf]:
        """All categories, by name."""
        return [
            Shelf(
                category.value,
                name,
                category in self.chosen,
                [one.value for one in CATEGORY_NAMES if (one in self.chosen) != (one is category)],
            )
            for category, name in CATEGORY_NAMES.items()
        ]

    @property
    def category_names(self) -> list[str]:
        """The chosen categories' names (message ids), none for all."""
        return [CATEGORY_NAMES[category] for category in self.chosen]

    @property
    def connected(self) -> list[Card]:
        """Cards of the first shelf."""
        return [card for card in self.found if card.account_label is not None]

    @property
    def available(self) -> list[Card]:
        """Cards that can be connected, or set up."""
        rest = [card for card in self.found if card.account_label is None]
        return [card for card in rest if card.state is not CardState.COMING_SOON]

    @property
    def coming_soon(self) -> list[Card]:
        """Cards of the last shelf."""
        return [card for card in self.found if card.state is CardState.COMING_SOON]

    @property
    def suggested(self) -> list[Card]:
        """Where to begin, for readers who have connected nothing and look for nothing in particular."""
        if self.q or self.chosen or self.connected_count:
            return []
        by_key = {card.key: card for card in self.available}
        return [by_key[key] for key in SUGGESTED if key in by_key]

    @property
    def is_empty(self) -> bool:
        """Whether there is no integration at all."""
        return not self.everything

    @property
    def total(self) -> int:
        """How many can be connected today."""
        return sum(entry.state is not CardState.COMING_SOON for entry in self.everything)

    @property
    def connected_count(self) -> int:
        """How many the reader has connected."""
        return sum(entry.is_connected for entry in self.everything)

    @property
    def attention_count(self) -> int:
        """How many of them wait for the reader."""
        return sum(entry.state in ATTENTION_FIRST for entry in self.everything)


def card_of(entry: Entry) -> Card:
    """The entry as a card."""
    connection = entry.connection if entry.is_connected else None
    imports = entry.provider.imports
    return Card(
        key=entry.integration.id,
        name=entry.integration.name,
        description=entry.integration.description,
        logo=entry.provider.logo,
        state=entry.state,
        account_label=connection.account_label if connection else None,
        last_synced_at=connection.last_synced_at if connection else None,
        operation=imports[0].name if imports else None,
        run=RunRow(entry.run, entry.provider) if entry.run is not None and connection else None,
        resumes_at=entry.run.resumes_at if entry.run is not None else None,
        reason=_reason(entry),
        is_sandbox=connection.is_sandbox if connection else False,
        missing=[field.label for field in connections.missing_choices(connection)] if connection else (),
        action=_action(entry) if connection and not imports else None,
    )


def _action(entry: Entry) -> tuple[str, str] | None:
    """The first thing that can be done there."""
    return next(((one.name, one.title) for one in entry.provider.actions if not one.is_read_only), None)


def _reason(entry: Entry) -> str:
    if entry.state is CardState.NEEDS_ATTENTION:
        return said(GrantExpired.sentence)
    if entry.state is CardState.CHOICE_NEEDED and entry.connection is not None:
        return choose_first(connections.missing_choices(entry.connection))
    if entry.state is CardState.ERROR and entry.run is not None:
        return reason_of(entry.run)
    if entry.run is not None and entry.run.wait_reason is WaitReason.CONFIRM_DELETIONS:
        return said(N_("Many records are no longer there. The last sync waits for your decision about them."))
    return ""
