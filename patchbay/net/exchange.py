"""One request and its whole answer, within a limit of time and a limit of size; failures in words that hold no secret.

What does not live here: connections (`pools`), and whether an answer is good or bad (`client`).
"""

import ssl
from collections.abc import Iterator, Mapping, Sequence
from http.client import HTTPException, RemoteDisconnected
from time import monotonic

import requests
from requests.adapters import BaseAdapter
from requests.exceptions import ChunkedEncodingError, ContentDecodingError, RequestException
from requests.models import PreparedRequest, Response
from urllib3.exceptions import HTTPError

from patchbay.errors import CertificateRefused, NetworkError
from patchbay.net import dialling
from patchbay.net.guard import Guard
from patchbay.net.messages import MIB, Reply
from patchbay.net.pools import NotShaken, Transports
from patchbay.net.sandbox import Rewriting

_DEFAULT_TIMEOUT_S = 20.0
_MAX_SESSION_BYTES = 4 * MIB
_CHUNK_BYTES = 64 * 1024

# The first that is found among a failure's causes names it.
_WORDS: tuple[tuple[type[BaseException], str], ...] = (
    (ContentDecodingError, "answer could not be decompressed"),
    (ssl.SSLError, "no TLS connection"),
    (ChunkedEncodingError, "answer cut short"),
    (RemoteDisconnected, "connection closed without an answer"),
    (HTTPException, "answer is not HTTP"),
    (ConnectionResetError, "connection reset"),
    (BrokenPipeError, "connection reset"),
    (TimeoutError, "no TLS connection in time"),
)


class Exchanger(BaseAdapter):
    """Sends through the guard, or to the sandbox for the hosts that it serves; can be mounted in a requests session."""

    def __init__(self, guard: Guard, transports: Transports, rewriting: Rewriting) -> None:
        super().__init__()
        self._guard = guard
        self._transports = transports
        self._rewriting = rewriting

    def exchange(self, request: PreparedRequest, *, timeout_s: float, max_bytes: int) -> Reply:
        """Send `request`, read the answer to its end; raises `NetworkError` and `AddressBlocked`."""
        began = monotonic()
        response = self._answered(request, timeout_s, max_bytes)
        elapsed_ms = round((monotonic() - began) * 1000)
        return Reply(response.status_code, response.headers, response.content, request.url or "", elapsed_ms)

    def send(
        self,
        request: PreparedRequest,
        stream: bool = False,  # noqa: ARG002 - the answer is always read, else no limit could hold
        timeout: object = None,
        verify: object = True,  # noqa: ARG002 - certificates are always verified
        cert: object = None,  # noqa: ARG002 - no platform asks for client certificates
        proxies: Mapping[str, str] | None = None,  # noqa: ARG002 - the guard could not see behind a proxy
    ) -> Response:
        """What a requests session calls; answers are limited to 4 MiB, `timeout` is for the whole exchange."""
        timeout_s = float(timeout) if isinstance(timeout, int | float) else _DEFAULT_TIMEOUT_S
        return self._answered(request, timeout_s, _MAX_SESSION_BYTES)

    def close(self) -> None:
        """Leave the connections open: other sessions use them too."""

    def _answered(self, request: PreparedRequest, timeout_s: float, max_bytes: int) -> Response:
        host, transport, sent = self._directed(request)
        with dialling.limit(timeout_s):
            try:
                response = transport.send(sent, stream=True, timeout=timeout_s, proxies={})
                with response:
                    response._content = _body(response, max_bytes)
            except _TooManyBytes:
                error = NetworkError(f"{request.method} {host}: answer larger than {max_bytes} bytes")
            except (RequestException, HTTPError, OSError, NotShaken) as failure:
                error = _error(failure, f"{request.method} {host}", timeout_s)
            else:
                response.url, response.request = request.url or "", request
                return response
        # Raised outside the handler: the exceptions of requests carry the URL with its query in their text.
        raise error

    def _directed(self, request: PreparedRequest) -> tuple[str, requests.adapters.HTTPAdapter, PreparedRequest]:
        address = self._guard.parse(request.url or "")
        sandbox_url = self._rewriting.rewritten(address.url)
        if sandbox_url is None:
            return address.host, self._transports.public, request
        sent = request.copy()
        sent.url = sandbox_url
        return address.host, self._transports.sandbox, sent


class _TooManyBytes(Exception):
    """The answer passed its limit."""


def _body(response: Response, max_bytes: int) -> bytes:
    body = bytearray()
    for chunk in response.iter_content(_CHUNK_BYTES):
        body += chunk
        if len(body) > max_bytes:
            raise _TooManyBytes
    return bytes(body)


def _error(failure: BaseException, call: str, timeout_s: float) -> NetworkError:
    """What happened, in words of our own, and whether the platform may have heard of the request."""
    causes = list(_causes(failure))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return CertificateRefused(f"{call}: certificate refused ({cause.verify_message})", was_sent=False)
    return NetworkError(f"{call}: {_reason(causes, timeout_s)}", was_sent=not isinstance(failure, NotShaken))


def _reason(causes: Sequence[BaseException], timeout_s: float) -> str:
    try:
        dialling.remaining_s()
    except TimeoutError:
        return f"no complete answer within {timeout_s:g} s"
    for kind, words in _WORDS:
        if any(isinstance(cause, kind) for cause in causes):
            return words
    return "connection failed"


def _causes(failure: BaseException) -> Iterator[BaseException]:
    """`failure` and what led to it; the libraries keep a cause now as an argument, now as a chained exception."""
    seen: set[int] = set()
    waiting: list[object] = [failure]
    while waiting:
        one = waiting.pop()
        if isinstance(one, BaseException) and id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
