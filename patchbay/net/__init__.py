"""The only door to the outside: every HTTP request that Patchbay sends goes through a `Net`.

What does not live here: the OAuth grants (`oauth`, which mounts `Net.adapter`), and what answers mean (`client`).
"""

import ssl
from collections.abc import Sequence

import requests

from patchbay.errors import AddressBlocked, NetworkError
from patchbay.net.addresses import Guard, Resolver, parse, resolve_with_system
from patchbay.net.messages import MIB, FilePart, Outgoing, Reply
from patchbay.net.pools import CappedAdapter, Pools
from patchbay.net.sandbox import Rewriting

__all__ = ["MIB", "FilePart", "Net", "Outgoing", "Reply", "Resolver"]


class Net:
    """Sends requests over pooled, guarded connections; made once per process at start, usable by all its threads.

    A forked child makes connections of its own. No cookies, proxies or netrc, and no redirect is followed: a caller that
    wants one sends again, and is checked again.
    """

    def __init__(
        self,
        sandbox_url: str | None,
        user_agent: str,
        allowed: Sequence[str] = (),
        *,
        own_hosts: Sequence[str] = (),
        resolve: Resolver = resolve_with_system,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """`sandbox_url` without a trailing slash, None when the sandbox is off.

        `allowed`: what the operator opens although it is not public, each a CIDR or `host:port`. `own_hosts`: the names
        under which Patchbay itself is reached, never fetched. `tls` replaces the public certificate authorities.
        Raises `SettingsError` for an entry of `allowed` that is neither.
        """
        self._guard = Guard(allowed=allowed, own_hosts=own_hosts, resolve=resolve)
        self._pools = Pools(self._guard, tls)
        self._sandbox_url = sandbox_url.rstrip("/") if sandbox_url else None
        self._user_agent = user_agent
        self._direct = self.adapter()

    def send(self, outgoing: Outgoing, *, sandboxed_hosts: tuple[str, ...] = ()) -> Reply:
        """Send a provider's request (https only) and read the whole answer, whatever its status.

        A host that matches one of the `sandboxed_hosts` (shell patterns) goes to the sandbox when that is on. Raises
        `NetworkError` without an answer (name, connection, certificate, time, size, cut short) and `AddressBlocked`.
        """
        adapter = self.adapter(sandboxed_hosts) if sandboxed_hosts else self._direct
        return adapter.exchange(self._prepared(outgoing), timeout_s=outgoing.timeout_s, max_bytes=outgoing.max_bytes)

    def fetch_public(
        self, url: str, *, max_bytes: int = 20 * MIB, accept: tuple[str, ...] = ("*/*",), timeout_s: float = 20.0
    ) -> Reply:
        """GET an address that a user supplied, never by way of the sandbox; raises as `send` does.

        `accept` names media types (`image/png`, `image/*`); an answer of another type is returned all the same.
        """
        parse(url, ports=self._guard.ports)
        outgoing = Outgoing("GET", url, headers={"Accept": ", ".join(accept)}, timeout_s=timeout_s, max_bytes=max_bytes)
        return self.send(outgoing)

    def check_address(self, url: str) -> None:
        """Check a user-supplied address before it is stored, so that a form can say so at once.

        It is checked again at each connect. Raises `AddressBlocked`, also for a name that is not found.
        """
        address = parse(url, ports=self._guard.ports)
        try:
            self._guard.permitted(address.host, address.port, timeout_s=5.0)
        except NetworkError as unknown:
            raise AddressBlocked(unknown.detail) from None

    def browser_address(self, url: str, sandboxed_hosts: tuple[str, ...]) -> str:
        """`url` as a browser is to open it: at the sandbox, when that is on and the host is one of those it serves."""
        return Rewriting(self._sandbox_url, sandboxed_hosts).rewritten(url) or url

    def adapter(self, sandboxed_hosts: tuple[str, ...] = ()) -> "CappedAdapter":
        """A transport for somebody else's requests session, with the rewriting, guard and limits of `send`.

        It shares this object's connections, takes a session's `timeout` (seconds) as the limit for the whole exchange,
        and raises `NetworkError` and `AddressBlocked` in place of exceptions of requests.
        """
        return CappedAdapter(self._pools, Rewriting(self._sandbox_url, sandboxed_hosts))

    def _prepared(self, outgoing: Outgoing) -> requests.PreparedRequest:
        """The request in wire form, made without a session: sessions bring cookies, netrc and proxies of their own."""
        headers = {"User-Agent": self._user_agent, "Accept-Encoding": "gzip, deflate", **outgoing.headers}
        files = [(part.field, (part.filename, part.content, part.content_type)) for part in outgoing.files]
        prepared = requests.Request(
            outgoing.method,
            outgoing.url,
            params=outgoing.params,
            headers=headers,
            data=outgoing.content if outgoing.content is not None else outgoing.form,
            json=outgoing.json,
            files=files,
        ).prepare()
        if "Content-Length" in prepared.headers:
            prepared.headers.pop("Transfer-Encoding", None)
        return prepared
