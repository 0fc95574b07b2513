"""What a browser fetches for the integrations page with sixty cards: with an empty cache, and when it comes again.

Chromium counts the bytes on the wire, heads included. What does not live here: how long it takes (`catalogue_page`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import BrowserContext, CDPSession, sync_playwright

from bench import crowd, figures
from bench.figures import RUNS, Row, median
from scripts import browser

SPRITE = "/logos."
FIRST_KB, FIRST_REQUESTS = 60.0, 8
AGAIN_KB, AGAIN_REQUESTS = 15.0, 1


@dataclass
class Visit:
    """What came over the wire: bytes by address."""

    received: dict[str, float] = field(default_factory=dict)

    @property
    def kilobytes(self) -> float:
        """All of it, in units of 1,000 bytes."""
        return sum(self.received.values()) / 1000

    @property
    def requests(self) -> int:
        """All of them, the sprite of the logos aside."""
        return sum(SPRITE not in address for address in self.received)


def main() -> list[Row]:
    """Measure, keep, compare with the budget."""
    began_under = figures.load()
    first, again = [], []
    with crowd.serving() as site, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser.ensure(), args=["--no-sandbox"])
        for _ in range(RUNS):
            context = chromium.new_context()
            context.add_cookies([{"name": site.cookie_name, "value": site.cookie, "url": site.url}])
            one, two = _visits(context, f"{site.url}/integrations")
            first.append(one)
            again.append(two)
            context.close()
        chromium.close()
    kept = {"first": [one.received for one in first], "again": [one.received for one in again]}
    figures.keep("first_visit", began_under, kept)
    return [
        *_rows("first visit", first, FIRST_KB, FIRST_REQUESTS),
        *_rows("visit again", again, AGAIN_KB, AGAIN_REQUESTS),
    ]


def _rows(what: str, visits: list[Visit], kilobytes: float, requests: int) -> list[Row]:
    size, count = median([visit.kilobytes for visit in visits]), median([visit.requests for visit in visits])
    return [
        Row(f"{what}: bytes, all in", f"{size:.1f} KB", f"≤ {kilobytes:.0f} KB", size <= kilobytes),
        Row(f"{what}: requests beside the sprite", f"{count:.0f}", f"≤ {requests}", count <= requests),
    ]


def _visits(context: BrowserContext, address: str) -> tuple[Visit, Visit]:
    """The page in a browser that knows nothing of it, then once more."""
    page = context.new_page()
    visits = []
    for _ in range(2):
        wire = context.new_cdp_session(page)
        visit = _listening(wire)
        page.goto(address, wait_until="networkidle")
        wire.detach()
        visits.append(visit)
        page.goto("about:blank")
    return visits[0], visits[1]


def _listening(wire: CDPSession) -> Visit:
    """A visit that fills while the browser loads; what comes out of its cache does not count."""
    visit = Visit()
    addresses: dict[str, str] = {}
    cached: set[str] = set()

    def on_response(told: Mapping[str, Any]) -> None:
        response = told["response"]
        if response["url"].startswith("http"):
            addresses[told["requestId"]] = response["url"]
        if response.get("fromDiskCache") or response.get("fromPrefetchCache"):
            cached.add(told["requestId"])

    def on_finished(told: Mapping[str, Any]) -> None:
        request = told["requestId"]
        if request in addresses and request not in cached:
            visit.received[addresses[request]] = visit.received.get(addresses[request], 0) + told["encodedDataLength"]

    wire.on("Network.requestServedFromCache", lambda told: cached.add(told["requestId"]))
    wire.on("Network.responseReceived", on_response)
    wire.on("Network.loadingFinished", on_finished)
    wire.send("Network.enable")
    return visit
