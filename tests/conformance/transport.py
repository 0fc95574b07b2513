"""Transports that lead an official client to the sandbox: `https://HOST/PATH` becomes `SANDBOX_URL/HOST/PATH`.

What is asked over them is up to the tests beside this file.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httplib2
import requests
from requests.adapters import HTTPAdapter


def rewritten(address: str, sandbox_url: str) -> str:
    """The sandbox's address of a platform's; what is not https stays as it is."""
    parts = urlsplit(address)
    if parts.scheme != "https":
        return address
    query = f"?{parts.query}" if parts.query else ""
    return f"{sandbox_url}/{parts.netloc}{parts.path or '/'}{query}"


class SandboxAdapter(HTTPAdapter):
    """For clients on requests: mount it for `https://`."""

    def __init__(self, sandbox_url: str) -> None:
        super().__init__()
        self._sandbox_url = sandbox_url

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Send the request to the sandbox; the answer keeps the platform's address."""
        platform_address = request.url or ""
        request.url = rewritten(platform_address, self._sandbox_url)
        answer = super().send(request, *args, **kwargs)
        request.url = answer.url = platform_address
        return answer


class SandboxHttp(httplib2.Http):  # type: ignore[misc] # the package ships no types
    """For clients on httplib2; follows no 308, which in an upload means to go on."""

    def __init__(self, sandbox_url: str) -> None:
        super().__init__(timeout=20)
        self._sandbox_url = sandbox_url
        self.redirect_codes: frozenset[int] = httplib2.REDIRECT_CODES - {308}

    def request(
        self, uri: str, method: str = "GET", body: Any = None, headers: Mapping[str, str] | None = None, **kwargs: Any
    ) -> Any:
        """Send the request to the sandbox."""
        return super().request(rewritten(uri, self._sandbox_url), method, body, dict(headers or {}), **kwargs)


def session(sandbox_url: str) -> requests.Session:
    """A requests session to which every https host is a host of the sandbox."""
    made = requests.Session()
    made.mount("https://", SandboxAdapter(sandbox_url))
    return made
