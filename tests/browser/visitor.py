"""A person at a browser: the steps that the tests take through the pages, by what is to be seen there.

Steps work with and without JavaScript. What they lead to is asserted by the tests.
"""

import io
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.watch import Ledger, Watch
from tests.journeys.hubs import Hub, Person

RUN_ENDS_WITHIN_MS = 120_000
TYPING = "(text) => [...text].forEach((letter) => document.execCommand('insertText', false, letter))"


@dataclass
class Visitor:
    """A signed-in person (or a stranger: `person` is None) with one open page, and a shop of their own."""

    hub: Hub
    person: Person | None
    context: BrowserContext
    page: Page
    watch: Watch
    ledger: Ledger
    shop: str
    has_script: bool = True
    folder: Path = field(default_factory=Path)

    def open(self, path: str) -> Page:
        """Go to a page of the hub."""
        self.page.goto(f"{self.hub.url}{path}")
        return self.page

    def card(self, key: str) -> Locator:
        """The integration's card."""
        return self.page.locator(f"#card-{key}")

    def path(self) -> str:
        """Where the browser is, without the host."""
        return self.page.url.removeprefix(self.hub.url)

    def wait_until(self, is_so: Callable[[], object]) -> None:
        """Return as soon as it is so; fails when it never is. The browser goes on meanwhile."""
        for _ in range(600):
            if is_so():
                return
            self.page.wait_for_timeout(100)
        raise AssertionError("it never came to be")

    def type_quickly(self, place: Locator, text: str) -> None:
        """Letter by letter, with nothing in between: a machine that is busy may hold up one key after another."""
        place.focus()
        self.page.evaluate(TYPING, text)

    def falls_silent(self, for_ms: int) -> bool:
        """Whether there comes a time of that length in which the page asks for nothing."""
        for _ in range(5):
            asked = len(self.ledger.lines)
            self.page.wait_for_timeout(for_ms)
            if len(self.ledger.lines) == asked:
                return True
        return False

    def fill_shop(self, count: int = 3) -> None:
        """Put products into the own shop."""
        self.hub.sandbox.generate("shopify", count=count, seed=7, shop=f"{self.shop}.myshopify.com")

    def connect_shopify(self) -> None:
        """From the card through the platform's consent, back to the integration's page."""
        self.open_connect("shopify")
        self.page.get_by_label("Your store").fill(self.shop)
        self.page.get_by_role("button", name="Continue to Shopify").click()
        self.allow()

    def connect_drive(self) -> None:
        """The same for Google Drive, which asks for nothing first."""
        self.open_connect("google-drive")
        self.page.get_by_role("button", name="Continue to Google Drive").click()
        self.allow()

    def connect(self, key: str, account: str = "", **fields: str) -> None:
        """The same for any integration, as the account whose label is given where the consent page offers several."""
        self.open(f"/integrations/{key}/connect")
        for name, text in fields.items():
            self.page.locator(f"[name={name}]").fill(text)
        self.page.get_by_role("button", name="Continue to").click()
        if account:
            self.page.get_by_role("radio", name=account).check()
        self.allow()

    def open_connect(self, key: str) -> None:
        """The connect dialog, or its page."""
        self.open("/integrations")
        self.page.locator(f"#connect-{key}").click()
        expect(self.page.get_by_role("heading", name="Connect", exact=False).first).to_be_visible()

    def allow(self) -> None:
        """Press Allow on the consent page, and wait until the browser is back."""
        self.page.get_by_role("button", name=re.compile("^(Allow|Approve)")).first.click()
        self.page.wait_for_url(f"{self.hub.url}/integrations/**")

    def sync(self, key: str = "shopify") -> None:
        """Press Sync on the card and wait until the import has ended well."""
        self.open("/integrations")
        self.page.locator(f"#sync-{key} button").click()
        if self.has_script:
            self.sync_ends(key)
        else:
            self.run_ends()

    def sync_ends(self, key: str = "shopify") -> None:
        """Stay on the integrations page until the card says that its first sync has ended well."""
        expect(self.card(key).locator(".meta time")).to_be_visible(timeout=RUN_ENDS_WITHIN_MS)
        expect(self.card(key).get_by_text("Connected", exact=True)).to_be_visible()

    def run_ends(self, word: str = "Succeeded") -> None:
        """Stay on the run's page until its badge says `word`; it reloads or updates itself."""
        heading = self.page.locator("section[id^=run-]")
        expect(heading.locator(".badge").first).to_have_text(word, timeout=RUN_ENDS_WITHIN_MS)

    def upload(self, name: str = "Blue square") -> None:
        """Upload a design on the mockups page."""
        self.open("/mockups")
        self.page.get_by_label("Design", exact=True).set_input_files(
            {"name": f"{name}.png", "mimeType": "image/png", "buffer": a_picture()}
        )
        self.page.get_by_role("button", name="Upload").click()
        self.page.wait_for_url("**/mockups/make?design=*")

    def make_mockup(self, template: str = "Mug") -> None:
        """Upload a design, set it onto a product, end on the picture's page."""
        self.upload()
        self.page.get_by_role("radio", name=template, exact=True).check()
        self.page.get_by_role("button", name="Make the mockup").click()
        expect(self.page.locator("img.picture")).to_be_visible()

    def disconnect(self, key: str) -> None:
        """From the card, with the question in between."""
        self.open("/integrations")
        self.page.locator(f"#disconnect-{key}").click()
        self.page.get_by_role("button", name="Disconnect").click()
        expect(self.page.locator(f"#connect-{key}")).to_be_visible()


def a_picture(width: int = 240, height: int = 240) -> bytes:
    """A PNG of one colour."""
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), "#2f56c8").save(buffer, "PNG")
    return buffer.getvalue()
