"""Finding an integration: the cards, search, categories, Back, and what is to be found from everywhere."""

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Route, expect

from patchbay import providers
from patchbay.spec import Category, Status
from tests.browser.conftest import Visit
from tests.browser.visitor import Visitor

CARDS = "article.card"
NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)


def names(visitor: Visitor) -> list[str]:
    """The integrations that the page shows, in its order."""
    return [name.strip() for name in visitor.page.locator(f"{CARDS} h3").all_inner_texts()]


def of(*categories: Category) -> list[str]:
    """The names of the integrations of these categories, as the shelves order them for somebody without connections."""
    found = [one for one in providers.all() if one.category in categories]
    return [one.name for one in sorted(found, key=lambda one: (one.status is Status.COMING_SOON, one.name.lower()))]


def shows_only(visitor: Visitor, *wanted: str) -> None:
    """Wait until the page shows these and no others."""
    expect(visitor.page.locator(f"{CARDS} h3")).to_have_text(list(wanted))


def test_01_every_integration_is_listed_once_with_logo_name_and_description(visitor: Visitor) -> None:
    page = visitor.open("/integrations")

    assert sorted(names(visitor)) == sorted(provider.name for provider in providers.all())
    for provider in providers.all():
        card = visitor.card(provider.key)
        logo = card.locator(".logo").bounding_box()
        assert logo
        assert (logo["width"], logo["height"]) == (64, 64)
        expect(card.locator(".about")).to_have_text(provider.description)
    assert page.locator(".shelf:has(#shelf-available) .card .badge").count() == 0


def test_01_a_card_says_what_can_be_done_with_it(visit: Visit) -> None:
    visitor = visit()
    visitor.connect_shopify()

    visitor.open("/integrations")

    expect(visitor.card("shopify").locator(".badge").first).to_have_text("Connected")
    expect(visitor.card("shopify").get_by_role("button", name="Sync Shopify")).to_be_visible()
    expect(visitor.card("shopify").get_by_role("link", name="Disconnect Shopify")).to_be_visible()
    expect(visitor.card("google-drive").get_by_role("link", name="Connect Google Drive")).to_be_visible()


def test_02_typing_sends_one_request_after_a_pause_and_keeps_the_caret(visitor: Visitor) -> None:
    page = visitor.open("/integrations")
    page.evaluate("document.addEventListener('input', () => { window.typedAt = performance.now() })")
    visitor.type_quickly(page.locator("#q"), "fig")
    shows_only(visitor, "Figma")

    asked = visitor.ledger.of(lambda line: "q=" in line)
    pause_ms = page.evaluate(
        "performance.getEntriesByType('resource').findLast((e) => e.name.includes('q=fig')).startTime - window.typedAt"
    )
    caret = page.evaluate("[document.activeElement.id, document.activeElement.selectionStart]")
    assert len(asked) == 1
    assert pause_ms >= 295
    assert caret == ["q", 3]
    assert parse_qs(urlsplit(page.url).query)["q"] == ["fig"]
    expect(page.locator("#result-count")).to_have_text("1 integration")


def test_03_an_older_answer_never_replaces_a_newer_one(visitor: Visitor) -> None:
    held: list[Route] = []
    page = visitor.open("/integrations")
    page.route(re.compile(r"q=s(&|$)"), lambda route: held.append(route))  # noqa: PLW0108 - Playwright takes no built-in functions
    page.locator("#q").press_sequentially("s")
    visitor.wait_until(lambda: len(held) == 1)

    page.locator("#q").fill("shopify")
    shows_only(visitor, "Shopify")
    visitor.watch.is_offline_expected = True
    held[0].abort()
    page.wait_for_timeout(300)

    shows_only(visitor, "Shopify")
    expect(page.locator("#alerts")).to_be_empty()


def test_04_enter_searches_at_once_and_clear_shows_all_again(visitor: Visitor) -> None:
    visitor.page.clock.install(time=NOON)
    page = visitor.open("/integrations")
    page.clock.pause_at(NOON + timedelta(hours=1))  # so that Enter comes before the pause after typing is over
    page.locator("#q").fill("no such thing")
    page.locator("#q").press("Enter")
    page.clock.resume()
    expect(page.get_by_text("No integrations match “no such thing”.")).to_be_visible()
    assert len(visitor.ledger.of(lambda line: "q=" in line)) == 1

    page.get_by_role("link", name="Clear search").click()

    expect(page.locator(CARDS)).to_have_count(len(providers.all()))


def test_05_a_category_filters_and_back_restores_list_and_filter(visitor: Visitor) -> None:
    page = visitor.open("/integrations")
    everything = names(visitor)
    page.get_by_role("link", name="Storage").click()
    expect(page.locator("#category-storage")).to_have_attribute("aria-current", "page")
    filtered = names(visitor)
    assert visitor.path() == "/integrations?category=storage"
    assert filtered == of(Category.STORAGE)

    page.go_back()
    expect(page.locator("#category-all")).to_have_attribute("aria-current", "page")
    assert names(visitor) == everything
    page.go_forward()
    expect(page.locator("#category-storage")).to_have_attribute("aria-current", "page")
    page.reload()

    assert names(visitor) == filtered


