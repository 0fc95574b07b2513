"""The only door to the outside: every HTTP request that Patchbay sends goes through a `Net`.

What does not live here: the OAuth grants (`oauth`, which mounts `Net.adapter`), and what answers mean (`client`).
"""

import ssl
from collections.abc import Sequence

import requests

from patchbay.errors import N_, AddressBlocked, Invalid, NetworkError, SettingsError
from patchbay.net.addresses import NOT_ALLOWED
from patchbay.net.exchange import Exchanger
from patchbay.net.guard import RESOLVE_TIMEOUT_S, Guard, Resolver, resolve_with_system
from patchbay.net.messages import MIB, FilePart, Outgoing, Reply
from patchbay.net.pools import Transports
from patchbay.net.sandbox import Rewriting

__all__ = ["MIB", "FilePart", "Net", "Outgoing", "Reply", "Resolver"]


class Net:
    """Sends requests over pooled, guarded connections; made once per process at start, usable by all its threads.

    A forked child makes connections of its own. No cookies, proxies or netrc, and no redirect is followed: a caller
    that wants one sends again, and is checked again.
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
        self._transports = Transports(self._guard, tls)
        self._sandbox_url = sandbox_url.rstrip("/") if sandbox_url else None
        self._user_agent = user_agent
        self._adapters: dict[tuple[str, ...], Exchanger] = {}

    def send(self, outgoing: Outgoing, *, sandboxed_hosts: tuple[str, ...] = ()) -> Reply:
        """Send a provider's request (https only) and read the whole answer, whatever its status.

        A host that matches one of the `sandboxed_hosts` (shell patterns) goes to the sandbox when that is on. Raises
        `NetworkError` without an answer (name, connection, certificate, time, size, cut short) and `AddressBlocked`.
        """
        exchanger = self.adapter(sandboxed_hosts)
        return exchanger.exchange(self._prepared(outgoing), timeout_s=outgoing.timeout_s, max_bytes=outgoing.max_bytes)

    def fetch_public(
        self, url: str, *, max_bytes: int = 20 * MIB, accept: tuple[str, ...] = ("*/*",), timeout_s: float = 20.0
    ) -> Reply:
        """GET an address that a user supplied, never by way of the sandbox; raises as `send` does.

        `accept` names media types (`image/png`, `image/*`); an answer of another type is returned all the same.
        """
        headers = {"Accept": ", ".join(accept)}
        address = self._guard.parse(url)
        return self.send(Outgoing("GET", address.url, headers=headers, timeout_s=timeout_s, max_bytes=max_bytes))

    def check_address(self, url: str) -> None:
        """Check a user-supplied address before it is stored, so that a form can say so at once.

        It is checked again at each connect. Raises `AddressBlocked`, also for a name that is not found.
        """
        address = self._guard.parse(url)
        try:
            self._guard.permitted(address.host, address.port, RESOLVE_TIMEOUT_S)
        except NetworkError:
            raise AddressBlocked(NOT_ALLOWED) from None

    def browser_address(self, url: str, sandboxed_hosts: tuple[str, ...]) -> str:
        """`url` as a browser is to open it: at the sandbox, when that is on and the host is one of those it serves."""
        return Rewriting(self._sandbox_url, sandboxed_hosts).rewritten(url) or url

    def adapter(self, sandboxed_hosts: tuple[str, ...] = ()) -> Exchanger:
        """A transport for somebody else's requests session, with the rewriting, guard and limits of `send`.

        It shares this object's connections, takes a session's `timeout` (seconds) as the limit for the whole exchange,
        and raises `NetworkError` and `AddressBlocked` in place of exceptions of requests.
        """
        if sandboxed_hosts not in self._adapters:
            rewriting = Rewriting(self._sandbox_url, sandboxed_hosts)
            self._adapters[sandboxed_hosts] = Exchanger(self._guard, self._transports, rewriting)
        return self._adapters[sandboxed_hosts]

    def _prepared(self, outgoing: Outgoing) -> requests.PreparedRequest:
        """The request in wire form, made without a session: sessions bring cookies, netrc and proxies of their own."""
        headers = {"User-Agent": self._user_agent, "Accept-Encoding": "gzip, deflate", **outgoing.headers}
        if not all(value.isascii() and value.isprintable() for value in headers.values()):
            raise Invalid(sentence=N_("A value holds characters that cannot be sent."))
        files = [(part.field, (part.filename, part.content, part.content_type)) for part in outgoing.files]
        body = outgoing.form if outgoing.content is None else outgoing.content
        request = requests.Request(
            outgoing.method, outgoing.url, headers, files, body, outgoing.params, json=outgoing.json
        )
        try:
            prepared = request.prepare()
        except requests.exceptions.RequestException:
            raise AddressBlocked(NOT_ALLOWED) from None
        if any(name.lower() == "content-length" for name in outgoing.headers):
            prepared.headers.pop("Transfer-Encoding", None)
        return prepared


_in_use: Net | None = None


def use(net: Net) -> None:
    """Make `net` the door of this process."""
    global _in_use  # noqa: PLW0603 - the counterpart of `vault.use`: the settings are known only at start-up
    _in_use = net


def current() -> Net:
    """The door in use; raises `SettingsError` before `use` was called."""
    if _in_use is None:
        raise SettingsError("No door to the outside is in use.")
    return _in_use
