"""What goes out through `net` and what comes back, free of any HTTP library's types.

What does not live here: sending (`pools`), and what an answer means (`spec.faults`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class FilePart:
    """One file of a multipart form."""

    field: str
    filename: str
    content: bytes
    content_type: str = "application/octet-stream"


@dataclass(frozen=True, slots=True, repr=False)
class Outgoing:
    """One request. At most one of `content`, `json` and `form` is given; `files` go with `form`, behind its fields.

    `content` as an iterable is sent chunked, unless `headers` state a Content-Length. `timeout_s` covers everything
    from name look-up to the last byte; `max_bytes` counts the decoded body of the answer.
    """

    method: str
    url: str
    params: Mapping[str, str] | Sequence[tuple[str, str]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | Iterable[bytes] | None = None
    json: object | None = None
    form: Mapping[str, str] | Sequence[tuple[str, str]] | None = None
    files: Sequence[FilePart] = ()
    timeout_s: float = 20.0
    max_bytes: int = 64 * MIB

    def __repr__(self) -> str:
        return f"Outgoing({self.method} {_origin(self.url)})"


@dataclass(frozen=True, slots=True, repr=False)
class Reply:
    """One complete answer. `headers` is looked up without regard to case; repeated ones are joined by a comma.

    `url` is the address that was asked for, as the platform knows it, also when the sandbox answered.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str
    elapsed_ms: int

    def __repr__(self) -> str:
        return f"Reply({self.status}, {len(self.body)} bytes from {_origin(self.url)})"


def _origin(url: str) -> str:
    """Scheme and host of `url`: paths and queries may hold secrets."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}"
