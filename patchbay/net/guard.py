"""Who may be talked to: a name is resolved once, and all its addresses must be public or opened by the operator.

What does not live here: the reading of URLs and the table of special ranges (`addresses`), and connecting (`dialling`).
"""

import queue
import socket
import threading
from collections.abc import Callable, Sequence
from ipaddress import ip_address, ip_network

from patchbay.errors import AddressBlocked, NetworkError, SettingsError
from patchbay.net.addresses import METADATA, NOT_ALLOWED, Address, IPAddress, IPNetwork, is_public, literal, parse

PORTS = frozenset({80, 443, 8080, 8443})
RESOLVE_TIMEOUT_S = 5.0

Resolver = Callable[[str, float], Sequence[str]]
"""Name and seconds in, IP addresses out, best first; raises `NetworkError` when there are none."""

_INTERNAL_SUFFIXES = (".local", ".internal", ".localhost")


def resolve_with_system(host: str, timeout_s: float) -> Sequence[str]:
    """Ask the system's resolver, in a thread of its own because it knows no time limit."""
    answer: queue.SimpleQueue[list[str] | OSError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
            answer.put([str(entry[4][0]) for entry in found])
        except (OSError, UnicodeError) as failure:
            answer.put(failure if isinstance(failure, OSError) else OSError("not a name"))

    threading.Thread(target=ask, name="resolve", daemon=True).start()
    try:
        outcome = answer.get(timeout=timeout_s)
    except queue.Empty:
        raise NetworkError(f"{host}: name not resolved within {timeout_s:.0f} s", was_sent=False) from None
    if isinstance(outcome, OSError) or not outcome:
        raise NetworkError(f"{host}: name not found", was_sent=False)
    return list(dict.fromkeys(outcome))


class Guard:
    """Decides by name, port and IP address. Refusals say no more than "address not allowed"."""

    def __init__(self, *, allowed: Sequence[str], own_hosts: Sequence[str], resolve: Resolver) -> None:
        """`allowed`: CIDRs and `host:port` pairs; raises `SettingsError` for an entry that is neither."""
        self._networks: list[IPNetwork] = []
        self._pairs: set[tuple[str, int]] = set()
        for entry in allowed:
            self._open(entry)
        self._own_hosts = frozenset(host.lower().rstrip(".") for host in own_hosts)
        self._resolve = resolve

    def parse(self, url: str) -> Address:
        """Read `url` strictly and check what needs no look-up: https, port, name; raises `AddressBlocked`."""
        address = parse(url)
        if address.scheme != "https":
            raise AddressBlocked(NOT_ALLOWED)
        self._check_name(address.host, address.port)
        return address

    def permitted(self, host: str, port: int, timeout_s: float) -> list[str]:
        """The IP addresses of `host`, all of them checked; raises `AddressBlocked`, or `NetworkError` without any."""
        self._check_name(host, port)
        if literal(host) is not None:
            found: Sequence[str] = [host]
        else:
            found = self._resolve(host, min(timeout_s, RESOLVE_TIMEOUT_S))
        if not all(self._is_permitted(ip_address(text), host, port) for text in found):
            raise AddressBlocked(NOT_ALLOWED)
        return list(found)

    def _open(self, entry: str) -> None:
        try:
            self._networks.append(ip_network(entry, strict=False))
            return
        except ValueError:
            pass
        try:
            opened = parse(f"https://{entry}/")
        except AddressBlocked:
            raise SettingsError(f"{entry!r} is neither a CIDR nor host:port") from None
        if not entry.endswith(f":{opened.port}"):
            raise SettingsError(f"{entry!r} names no port")
        self._pairs.add((opened.host, opened.port))

    def _check_name(self, host: str, port: int) -> None:
        if (host, port) in self._pairs:
            return
        if port not in PORTS or host in self._own_hosts or _is_internal_name(host):
            raise AddressBlocked(NOT_ALLOWED)

    def _is_permitted(self, address: IPAddress, host: str, port: int) -> bool:
        if self._is_listed_singly(address, port):
            return True
        if address in METADATA:
            return False
        if (host, port) in self._pairs or any(address in network for network in self._networks):
            return True
        return is_public(address) and not is_own(address)

    def _is_listed_singly(self, address: IPAddress, port: int) -> bool:
        singles = (network for network in self._networks if network.num_addresses == 1)
        return (str(address), port) in self._pairs or any(address in network for network in singles)


def is_own(address: IPAddress) -> bool:
    """Whether `address` is this machine's: the kernel then reaches it from that same address. Sends nothing."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((str(address), 9))
        except OSError:
            return False
        return ip_address(probe.getsockname()[0]) == address


def _is_internal_name(host: str) -> bool:
    """Names that mean something only inside a network: single labels (`redis`, `localhost`) and reserved endings."""
    return literal(host) is None and ("." not in host or host.endswith(_INTERNAL_SUFFIXES))
