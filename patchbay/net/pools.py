"""Keep-alive connections: the public ones dial only what the guard permits, the sandbox's go straight to it.

What does not live here: limits on time and size and the wording of failures (`exchange`).
"""

import os
import socket
import ssl
from collections.abc import Callable
from functools import cached_property

import certifi
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from patchbay.net.dialling import LimitedTLSSocket, dial, remaining_s
from patchbay.net.guard import RESOLVE_TIMEOUT_S, Guard, resolve_with_system

_HOSTS_KEPT = 64
_CONNECTIONS_KEPT_PER_HOST = 32

Dial = Callable[[str, int], socket.socket]


class Transports:
    """The two ways out, shared by all threads of a process and made anew in a forked child."""

    def __init__(self, guard: Guard, tls: ssl.SSLContext | None) -> None:
        self._guard = guard
        self._given_tls = tls
        self._made: tuple[int, HTTPAdapter, HTTPAdapter] | None = None

    @property
    def public(self) -> HTTPAdapter:
        """To the world: every connection is checked when it is made."""
        return self._of_this_process()[1]

    @property
    def sandbox(self) -> HTTPAdapter:
        """To the sandbox: the operator named it, so it may be on loopback."""
        return self._of_this_process()[2]

    def _of_this_process(self) -> tuple[int, HTTPAdapter, HTTPAdapter]:
        # Two threads may both make a pair here; the one that is overwritten is merely closed after its use.
        if self._made is None or self._made[0] != os.getpid():
            public, sandbox = (_Transport(dial, lambda: self._tls) for dial in (self._dial_public, _dial_sandbox))
            self._made = (os.getpid(), public, sandbox)
        return self._made

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        # Made for the first https address: reading the authorities takes longer than a request to the sandbox.
        context = self._given_tls or _public_authorities()
        context.sslsocket_class = LimitedTLSSocket
        return context

    def _dial_public(self, host: str, port: int) -> socket.socket:
        return dial(host, self._guard.permitted(host, port, remaining_s()), port)


def _dial_sandbox(host: str, port: int) -> socket.socket:
    return dial(host, resolve_with_system(host, min(RESOLVE_TIMEOUT_S, remaining_s())), port)


def _public_authorities() -> ssl.SSLContext:
    """The authorities of the certifi bundle, and those that the operator added to the system."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


class _DialledConnection(HTTPConnection):
    """Connects by the pool's `dial`; the name stays for Host."""

    def __init__(self, *args: object, dial: Dial, **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type] # urllib3's own arguments, passed on unread
        self._dial = dial

    def _new_conn(self) -> socket.socket:
        return self._dial(self.host, self.port or self.default_port)


class NotShaken(Exception):
    """The two sides did not come to a TLS connection, as the cause says: of the request nothing was sent."""


class _DialledTLSConnection(_DialledConnection, HTTPSConnection):
    """The same; the name stays for SNI and the certificate too."""

    def connect(self) -> None:
        """Dial, then shake hands; raises NotShaken, and what `dial` raises."""
        try:
            super().connect()
        except (OSError, HTTPError) as failure:
            raise NotShaken from failure


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _DialledConnection


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _DialledTLSConnection


class _Pools(PoolManager):
    """Pools by host, handing `dial` to every connection."""

    def __init__(self, dial: Dial, tls: Callable[[], ssl.SSLContext]) -> None:
        super().__init__(num_pools=_HOSTS_KEPT, maxsize=_CONNECTIONS_KEPT_PER_HOST)
        self.pool_classes_by_scheme = {"http": _PlainPool, "https": _TLSPool}
        self._dial = dial
        self._tls = tls

    def _new_pool(
        self, scheme: str, host: str, port: int, request_context: dict[str, object] | None = None
    ) -> HTTPConnectionPool:
        wanted = (self.connection_pool_kw if request_context is None else request_context).copy()
        if scheme == "https":
            wanted["ssl_context"] = self._tls()
        pool = super()._new_pool(scheme, host, port, wanted)
        pool.conn_kw["dial"] = self._dial
        return pool


class _Transport(HTTPAdapter):
    """One HTTP adapter over our pools; certificates are the pools' affair, not that of requests."""

    def __init__(self, dial: Dial, tls: Callable[[], ssl.SSLContext]) -> None:
        super().__init__()
        self.poolmanager = _Pools(dial, tls)

    def cert_verify(self, conn: object, url: str, verify: object, cert: object) -> None:
        """Leave the pool's TLS context as it is; requests would add a bundle of its own."""
