"""Reading an address strictly, and which IP addresses count as public.

What does not live here: names and what an operator opened (`guard`), and connecting (`dialling`).
"""

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import idna

from patchbay.errors import AddressBlocked

IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network

NOT_ALLOWED = "address not allowed"
MAX_URL_CHARACTERS = 8192

_DEFAULT_PORTS = {"http": 80, "https": 443}
_URL = re.compile(r"(?P<scheme>https?)://(?P<authority>[^/?]+)(?P<rest>[/?].*)?", re.IGNORECASE | re.DOTALL)
_BRACKETED = re.compile(r"\[(?P<host>[0-9a-fA-F:.]+)\](?::(?P<port>[0-9]{1,5}))?")
_NAMED = re.compile(r"(?P<host>[^:\[\]]+)(?::(?P<port>[0-9]{1,5}))?")
_NEVER_IN_URL = re.compile(r"[\x00-\x20\x7f\\#]")
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_NUMBER_LABEL = re.compile(r"[0-9]+|0x[0-9a-f]*")

# `is_global` and `is_private` of Python 3.11 differ from the IANA special-purpose registries in both directions
# (224/4, 64:ff9b::/96 and 2002::/16 count as global there), and between patch releases; hence our own table.
_SPECIAL = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "168.63.129.16/32",  # Azure's host agent, inside a public range
        "::/3",  # of IPv6 only 2000::/3 is given out; all manner of IPv4 in IPv6 clothes lies around it
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "3fff::/20",
        "4000::/2",
        "8000::/1",
    )
)
METADATA = frozenset(
    ip_address(text)
    for text in (
        "169.254.169.254",  # AWS, Azure, Google, DigitalOcean, OpenStack
        "169.254.170.2",  # AWS container credentials
        "fd00:ec2::254",  # AWS over IPv6
        "168.63.129.16",  # Azure
        "100.100.100.200",  # Alibaba
        "192.0.0.192",  # Oracle
    )
)
"""Where clouds hand out a machine's credentials."""


@dataclass(frozen=True, slots=True)
class Address:
    """A URL taken apart. `host` is lower-case ASCII without a trailing dot or brackets; `rest` is path and query."""

    scheme: str
    host: str
    port: int
    rest: str

    @property
    def url(self) -> str:
        """The address written the one way that leaves nothing to interpret."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.rest}"


def parse(url: str) -> Address:
    """Take `url` apart, refusing with `AddressBlocked` whatever two programs could read in two ways.

    That is: another scheme than http(s), a user, a fragment, a backslash, spaces and controls, characters beyond ASCII
    outside the host, a zone id, numbers that only old resolvers take for an address.
    """
    match = _URL.fullmatch(url) if len(url) <= MAX_URL_CHARACTERS and not _NEVER_IN_URL.search(url) else None
    if match is None:
        raise AddressBlocked(NOT_ALLOWED)
    rest = match["rest"] or "/"
    host = _BRACKETED.fullmatch(match["authority"]) or _NAMED.fullmatch(match["authority"])
    if host is None or not rest.isascii():
        raise AddressBlocked(NOT_ALLOWED)
    scheme = match["scheme"].lower()
    port = int(host["port"] or _DEFAULT_PORTS[scheme])
    name = _ipv6(host["host"]) if match["authority"].startswith("[") else _name(host["host"])
    return Address(scheme, name, port, rest if rest.startswith("/") else f"/{rest}")


def literal(host: str) -> IPAddress | None:
    """The IP address that `host` spells, None for a name."""
    try:
        return ip_address(host)
    except ValueError:
        return None


def is_public(address: IPAddress) -> bool:
    """Whether `address` lies in none of the special-purpose ranges (IANA registries; read 2026-11)."""
    return not any(address in network for network in _SPECIAL)


def _ipv6(text: str) -> str:
    try:
        return str(IPv6Address(text))
    except AddressValueError:
        raise AddressBlocked(NOT_ALLOWED) from None


def _name(text: str) -> str:
    """`text` as a plain ASCII name or dotted quad; refuses names that resolvers read as numbers (`0x7f.1`)."""
    name = _ascii(text.lower()).removesuffix(".")
    labels = name.split(".")
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise AddressBlocked(NOT_ALLOWED)
    if _NUMBER_LABEL.fullmatch(labels[-1]):
        try:
            IPv4Address(name)
        except AddressValueError:
            raise AddressBlocked(NOT_ALLOWED) from None
    return name


def _ascii(name: str) -> str:
    """`name` in its ASCII form by strict IDNA 2008, which knows no full-width or circled letters."""
    if name.isascii():
        return name
    try:
        return idna.encode(name).decode("ascii")
    except idna.IDNAError:
        raise AddressBlocked(NOT_ALLOWED) from None
