"""Where a platform's address leads while the sandbox stands in for it.

What does not live here: which hosts a provider declares (`spec`), and the sandbox itself.
"""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Rewriting:
    """`https://HOST/PATH` becomes `<sandbox_url>/HOST/PATH` for hosts that match one of `hosts` (shell patterns)."""

    sandbox_url: str | None
    hosts: tuple[str, ...]

    def rewritten(self, url: str) -> str | None:
        """`url` at the sandbox; None when the sandbox is off or does not serve that host."""
        parts = urlsplit(url)
        host = parts.netloc.lower().removesuffix(":443")
        if self.sandbox_url is None or parts.scheme != "https" or not self._serves(host):
            return None
        query = f"?{parts.query}" if parts.query else ""
        return f"{self.sandbox_url}/{host}{parts.path or '/'}{query}"

    def _serves(self, host: str) -> bool:
        """Patterns match the whole of `host`, so that a user or port in it is never served."""
        return any("@" not in host and fnmatchcase(host, pattern) for pattern in self.hosts)
