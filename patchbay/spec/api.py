"""What a provider's functions are handed to speak with: `Api`, with `Request`, `Answer` and `Picture`.

The thing behind these protocols is `patchbay.client`; a test may stand in for it with a few lines.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Picture:
    """A picture to send out: a file name with its extension, the media type, its size, and a way to its bytes.

    `read(start, count)` gives at most `count` bytes from `start` on, so that a large file never lies in memory whole.
    """

    filename: str
    content_type: str
    name: str
    size_bytes: int
    read: Callable[[int, int], bytes] = field(repr=False)

    @property
    def content(self) -> bytes:
        """All bytes at once: for what is sent in one request."""
        return self.read(0, self.size_bytes)

    @classmethod
    def of(cls, content: bytes, *, filename: str, content_type: str, name: str = "") -> "Picture":
        """A picture whose bytes are at hand."""
        return cls(filename, content_type, name or filename, len(content), lambda at, count: content[at : at + count])


@dataclass(frozen=True)
class Request:
    """One HTTP request to a platform; of `json`, `form`, `files` and `content` at most one is given.

    `url` may hold `{shop}`-like places, filled from the settings. `files` maps a part's name to (file name, bytes,
    media type), sent behind the fields of `form`. `with_token=False` is for addresses that carry their own authority;
    `token` speaks with another token than the connection's (a page's own), and is never kept.
    `is_repeatable` says whether it may be sent twice; None: reading methods, PUT and DELETE may. Statuses in `accept`,
    and answers of which `accept_if` says so, come back as answers even where the fault rules would raise.
    """

    method: str
    url: str
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    form: Mapping[str, str] | None = None
    files: Mapping[str, tuple[str, bytes, str]] | None = None
    content: bytes | None = None
    with_token: bool = True
    token: str | None = field(default=None, repr=False)
    is_repeatable: bool | None = None
    accept: tuple[int, ...] = ()
    accept_if: "Callable[[Answer], bool] | None" = None

    @property
    def may_repeat(self) -> bool:
        """Whether sending it a second time does no harm (RFC 9110 §9.2.2, or as declared)."""
        if self.is_repeatable is None:
            return self.method in {"GET", "HEAD", "OPTIONS", "PUT", "DELETE"}
        return self.is_repeatable

    def accepts(self, answer: "Answer") -> bool:
        """Whether the answer is to come back as it is, whatever the fault rules make of it."""
        return answer.status in self.accept or (self.accept_if is not None and self.accept_if(answer))


@dataclass(frozen=True)
class Answer:
    """One HTTP answer. Header names are lower-case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str

    @cached_property
    def json(self) -> Any:
        """The body as JSON, or None when it is not JSON; for reading error bodies, whose shape nobody promises."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    @property
    def sent_at(self) -> datetime | None:
        """When the platform's own clock says it answered (RFC 9110 §6.6.1, aware UTC, whole seconds)."""
        try:
            return parsedate_to_datetime(self.headers.get("date", "")).astimezone(UTC)
        except ValueError:
            return None

    def at(self, *path: str | int) -> Any:
        """The value at `path` in the JSON body, or None when there is no such place."""
        if isinstance(path[0], str) and f'"{path[0]}"'.encode() not in self.body:
            return None  # the usual case: a large answer without errors need not be parsed to see that
        value = self.json
        for step in path:
            try:
                value = value[step]
            except (KeyError, IndexError, TypeError):
                return None
        return value


class Api(Protocol):
    """A connection's way to its platform.

    Requests carry the connection's token, are retried when that is safe, obey the throttle, and raise the errors of
    `patchbay.errors` for answers that the provider's fault rules name.
    """

    @property
    def settings(self) -> Mapping[str, Any]:
        """What was asked before connecting (e.g. `shop`), and what was chosen after it (e.g. `page`)."""

    @property
    def account(self) -> str:
        """The id of the connected account, as `identify` gave it; "" while it is being asked for."""

    def send(self, request: Request) -> Answer:
        """Send one request and return its answer."""

    def read(self, answer: Answer, shape: type[T]) -> T:
        """The JSON body as `shape` (dataclasses or typed dicts). Raises UnexpectedShape naming the path."""

    def picture(self, address: str) -> Picture:
        """The picture behind one value of a PICTURES field."""

    def public_address(self, address: str, content_type: str = "") -> str:
        """An address from which the platform itself can fetch that picture, for an hour.

        With the content type `image/jpeg` it is a JPEG as picture feeds take them: at most 1440 pixels wide, between
        4:5 and 1.91:1, white around it where it needs that. Raises PublicAddressNeeded where this hub cannot be reached
        from outside.
        """

    def keep(self, content: bytes, filename: str) -> Mapping[str, Any]:
        """Keep a picture as a design of the owner's: `{"id", "name", "url", "width", "height"}`.

        Raises Invalid for what is no picture. Kept once per run and file name.
        """

    def remember(self, name: str, make: Callable[[], T]) -> T:
        """The JSON value kept under `name` for this run, made and stored durably the first time."""

    def once(self, name: str, act: Callable[[], T], find: Callable[[], T | None] | None = None) -> T:
        """What `act` came to (JSON), done once under `name` in this run, whatever is lost or killed on the way.

        A receipt is kept before the request in `act` goes out that may not be repeated. After a lost answer, a 5xx or a
        kill, `find` asks the platform what became of it (None: nothing); only then is it sent again. Without `find`, or
        when nothing is found after an answer that was lost or leaves it open (`Work.OPEN`), OutcomeUnknown is raised,
        and the owner decides.
        """

    def forget(self, name: str) -> None:
        """Drop what is kept under `name`, so that the next `remember` makes it anew."""

    def progress(self, done: int, total: int | None) -> None:
        """Say how far an action has come. Raises when the run was cancelled."""

    def log(self, message: str, **params: str | int) -> None:
        """Add a line (a message id) to the run's log."""

    def pause(self, seconds: float) -> None:
        """Wait between two looks at something asynchronous. Raises when the run was cancelled."""
