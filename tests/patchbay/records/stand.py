"""A small platform whose list can be made to lie."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace

import pytest

from patchbay import providers, runs
from patchbay.models import Run, fresh_view
from patchbay.spec import Api, Changes, EditRule, Field, Import, Item, Kind, Outline, Page

ON_A_PAGE = 10


@dataclass
class Stand:
    """What the platform has, by id, and what it leaves out of its list: `hidden` as often as `hides`."""

    things: dict[str, str] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    hides: int = 1_000
    tells_total: bool = True
    sweeps: int = 0
    trouble: dict[int, BaseException] = field(default_factory=dict)

    def stock(self, count: int) -> None:
        """So many things."""
        self.things = {f"{number:03}": "first" for number in range(count)}

    def pages(self, _api: Api, cursor: str | None) -> Iterator[Page]:
        for ids, following, total in self._walk(cursor):
            yield Page(tuple(self._item(one) for one in ids), following, total)

    def outlines(self, _api: Api, cursor: str | None) -> Iterator[Outline]:
        for ids, following, total in self._walk(cursor):
            yield Outline({one: self.things[one] for one in ids}, following, total)

    def fetch(self, _api: Api, ids: Sequence[str]) -> tuple[Item, ...]:
        return tuple(self._item(one) for one in ids)

    def present(self, _api: Api, ids: Sequence[str]) -> Collection[str]:
        return [one for one in ids if one in self.things]

    def _walk(self, cursor: str | None) -> Iterator[tuple[list[str], str | None, int | None]]:
        if cursor is None:
            self.sweeps += 1
        listed = [one for one in sorted(self.things) if one not in self.hidden or self.sweeps > self.hides]
        total = len(self.things) if self.tells_total else None
        for start in range(int(cursor or 0), max(len(listed), 1), ON_A_PAGE):
            if start in self.trouble:
                raise self.trouble.pop(start)
            following = start + ON_A_PAGE
            yield listed[start:following], str(following) if following < len(listed) else None, total

    def _item(self, one: str) -> Item:
        content = self.things[one]
        return Item(one, f"{content} {one}", {"id": one, "title": f"{content} {one}", "note": content}, content)


@dataclass
class Ways:
    """What the platform can be asked beside its list; takes effect with the next import."""

    stand: Stand
    monkeypatch: pytest.MonkeyPatch

    def offer(self, *, present: bool = False, singly: bool = False, ids: bool = False, outline: bool = False) -> None:
        """Put the stand in the place of Dropbox."""
        operation = Import(
            "import_things",
            "Import",
            "things",
            self.stand.pages,
            changes=Changes(self.stand.outlines, self.stand.fetch) if outline else None,
            ids=self.stand.outlines if ids else None,
            present=self.stand.present if present else None,
            present_singly=singly,
            editable=(Field("title", "Title", max_length=50), Field("note", "Note", Kind.LONG_TEXT, required=False)),
            edits=EditRule.REMOTE_WINS,
        )
        provider = replace(providers.get("dropbox"), settings=(), operations=(operation,))
        self.monkeypatch.setitem(providers._by_key(), "dropbox", provider)


def reread(run: Run) -> Run:
    """The run as it is now."""
    fresh_view()
    return runs.get(run.user_id, run.id)
