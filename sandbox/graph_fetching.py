"""How Meta's servers fetch a picture from an address that an app names: as a robot that obeys robots.txt.

Loopback is open to one address alone, the app's own (where its redirect URI is); whatever else is not public stays
closed. Source: Instagram "Content Publishing" ("We cURL media used in publishing attempts", read 2026-11-21).
"""

import ipaddress
import socket
import urllib.error
import urllib.request
from http.client import HTTPException, HTTPMessage
from typing import IO
from urllib.parse import urlsplit
from urllib.robotparser import RobotFileParser

AGENT = "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)"
_ROBOT = "facebookexternalhit"
_TIMEOUT_S = 10
_LARGEST_BYTES = 64 * 1024 * 1024
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Unfetchable(Exception):
    """The address could not be read; `took_too_long` tells a timeout from all else."""

    def __init__(self, reason: str, *, took_too_long: bool = False) -> None:
        super().__init__(reason)
        self.took_too_long = took_too_long


def origin_of(address: str) -> str:
    """Scheme, host and port of an address, "" for what has none; all names of loopback count as one."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not host:
        return ""
    name = "localhost" if host in _LOOPBACK else host
    return f"{parts.scheme}://{name}:{port or (443 if parts.scheme == 'https' else 80)}"


def fetch(address: str, hub: str) -> bytes:
    """The bytes behind an address; `hub` is the origin of the app that named it. Raises Unfetchable."""
    _check(address, hub)
    robots = RobotFileParser()
    text = _read(urlsplit(address)._replace(path="/robots.txt", query="", fragment="").geturl(), hub, is_needed=False)
    robots.parse(text.decode("utf-8", "replace").splitlines())
    if not robots.can_fetch(_ROBOT, address):
        raise Unfetchable("robots.txt forbids it")
    return _read(address, hub, is_needed=True)


def _read(address: str, hub: str, *, is_needed: bool) -> bytes:
    request = urllib.request.Request(address, headers={"User-Agent": AGENT, "Accept": "*/*"})  # noqa: S310 - scheme checked
    try:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _CheckedRedirects(hub))
        with opener.open(request, timeout=_TIMEOUT_S) as answer:
            content: bytes = answer.read(_LARGEST_BYTES + 1)
    except urllib.error.HTTPError as error:
        if is_needed:
            raise Unfetchable(f"HTTP {error.code}") from error
        return b""
    except TimeoutError as error:
        raise Unfetchable("it took too long", took_too_long=True) from error
    except (OSError, HTTPException) as error:
        raise Unfetchable(type(error).__name__) from error
    return content


class _CheckedRedirects(urllib.request.HTTPRedirectHandler):
    """Follows a redirect only to where a first request might go."""

    def __init__(self, hub: str) -> None:
        self._hub = hub

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> urllib.request.Request | None:
        """Check the new address, then do as usual."""
        _check(newurl, self._hub)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _check(address: str, hub: str) -> None:
    """Raise Unfetchable for an address that Meta's servers could not reach, or must not."""
    origin = origin_of(address)
    if not origin:
        raise Unfetchable("it is no web address")
    if origin == hub:
        return
    try:
        found = socket.getaddrinfo(urlsplit(address).hostname, None, type=socket.SOCK_STREAM)
    except OSError as error:
        raise Unfetchable("the host does not exist") from error
    if not all(ipaddress.ip_address(str(row[4][0]).partition("%")[0]).is_global for row in found):
        raise Unfetchable("the host is not public")
