"""German from the first page to an error: chosen as readers choose it, whole, and fitting a narrow screen."""

import re
from collections.abc import Iterator
from functools import cache

import pytest
from playwright.sync_api import expect

from blueprints.rendering import catalogues
from scripts import messages
from tests.browser.conftest import Visit
from tests.browser.visitor import Visitor

SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
# Whatever people see or hear, but for what is in another language on purpose and what only machines read.
WORDS = """
() => {
  const attributes = ['aria-label', 'alt', 'placeholder', 'title', 'data-label', 'data-done'];
  const isOurs = (one) => !one.closest('script, code, pre, [lang]:not(html)');
  const ours = [...document.querySelectorAll('title, body *')].filter(isOurs);
  const texts = ours.flatMap((one) => [...one.childNodes].map((node) => node.nodeType === 3 ? node.data : ''));
  const others = ours.flatMap((one) => attributes.map((name) => one.getAttribute(name) ?? ''));
  return [...texts, ...others].map((text) => text.replace(/\\s+/g, ' ').trim()).filter((text) => text);
}
"""
PAGES = (
    "/integrations", "/integrations?q=nichts-dergleichen", "/integrations/figma", "/integrations/pinterest", "/mockups",
    "/mockups/make", "/records", "/records?q=nichts-dergleichen", "/runs", "/runs?status=failed", "/batches",
    "/account", "/keys", "/admin/users", "/admin/credentials/etsy", "/integrations/woocommerce/connect", "/nowhere",
    "/integrations/shopify/do/get_products", "/integrations/shopify/do/publish_mockup",
    "/integrations/shopify/disconnect", "/admin/credentials/instagram", "/invitation/no-such-token",
)  # fmt: skip


@pytest.fixture
def reader(visit: Visit) -> Visitor:
    """An administrator whose browser asks for German, on a telephone."""
    visitor = visit(is_admin=True, width=360, locale="de-DE")
    visitor.watch.expected = {401, 404, 422}
    return visitor


def test_the_way_from_the_catalogue_to_an_error_is_german_and_fits(reader: Visitor) -> None:
    page = reader.page
    reader.fill_shop(3)
    reader.open("/integrations")
    expect(page.get_by_text("Verbinden Sie die Werkzeuge, die Sie schon nutzen.")).to_be_visible()
    look(reader)

    page.locator("#name-shopify a").click()
    expect(page.get_by_role("heading", name="Was Sie dann tun können")).to_be_visible()
    look(reader)

    page.locator("#connect-shopify").click()
    expect(page.get_by_role("dialog").get_by_role("heading", name="Shopify verbinden")).to_be_visible()
    page.get_by_label("Ihr Shop").fill("kein Shop/")
    page.get_by_role("button", name="Weiter zu Shopify").click()
    expect(page.locator("#field-shop-error")).to_contain_text("Geben Sie den Namen eines Shops ein")
    look(reader)

    page.get_by_label("Ihr Shop").fill(reader.shop)
    page.get_by_role("button", name="Weiter zu Shopify").click()
    reader.allow()
    expect(page.get_by_text("Shopify ist als")).to_be_visible()
    look(reader)

    reader.open("/integrations")
    page.locator("#sync-shopify button").click()
    expect(page.locator("#toasts")).to_contain_text("Shopify ist abgeglichen: 3 Einträge.", timeout=60_000)
    look(reader)

    reader.open("/runs")
    page.locator("#run-rows a").first.click()
    expect(page.locator("#log")).to_contain_text("3 von 3 gespeichert.")
    look(reader)

    reader.hub.sandbox.fault("shopify", "malformed", times=0)
    reader.open("/integrations")
    page.locator("#sync-shopify button").click()
    expect(reader.card("shopify").get_by_text("Abgleich fehlgeschlagen")).to_be_visible(timeout=60_000)
    look(reader)
    reader.card("shopify").get_by_role("link", name="Lauf ansehen").click()
    expect(page.locator(".problem")).to_contain_text("in einer Form geantwortet, die Patchbay nicht versteht")
    look(reader)


def test_no_page_keeps_an_english_text(reader: Visitor) -> None:
    reader.fill_shop(1)
    reader.open("/integrations/shopify/connect")
    reader.page.get_by_label("Ihr Shop").fill(reader.shop)
    reader.page.get_by_role("button", name="Weiter zu Shopify").click()
    reader.allow()

    for path in PAGES:
        reader.open(path)
        look(reader)


def test_a_visitor_without_script_changes_the_language_at_the_foot_of_the_page(visit: Visit) -> None:
    visitor = visit(is_stranger=True, javascript=False, width=360)
    visitor.open("/integrations?category=storage")

    visitor.page.get_by_role("button", name="Deutsch").click()

    assert visitor.path() == "/integrations?category=storage"
    expect(visitor.page.locator("html")).to_have_attribute("lang", "de")
    expect(visitor.page.get_by_role("heading", name="Integrationen")).to_be_visible()
    look(visitor)
    visitor.page.get_by_role("button", name="English").click()
    expect(visitor.page.get_by_role("heading", name="Integrations", exact=True)).to_be_visible()


def look(visitor: Visitor) -> None:
    """The page is German, holds no English text, and is as wide as the screen."""
    path = visitor.path()
    words = visitor.page.evaluate(WORDS)
    assert visitor.page.locator("html").get_attribute("lang") == "de", path
    assert sorted(set(left_over(words))) == [], path
    assert visitor.page.evaluate(SIDEWAYS) <= 0, path


def left_over(words: list[str]) -> Iterator[str]:
    """Those which are English texts of ours."""
    yield from (text for text in words if is_english(text))


@cache
def is_english(text: str) -> bool:
    """Whether it is one of our English texts."""
    return any(english.fullmatch(text) for english in english_texts())


@cache
def english_texts() -> list[re.Pattern[str]]:
    """Every message id that is said otherwise in German, with anything in place of what is filled in."""
    path = next(path for path in catalogues.texts(catalogues.FOLDER) if path.parts[-3] == "de")
    said = [message for message in messages.read(path) if message.id]
    pairs = [(forms_of(message.id), forms_of(message.string)) for message in said]
    german = {form for _, forms in pairs for form in forms}
    return [pattern(form) for forms, _ in pairs for form in forms if form not in german and is_telling(form)]


def is_telling(form: str) -> bool:
    """Whether a text is known again by its own words: "%(days)s at %(time)s" would fit technical details as well."""
    return "%(" not in form or re.search(r"[A-Za-z]{3,}", re.sub(r"%\(\w+\)s", "", form)) is not None


def forms_of(text: object) -> tuple[str, ...]:
    """The one form, or all plural forms."""
    return tuple(text) if isinstance(text, list | tuple) else (str(text),)


def pattern(text: str) -> re.Pattern[str]:
    """The text as it would be shown, without the full stop that is left off inside a sentence."""
    parts = re.split(r"%\(\w+\)s", text.rstrip(".").replace("%%", "%"))
    return re.compile(".+".join(re.escape(part) for part in parts) + r"\.?", re.DOTALL)
