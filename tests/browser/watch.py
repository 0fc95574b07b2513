"""What a browser complains about, and what the hub's answers lack: any of it fails the test that saw it.

What the pages themselves should show is the tests' own affair.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Response

REFUSED = re.compile(r"Failed to load resource: .*status of (\d{3})")
AUTOFOCUS_NOTE = "Autofocus processing was blocked"  # Chromium's note when a swap moves the focus that the page has
PICTURES = "/images/"  # one that its platform does not give in time is answered with 404 and a neutral drawing
HEADERS = (
    "content-security-policy", "x-content-type-options", "referrer-policy", "cross-origin-opener-policy",
    "cross-origin-resource-policy", "permissions-policy", "cache-control",
)  # fmt: skip
TELL_VIOLATIONS = "addEventListener('securitypolicyviolation', e => console.error('CSP: ' + e.violatedDirective))"


@dataclass
class Watch:
    """Collects complaints; `expected` are statuses that a test asks for, which Chromium calls errors."""

    own: str
    problems: list[str] = field(default_factory=list)
    expected: set[int] = field(default_factory=set)
    is_offline_expected: bool = False

    def follow(self, context: BrowserContext) -> None:
        """Listen to all pages of `context`, from now on."""
        context.add_init_script(TELL_VIOLATIONS)
        context.on("console", self._hear)
        context.on("weberror", lambda error: self.problems.append(f"script: {error.error}"))
        context.on("response", self._check)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type not in {"error", "warning"} or AUTOFOCUS_NOTE in message.text:
            return
        if not message.location["url"].startswith(self.own) and self.own not in message.text:
            return
        refused = REFUSED.match(message.text)
        if refused and (int(refused[1]) in self.expected or PICTURES in message.location["url"]):
            return
        if self.is_offline_expected and ("net::ERR_" in message.text or "Failed to fetch" in message.text):
            return
        self.problems.append(f"console: {message.text} ({message.location['url']})")

    def _check(self, response: Response) -> None:
        if not response.url.startswith(self.own) or not response.headers.get("content-type", "").startswith(
            "text/html"
        ):
            return
        absent = [name for name in HEADERS if name not in response.headers]
        if absent:
            self.problems.append(f"{response.url} answers without {', '.join(absent)}")
        policy = response.headers.get("content-security-policy", "")
        if "default-src 'none'" not in policy or "unsafe" in policy:
            self.problems.append(f"{response.url} has a weak policy: {policy}")


@dataclass
class Ledger:
    """The requests of a context to the hub, oldest first, as `METHOD /path?query`."""

    own: str
    lines: list[str] = field(default_factory=list)

    def follow(self, context: BrowserContext) -> None:
        """Write down all requests from now on."""
        context.on("request", lambda request: self._write(request.method, request.url))

    def _write(self, method: str, url: str) -> None:
        if url.startswith(self.own):
            parts = urlsplit(url)
            query = f"?{parts.query}" if parts.query else ""
            self.lines.append(f"{method} {parts.path}{query}")

    def of(self, is_wanted: Callable[[str], object]) -> list[str]:
        """Those that are wanted."""
        return [line for line in self.lines if is_wanted(line)]
