"""Jobs in a browser: the form for several places as it is filled in, and every state of their pages by axe."""

from collections.abc import Mapping

from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.test_accessibility import SIDEWAYS, SMALL_TARGETS, check
from tests.browser.visitor import Visitor

OTHER_LOOKS = ((360, "dark"), (1440, "dark"), (320, "light"))
CONNECTED: Mapping[str, Mapping[str, str]] = {"etsy": {}, "google-drive": {}, "facebook": {}, "figma": {}}


def at_the_form(visitor: Visitor) -> Page:
    """Somebody with a shop, a storage, a feed and a mockup, at the form for several places."""
    assert visitor.person
    for key, values in CONNECTED.items():
        visitor.person.connect(key, **values)
    visitor.make_mockup()
    visitor.page.get_by_role("link", name="Send to several places").click()
    expect(visitor.page.get_by_role("heading", name="Send to several places")).to_be_visible()
    return visitor.page


def tick(page: Page, key: str) -> None:
    page.locator(f"#field-place input[value={key}]").check()
    expect(page.locator(f"#place-{key}")).to_be_visible()


def test_ticking_a_place_keeps_the_others_the_caret_and_asks_no_platform_twice(visitor: Visitor) -> None:
    page = at_the_form(visitor)
    tick(page, "etsy")
    page.get_by_label("A new draft of a download").check()
    page.get_by_label("Title").fill("Kept words")
    asked = len(visitor.hub.sandbox.received("etsy"))

    tick(page, "facebook")
    page.locator("#place-facebook").get_by_role("textbox").first.fill("Hello")
    page.locator("#field-place input[value=facebook]").uncheck()
    expect(page.locator("#place-facebook")).to_have_count(0)

    expect(page.get_by_label("Title")).to_have_value("Kept words")
    expect(page.locator("#field-place input[value=facebook]")).to_be_focused()
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_visible()
    assert len(visitor.hub.sandbox.received("etsy")) == asked


def test_what_is_wrong_is_told_once_and_leads_to_its_field(visitor: Visitor) -> None:
    visitor.watch.expected = {422}
    page = at_the_form(visitor)
    tick(page, "etsy")
    tick(page, "google-drive")

    page.get_by_role("button", name="Send to 2 places").click()

    summary = page.get_by_role("group", name="Errors")
    expect(summary.get_by_role("link")).to_have_text(["Etsy: Listing"])
    summary.get_by_role("link", name="Etsy: Listing").click()
    assert page.evaluate("location.hash") == "#field-etsy.listingId"
    expect(page.locator("#place-etsy").get_by_text("This field is needed.")).to_be_visible()
    visitor.open("/batches")
    expect(page.get_by_text("No jobs yet.")).to_be_visible()


def test_axe_finds_nothing_in_any_state_of_a_job(visit: Visit) -> None:
    visitor = visit(reduced_motion="reduce")
    visitor.watch.expected = {404, 422}
    found: dict[str, list[str]] = {}

    def look(state: str) -> None:
        found[state] = _problems(visitor.page)

    visitor.open("/batches")
    look("no jobs")
    visitor.open("/recipes/frames-to-folder")
    look("a recipe that is not possible yet")
    page = at_the_form(visitor)
    look("no place")
    for key in ("etsy", "google-drive", "facebook"):
        tick(page, key)
    look("three places")
    page.get_by_role("button", name="Send to 3 places").click()
    expect(page.get_by_role("group", name="Errors")).to_be_visible()
    look("three places, something wrong")
    page.locator("#place-etsy").get_by_role("radio").nth(3).check()
    visitor.hub.sandbox.fault("facebook", "malformed", times=0, match="photos")
    page.get_by_role("button", name="Send to 3 places").click()
    page.wait_for_url("**/batches/*")
    expect(page.locator(".badge").filter(has_text="2 done, 1 failed")).to_be_visible(timeout=90_000)
    look("a job that failed in part")
    visitor.open("/batches")
    look("jobs")
    visitor.open("/recipes/frames-to-folder")
    look("a recipe whose list cannot be had")

    assert {state: problems for state, problems in found.items() if problems} == {}
    assert len(found) == 8


def _problems(page: Page) -> list[str]:
    """What axe finds in two looks and at a narrow width, what is too small to hit, and what is wider than the page."""
    problems = check(page)
    for width, theme in OTHER_LOOKS:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        problems += [f"{width} {theme} {line}" for line in check(page)]
        if page.evaluate(SIDEWAYS) > 0:
            problems.append(f"{width} px: scrolls sideways")
    problems += [f"small target: {line}" for line in page.evaluate(SMALL_TARGETS)]
    page.set_viewport_size({"width": 1280, "height": 900})
    return problems