def test_05_a_category_opens_in_another_tab_when_asked_to(visitor: Visitor) -> None:
    page = visitor.open("/integrations")

    with visitor.context.expect_page() as opened:
        page.get_by_role("link", name="Storage").click(modifiers=["ControlOrMeta"])

    opened.value.wait_for_load_state()
    assert opened.value.url.endswith("/integrations?category=storage")
    assert visitor.path() == "/integrations"


def test_05_several_categories_are_shown_at_once_until_all_are(visitor: Visitor) -> None:
    page = visitor.open("/integrations?q=mockups")
    page.locator("#category-storage").click()
    expect(page.locator("#category-storage")).to_have_attribute("aria-current", "page")
    page.locator("#category-marketing").click()
    expect(page.locator("#category-marketing")).to_be_focused()
    expect(page.locator("#category-marketing")).to_have_attribute("aria-current", "page")
    both, address = names(visitor), visitor.path()

    page.locator("#q").fill("mockupszzz")
    expect(page.get_by_text("No integrations match “mockupszzz”.")).to_be_visible()
    searched = parse_qs(urlsplit(page.url).query)
    visitor.open(address)
    page.locator("#category-storage").click()
    expect(page.locator("#category-storage")).not_to_have_attribute("aria-current", "page")
    one = names(visitor)
    page.locator("#category-all").click()
    expect(page.locator("#category-all")).to_have_attribute("aria-current", "page")

    assert address == "/integrations?category=marketing&category=storage&q=mockups"
    assert searched["category"] == ["marketing", "storage"]
    assert set(both) == set(of(Category.MARKETING, Category.STORAGE))
    assert one == of(Category.MARKETING)
    assert visitor.path() == "/integrations?q=mockups"


def test_06_search_and_category_narrow_together(visitor: Visitor) -> None:
    page = visitor.open("/integrations?category=ecommerce")

    page.locator("#q").press_sequentially("shopify")
    shows_only(visitor, "Shopify")
    query = parse_qs(urlsplit(page.url).query)
    page.get_by_role("link", name="Storage").click()
    expect(page.locator("#category-storage")).to_have_attribute("aria-current", "page")
    page.get_by_role("link", name="E-commerce").click()

    expect(page.get_by_text("No integrations match “shopify”.")).to_be_visible()
    assert query == {"q": ["shopify"], "category": ["ecommerce"]}
    assert "q=shopify" in visitor.path()


def test_07_what_is_coming_soon_stands_apart_and_cannot_be_connected(visitor: Visitor) -> None:
    page = visitor.open("/integrations")

    shelf = page.locator(".shelf:has(#shelf-coming-soon)")

    expect(shelf.locator(CARDS)).to_have_count(len([one for one in providers.all() if one.auth is None]))
    expect(shelf.get_by_role("button")).to_have_count(0)
    expect(shelf.get_by_role("link", name=re.compile("Connect"))).to_have_count(0)
    expect(shelf.locator(".badge").first).to_have_text("Coming soon")


def test_08_header_and_footer_lead_to_integrations_and_back(visit: Visit) -> None:
    stranger, visitor = visit(is_stranger=True), visit()

    for one in (stranger, visitor):
        page = one.open("/integrations")
        for landmark in ("banner", "contentinfo"):
            link = page.get_by_role(landmark).get_by_role("link", name="Integrations", exact=True)
            expect(link).to_have_attribute("aria-current", "page")
        expect(page.get_by_role("banner").get_by_role("link", name=re.compile("Back"))).to_be_visible()
    expect(stranger.page.get_by_role("banner").get_by_role("link", name="Sign in")).to_be_visible()
    expect(visitor.page.get_by_role("banner").get_by_text("@example.org").first).to_be_visible()


def test_26_search_and_filter_work_without_javascript(visit: Visit) -> None:
    visitor = visit(javascript=False)
    page = visitor.open("/integrations")

    page.locator("#q").fill("fig")
    page.get_by_role("button", name="Search").click()
    shows_only(visitor, "Figma")
    visitor.open("/integrations")
    page.get_by_role("link", name="Storage").click()

    shows_only(visitor, *of(Category.STORAGE))
    page.get_by_role("link", name="Marketing").click()
    shows_only(visitor, *of(Category.STORAGE, Category.MARKETING))
    assert visitor.path() == "/integrations?category=marketing&category=storage"


def test_30_fragment_and_page_of_one_address_never_mix(visitor: Visitor) -> None:
    page = visitor.open("/integrations")
    page.get_by_role("link", name="Storage").click()
    expect(page.locator("#category-storage")).to_have_attribute("aria-current", "page")
    page.get_by_role("link", name="Google Drive").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Google Drive")

    page.go_back()
    page.wait_for_url("**/integrations?category=storage")
    after_back = (page.locator("header.top").count(), names(visitor))
    page.reload()

    assert after_back == (1, of(Category.STORAGE))
    assert (page.locator("header.top").count(), names(visitor)) == after_back


def test_keys_slash_goes_to_the_search_field(visitor: Visitor) -> None:
    page = visitor.open("/integrations")

    page.keyboard.press("/")

    expect(page.locator("#q")).to_be_focused()
    expect(page.locator("#q")).to_have_value("")
