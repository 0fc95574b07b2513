"""A platform inside this process, for simulated time: accounts with things that change, faults by the dice, a ledger.

What does not live here: the hub that reads from it, and what is measured (`month`).
"""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from patchbay import providers
from patchbay.errors import NetworkError, ProviderUnavailable, RateLimited, UnexpectedShape
from patchbay.spec import Api, Import, Item, Page, Provider

KEY = "dropbox"
"""The provider whose place it takes."""

OPERATION, STREAM = "import_things", "things"
ON_A_PAGE = 4
AT_FIRST = 6


class Killed(BaseException):
    """What a SIGKILL comes to: nothing behind this point happens."""


@dataclass(frozen=True)
class Entry:
    """A line of the ledger: when, of which account, and what: page, end (of a sweep), or the name of a fault."""

    at: datetime
    account: str
    what: str


@dataclass
class Platform:
    """Things by account: number and present content. `rate` of the pages asked for end in a fault.

    The dice are thrown anew for each page of each account, so that who comes first changes nothing.
    """

    now: Callable[[], datetime]
    seed: int
    rate: float
    things: dict[str, dict[str, int]] = field(default_factory=dict)
    away: set[str] = field(default_factory=set)
    ledger: list[Entry] = field(default_factory=list)
    asked: Counter[str] = field(default_factory=Counter)

    def open_account(self, account: str) -> None:
        """A new account with some things in it."""
        self.things[account] = {f"{number:04}": 0 for number in range(AT_FIRST)}

    def change(self) -> None:
        """In every account something new, something changed, something gone."""
        for things in self.things.values():
            newest = int(max(things))
            things[f"{newest:04}"] += 1
            things[f"{newest + 1:04}"] = 0
            del things[min(things)]

    def provider(self) -> Provider:
        """Its declaration: one import and nothing else."""
        operation = Import(OPERATION, "Import things", STREAM, self.pages)
        return replace(providers.get(KEY), settings=(), operations=(operation,))

    def pages(self, api: Api, cursor: str | None) -> Iterator[Page]:
        """The account's things; only a sweep that came to its end is in the ledger as one."""
        account = api.account
        ids = sorted(self.things[account])
        start: int | None = int(cursor or 0)
        while start is not None:
            self._answer(account)
            end = start + ON_A_PAGE
            shown = tuple(
                Item(one, f"Thing {one}", {"id": one, "content": self.things[account][one]}) for one in ids[start:end]
            )
            following = end if end < len(ids) else None
            yield Page(shown, None if following is None else str(following), len(ids))
            start = following
        self._note(account, "end")

    def faults(self) -> Counter[str]:
        """How many there were of each kind."""
        return Counter(entry.what for entry in self.ledger if entry.what not in {"page", "end"})

    def _answer(self, account: str) -> None:
        fault = "away" if account in self.away else self._fault(account)
        self._note(account, fault or "page")
        name = providers.get(KEY).name
        match fault:
            case "rate limit" | "away":
                pause = timedelta(hours=2) if fault == "away" else timedelta(minutes=5)
                raise RateLimited("429", retry_at=self.now() + pause, provider=name)
            case "unavailable":
                raise ProviderUnavailable("503", provider=name)
            case "no answer":
                raise NetworkError("reset", provider=name)
            case "misshapen":
                raise UnexpectedShape("no list", provider=name)
            case "killed":
                raise Killed

    def _fault(self, account: str) -> str:
        self.asked[account] += 1
        dice = random.Random(f"{self.seed} {account} {self.asked[account]}")  # noqa: S311 - dice, no secret
        if dice.random() >= self.rate:
            return ""
        return dice.choice(("rate limit", "unavailable", "no answer", "misshapen", "killed"))

    def _note(self, account: str, what: str) -> None:
        self.ledger.append(Entry(self.now(), account, what))
