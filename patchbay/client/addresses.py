"""Where a request may go: addresses filled with what a user gave, and the hosts that may be sent a token.

Whether an address may be reached at all is decided in `patchbay.net`.
"""

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import urlsplit

from patchbay.errors import UnexpectedShape
from patchbay.spec import Provider

_PLACE = re.compile(r"\{([a-zA-Z_]\w*)\}")
_HOST = re.compile(r"[a-z0-9._-]+(:[0-9]+)?")


def filled(provider: Provider, address: str, settings: Mapping[str, Any]) -> str:
    """The address with its places filled by name, and by nothing else that braces could say.

    Raises UnexpectedShape when nobody has given what it wants.
    """

    def fill(place: re.Match[str]) -> str:
        value = settings.get(place[1])
        if not isinstance(value, str) or not value:
            detail = f"{provider.key}: an address wants {place[1]}, which nobody has given"
            raise UnexpectedShape(detail, provider=provider.name)
        return value

    return _PLACE.sub(fill, address)


def check_host(provider: Provider, address: str, settings: Mapping[str, Any], *, with_token: bool) -> None:
    """A token goes to the platform's API hosts alone, whatever address an answer named. Raises UnexpectedShape."""
    host = _host_of(address)
    declared = provider.token_hosts if with_token else (*provider.hosts, *provider.token_hosts)
    if not _HOST.fullmatch(host) or not any(_is_host(provider, host, pattern, settings) for pattern in declared):
        detail = f"{provider.key}: an address outside the platform: {host.rpartition('@')[2]}"
        raise UnexpectedShape(detail, provider=provider.name)


def _is_host(provider: Provider, host: str, pattern: str, settings: Mapping[str, Any]) -> bool:
    """Whether `host` is what is declared; an address that the user gave is compared as it stands."""
    if "{" in pattern:
        return host == filled(provider, pattern, settings).partition("/")[0].lower()
    return fnmatchcase(host, pattern)


def _host_of(address: str) -> str:
    """Host and port as the address spells them, in lower case; "" for what is no address."""
    try:
        return urlsplit(address).netloc.lower()
    except ValueError:
        return ""
