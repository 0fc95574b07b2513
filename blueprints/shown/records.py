"""Records as pages show them: with their integration's name and tokens of their pictures."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from blueprints.shown.platforms import AtPlatform
from patchbay import images
from patchbay.models import Record
from patchbay.spec import Provider


@dataclass(frozen=True)
class Pictured:
    """A picture by the token that it is shown with, and its alternative text."""

    token: str
    alt: str | None


@dataclass(frozen=True)
class RecordRow(AtPlatform):
    """A record in a list."""

    _record: Record
    _provider: Provider

    @property
    def id(self) -> str:
        """Its id here."""
        return self._record.id

    @property
    def title(self) -> str:
        """What people know it by."""
        return self._record.title

    @property
    def external_id(self) -> str:
        """Its id at the platform."""
        return self._record.external_id

    @property
    def stream(self) -> str:
        """What kind of object it is."""
        return self._record.stream

    @property
    def first_seen_at(self) -> datetime:
        """When an import met it first."""
        return self._record.first_seen_at

    @property
    def updated_at(self) -> datetime:
        """When it changed here."""
        return self._record.updated_at

    @property
    def deleted_at(self) -> datetime | None:
        """When an import missed it."""
        return self._record.deleted_at

    @property
    def is_edited(self) -> bool:
        """Whether some of its fields were edited here."""
        return bool(self._record.local)

    @property
    def is_kept(self) -> bool:
        """Whether it was kept although it has gone there."""
        return self._record.is_kept

    @property
    def picture(self) -> str | None:
        """The token of its first picture."""
        return images.of_record(self._record, 0) if images.pictures_of(self._record.data) else None


@dataclass(frozen=True)
class RecordPage(RecordRow):
    """A record on its own page, with the account that it belongs to."""

    account_label: str

    @property
    def data(self) -> Mapping[str, Any]:
        """The object as it counts here."""
        return self._record.content

    @property
    def platform_data(self) -> Mapping[str, Any]:
        """The object as the platform gave it."""
        return self._record.data

    @property
    def edited(self) -> list[str]:
        """The names of the fields that were edited here."""
        return sorted(self._record.local or ())

    @property
    def pictures(self) -> list[Pictured]:
        """All of its pictures."""
        found = images.pictures_of(self._record.data)
        return [Pictured(images.of_record(self._record, n), image.get("alt")) for n, image in enumerate(found)]

    @property
    def address(self) -> str | None:
        """Its page at the platform, when that is an https address."""
        url = self._record.data.get("url")
        return url if isinstance(url, str) and url.startswith("https://") else None
