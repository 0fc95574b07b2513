"""An exchange as it may be kept and shown: secrets masked in address, headers and bodies, bodies cut to 4 KiB.

What counts as a secret by its name or look is said in `patchbay.redaction`; what was sent to prove who we are is masked
wherever it comes back.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from patchbay.client import Exchange
from patchbay.errors import storable
from patchbay.redaction import MASK, is_secret_name, redact_headers, redact_text, redact_url

MOST_SHOWN_BYTES = 4096
MOST_HEADER_CHARACTERS = 500
SHORTEST_SECRET = 8
SHORTEST_END = 5
"""So many characters at the end of what was cut are taken for the beginning of a secret."""
_READABLE = ("application/json", "application/x-www-form-urlencoded", "text/", "application/xml", "+json", "+xml")


@dataclass(frozen=True)
class Shown:
    """The texts of an exchange that may be shown."""

    url: str
    request_headers: Mapping[str, str]
    request_body: str
    response_headers: Mapping[str, str]
    response_body: str


@dataclass(frozen=True, repr=False)
class Draft:
    """As much of an exchange as is shown in the end, bodies cut and nothing masked yet: for memory alone."""

    url: str
    request_headers: Mapping[str, str]
    request_body: bytes | str
    response_headers: Mapping[str, str]
    response_body: bytes | str

    @classmethod
    def of(cls, exchange: Exchange) -> "Draft":
        """Cheap: of what is dropped before it is written, nothing was masked in vain."""
        sent = {name.lower(): value for name, value in exchange.request_headers.items()}
        return cls(
            exchange.url,
            exchange.request_headers,
            _beginning(exchange.request_body, sent.get("content-type", "application/json")),
            exchange.response_headers,
            _beginning(exchange.response_body, exchange.response_headers.get("content-type", "")),
        )

    def shown(self) -> Shown:
        """What may be kept of it."""
        secrets = _secrets(self.request_headers)
        return Shown(
            _without(redact_url(self.url), secrets),
            _headers(self.request_headers, secrets),
            _body(self.request_body, secrets),
            _headers(self.response_headers, secrets),
            _body(self.response_body, secrets),
        )


def _beginning(content: bytes, kind: str) -> bytes | str:
    """The beginning of a text; of anything else its kind, size and SHA-256, in words."""
    if not content or any(part in kind.lower() for part in _READABLE):
        return content[:MOST_SHOWN_BYTES]
    return f"[{kind or 'unknown kind'}, {len(content)} bytes, SHA-256 {hashlib.sha256(content).hexdigest()}]"


def _body(beginning: bytes | str, secrets: tuple[str, ...]) -> str:
    if isinstance(beginning, str):
        return beginning
    text = _without(redact_text(beginning.decode("utf-8", "replace")), secrets)
    return storable(text if len(beginning) < MOST_SHOWN_BYTES else _without_end(text, secrets))


def _headers(headers: Mapping[str, str], secrets: tuple[str, ...]) -> dict[str, str]:
    return {
        name[:100]: storable(_without(value, secrets)[:MOST_HEADER_CHARACTERS])
        for name, value in redact_headers(headers).items()
    }


def _without(text: str, secrets: tuple[str, ...]) -> str:
    for secret in secrets:
        if secret in text:
            text = text.replace(secret, MASK)
    return text


def _without_end(text: str, secrets: tuple[str, ...]) -> str:
    """The text without the beginning of a secret at its end, where it was cut in the middle of one."""
    for secret in secrets:
        beginning = secret[:SHORTEST_END]
        at = text.find(beginning, max(0, len(text) - len(secret) + 1))
        while at >= 0 and not secret.startswith(text[at:]):
            at = text.find(beginning, at + 1)
        if at >= 0:
            return text[:at] + MASK
    return text


def _secrets(headers: Mapping[str, str]) -> tuple[str, ...]:
    """What was sent to prove who we are, the longest first: a platform may repeat it in its answer."""
    found: set[str] = set()
    for name, value in headers.items():
        if is_secret_name(name):
            found |= {value, value.partition(" ")[2], *value.partition(" ")[2].split(":"), *value.split(":")}
    return tuple(sorted((one for one in found if len(one) >= SHORTEST_SECRET), key=len, reverse=True))
