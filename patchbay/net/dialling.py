"""Connecting to addresses that were already checked, on sockets that keep one limit for a whole exchange.

What does not live here: the choice of addresses (`guard`), and HTTP (`pools`).
"""

import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from ipaddress import ip_address
from time import monotonic
from typing import TYPE_CHECKING

from patchbay.errors import AddressBlocked, NetworkError
from patchbay.net.addresses import NOT_ALLOWED

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

CONNECT_TIMEOUT_S = 5.0

_ends_at: ContextVar[float] = ContextVar("exchange_ends_at")


@contextmanager
def limit(seconds: float) -> Iterator[None]:
    """Let every socket operation of this context together take `seconds`."""
    token = _ends_at.set(monotonic() + seconds)
    try:
        yield
    finally:
        _ends_at.reset(token)


def remaining_s() -> float:
    """Seconds left of the present limit; raises `TimeoutError` when none are."""
    left = _ends_at.get() - monotonic()
    if left <= 0:
        raise TimeoutError("the exchange took too long")
    return left


class _LimitedSocket(socket.socket):
    """A socket's own timeout starts anew with each byte; this one counts down to the end of the exchange."""

    def recv_into(self, buffer: "WriteableBuffer", nbytes: int = 0, flags: int = 0) -> int:
        self.settimeout(remaining_s())
        return super().recv_into(buffer, nbytes, flags)

    def sendall(self, data: "ReadableBuffer", flags: int = 0) -> None:
        self.settimeout(remaining_s())
        super().sendall(data, flags)


class LimitedTLSSocket(ssl.SSLSocket):
    """The same over TLS; set as a context's `sslsocket_class`."""

    def recv_into(self, buffer: "WriteableBuffer", nbytes: int | None = None, flags: int = 0) -> int:
        self.settimeout(remaining_s())
        return super().recv_into(buffer, nbytes, flags)

    def send(self, data: "ReadableBuffer", flags: int = 0) -> int:
        self.settimeout(remaining_s())
        return super().send(data, flags)


def dial(host: str, addresses: Sequence[str], port: int) -> socket.socket:
    """A TCP connection to the first of `addresses` that answers; `host` is only what errors call it.

    The addresses share the time that is left, so that a dead IPv6 route does not use up all of it. The socket's timeout
    is set for the TLS handshake. Raises `NetworkError`.
    """
    ends_at = monotonic() + min(CONNECT_TIMEOUT_S, remaining_s())
    failure = "no address"
    for tried, address in enumerate(addresses):
        share_s = (ends_at - monotonic()) / (len(addresses) - tried)
        if share_s <= 0:
            break
        try:
            return _connected(address, port, share_s)
        except OSError as refused:
            failure = "no connection in time" if isinstance(refused, TimeoutError) else _reason(refused)
    raise NetworkError(f"{host}: {failure}", was_sent=False)


def _connected(address: str, port: int, timeout_s: float) -> socket.socket:
    sock = _LimitedSocket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.settimeout(timeout_s)
        sock.connect((address, port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if ip_address(sock.getpeername()[0]) != ip_address(address):
            raise AddressBlocked(NOT_ALLOWED)
        sock.settimeout(min(CONNECT_TIMEOUT_S, remaining_s()))
    except BaseException:
        sock.close()
        raise
    return sock


def _reason(refused: OSError) -> str:
    return "connection refused" if isinstance(refused, ConnectionRefusedError) else "no route to the address"
