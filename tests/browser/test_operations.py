"""Forms of operations in a browser: live lists, what depends on what, and what is kept through every redraw."""

import re

from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Visit
from tests.browser.test_accessibility import tab_to
from tests.browser.visitor import RUN_ENDS_WITHIN_MS, Visitor

PUBLISH = "/integrations/shopify/do/publish_mockup"
UPLOAD = "/integrations/google-drive/do/upload_file"
TEAM = "https://www.figma.com/files/team/1204879330016258113/Inkfield-Studio"
SEARCH = "Search in Product"


def rows(page: Page) -> list[str]:
    """The labels of the list."""
    return [text.strip() for text in page.locator(".options label").all_inner_texts()]


def with_shop(visitor: Visitor, count: int = 12) -> Page:
    """A picture, a connected shop of that many products, and the form that publishes."""
    visitor.fill_shop(count)
    visitor.upload()
    visitor.connect_shopify()
    return visitor.open(PUBLISH)


def test_typing_in_a_lists_search_narrows_it_and_keeps_caret_choice_and_pictures(visitor: Visitor) -> None:
    page = with_shop(visitor)
    wanted = page.get_by_role("radio").nth(3)
    name = (wanted.locator("xpath=..").inner_text()).strip()
    wanted.check()
    page.get_by_role("checkbox", name="Blue square").check()
    asked = len(visitor.ledger.lines)

    visitor.type_quickly(page.get_by_label(SEARCH), "zz")
    expect(page.locator(".options label")).to_have_count(1)

    posts = [line for line in visitor.ledger.lines[asked:] if line.startswith("POST")]
    assert posts == [f"POST {PUBLISH}"]
    assert rows(page) == [name]
    assert page.evaluate("[document.activeElement.id, document.activeElement.selectionStart]") == [
        "search-productId",
        2,
    ]
    expect(page.get_by_role("radio", name=name)).to_be_checked()
    expect(page.get_by_role("checkbox", name="Blue square")).to_be_checked()
    assert visitor.path() == PUBLISH


def test_enter_in_a_search_searches_and_starts_nothing(visitor: Visitor) -> None:
    page = with_shop(visitor, 3)
    page.get_by_role("radio").first.check()
    page.get_by_role("checkbox", name="Blue square").check()

    page.get_by_label(SEARCH).fill("zz")
    page.get_by_label(SEARCH).press("Enter")

    expect(page.locator(".options label")).to_have_count(1)
    visitor.open("/runs")
    expect(page.get_by_text("No syncs yet.")).to_be_visible()


def test_show_more_adds_what_follows_and_pictures_come_through_this_site(visitor: Visitor) -> None:
    page = with_shop(visitor, 70)
    expect(page.locator(".options label")).to_have_count(50)

    page.get_by_role("button", name="Show more").first.click()

    expect(page.locator(".options label")).to_have_count(70)
    page.wait_for_load_state("networkidle")
    assert page.locator(".options img").first.evaluate("(image) => image.naturalWidth") > 1
    assert len(set(rows(page))) == len(rows(page)) or len(rows(page)) == 70


def test_a_chosen_product_gets_the_chosen_pictures(visitor: Visitor) -> None:
    page = with_shop(visitor, 3)
    page.get_by_role("radio").nth(1).check()
    page.get_by_role("checkbox", name="Blue square").check()

    page.get_by_role("button", name="Publish mockups").click()

    page.wait_for_url("**/runs/*")
    visitor.run_ends()
    result = page.locator("section[aria-labelledby=result]")
    expect(result.get_by_role("link", name="Open it at Shopify")).to_be_visible()
    expect(result).to_contain_text("Pictures sent")
    expect(page.locator("main pre")).to_have_count(0)


def test_what_is_refused_is_named_and_the_first_of_it_has_the_caret(visitor: Visitor) -> None:
    visitor.watch.expected = {422}
    page = with_shop(visitor, 3)

    page.get_by_role("button", name="Publish mockups").click()

    expect(page.get_by_text("2 values need another look.")).to_be_visible()
    expect(page.get_by_label(SEARCH)).to_be_focused()
    expect(page.get_by_role("group", name="Product")).to_have_accessible_description("This field is needed.")
    expect(page.get_by_role("link", name="Mockups").last).to_have_attribute("href", "#field-mockupUrls")


def test_a_file_brings_its_frames_and_another_file_others(visitor: Visitor) -> None:
    visitor.connect("figma", team=TEAM)
    page = visitor.open("/integrations/figma/do/import_design")
    expect(page.get_by_text("Choose this first: File.")).to_be_visible()

    page.get_by_role("radio", name="Harbour collection").check()
    expect(page.get_by_role("radio", name="Harbour sun")).to_be_visible()
    page.get_by_role("radio", name="Harbour sun").check()
    page.get_by_role("radio", name="Northern peaks").check()
    expect(page.get_by_role("radio", name="Harbour sun")).to_have_count(0)
    expect(page.locator("[name=nodeId]:checked")).to_have_count(0)
    page.get_by_role("radio", name="Harbour collection").check()
    page.get_by_role("radio", name="Harbour sun").check()
    page.get_by_role("button", name="Import a frame").click()

    page.wait_for_url("**/runs/*")
    visitor.run_ends()
    page.get_by_role("link", name="Harbour sun").click()
    expect(page.locator("img.picture")).to_be_visible()


def test_a_new_draft_asks_other_things_and_remembers_them(visitor: Visitor) -> None:
    visitor.connect("etsy")
    page = visitor.open("/integrations/etsy/do/publish_mockup")

    page.get_by_label("A new draft of a download").check()
    expect(page.get_by_label("Title")).to_be_visible()
    expect(page.get_by_label("Quantity")).to_have_value("1")
    page.get_by_label("Title").fill("Printable comet")
    page.get_by_label("A listing that is there").check()
    expect(page.get_by_label("Title")).to_have_count(0)
    page.get_by_label("A new draft of a download").check()

    expect(page.get_by_label("Title")).to_have_value("Printable comet")


def test_a_list_that_cannot_be_had_is_tried_again_in_place(visitor: Visitor) -> None:
    page = with_shop(visitor, 3)
    visitor.hub.sandbox.fault("shopify", "malformed", times=0)
    page.reload()
    expect(page.get_by_text("Shopify answered in a form Patchbay does not understand.")).to_be_visible()
    page.get_by_role("checkbox", name="Blue square").check()
    visitor.hub.sandbox.clear_faults("shopify")

    page.get_by_role("button", name="Try again").click()

    expect(page.locator(".options label")).to_have_count(3)
    expect(page.get_by_role("checkbox", name="Blue square")).to_be_checked()


def test_an_older_answer_of_a_search_never_replaces_a_newer_one(visitor: Visitor) -> None:
    held: list[Route] = []

    def hold_the_first(route: Route) -> None:
        """Let no answer to the first request come until the test says so."""
        if held or route.request.method != "POST":
            route.continue_()
        else:
            held.append(route)

    page = with_shop(visitor, 3)
    page.route(re.compile(PUBLISH), hold_the_first)
    page.get_by_label(SEARCH).fill("zz")
    visitor.wait_until(lambda: len(held) == 1)

    page.get_by_label(SEARCH).fill("")
    page.wait_for_timeout(1_000)
    visitor.watch.is_offline_expected = True
    held[0].abort()
    page.wait_for_timeout(300)

    expect(page.locator(".options label")).to_have_count(3)
    expect(page.locator("#alerts")).to_be_empty()


def test_a_folder_is_made_without_leaving_the_form(visitor: Visitor) -> None:
    visitor.upload()
    visitor.connect_drive()
    page = visitor.open(UPLOAD)
    page.get_by_role("checkbox", name="Blue square").check()

    page.get_by_text("New folder").click()
    page.get_by_label("Name", exact=True).fill("Winter")
    page.get_by_role("button", name="Make it").click()

    expect(page.get_by_role("radio", name="Winter")).to_be_checked(timeout=RUN_ENDS_WITHIN_MS)
    expect(page.get_by_role("checkbox", name="Blue square")).to_be_checked()
    assert visitor.path() == UPLOAD


def test_the_dialog_of_a_mockup_asks_what_each_place_asks(visitor: Visitor) -> None:
    visitor.fill_shop(3)
    visitor.make_mockup()
    mockup = visitor.path()
    visitor.connect_shopify()
    visitor.connect("instagram")
    page = visitor.open(mockup)

    page.locator("#assets-publish").click()
    dialog = page.get_by_role("dialog", name="Publish")
    expect(dialog.get_by_label("Caption")).to_be_visible()
    dialog.get_by_label("Publish at").focus()
    dialog.get_by_label("Publish at").select_option("shopify")
    expect(dialog.get_by_role("radio")).to_have_count(3)
    expect(dialog.get_by_label("Publish at")).to_be_focused()
    expect(dialog.get_by_role("heading")).to_have_count(1)
    dialog.get_by_role("radio").first.check()
    dialog.get_by_role("button", name="Publish mockups").click()

    page.wait_for_url("**/runs/*")
    visitor.run_ends()


def test_a_choice_after_connecting_takes_the_card_out_of_the_readers_way(visitor: Visitor) -> None:
    visitor.connect("facebook", "Ben North")
    page = visitor.page
    expect(page.get_by_text("One more step: choose Page below.")).to_be_visible()
    visitor.open("/integrations")
    expect(visitor.card("facebook").locator(".badge").first).to_have_text("Choose: Page")
    visitor.card("facebook").get_by_role("link", name="Choose Facebook").click()

    page.get_by_role("radio", name="Little Kiln").check()
    page.get_by_role("button", name="Save settings").click()

    expect(page.get_by_text("Settings saved.")).to_be_visible()
    expect(page.locator(".headline .badge").first).to_have_text("Connected")
    expect(page.locator("section[aria-labelledby=settings]")).to_contain_text("Little Kiln")
    page.get_by_role("button", name="Change").click()
    expect(page.get_by_role("radio", name="Little Kiln")).to_be_checked()


def test_keys_are_pasted_in_the_dialog(visitor: Visitor) -> None:
    keys = visitor.hub.sandbox.keys("woocommerce", {"store": "demo-store.example"})
    visitor.open_connect("woocommerce")
    dialog = visitor.page.get_by_role("dialog", name="Connect WooCommerce")
    dialog.get_by_label("Address of your store").fill("demo-store.example")

    dialog.get_by_text("I have keys already").click()
    dialog.get_by_label("Consumer key").fill(keys["consumer_key"])
    dialog.get_by_label("Consumer secret").fill(keys["consumer_secret"])
    dialog.get_by_role("button", name="Connect with these keys").click()

    expect(visitor.page.get_by_text("WooCommerce is connected as demo-store.example.")).to_be_visible()


def test_26_forms_of_operations_work_without_javascript(visit: Visit) -> None:
    visitor = visit(javascript=False)
    page = with_shop(visitor, 12)
    first = rows(page)[0]
    page.get_by_role("radio").first.check()
    page.get_by_role("checkbox", name="Blue square").check()

    page.get_by_label(SEARCH).fill("zz")
    page.get_by_role("button", name="Search").click()
    assert rows(page) == [first]
    expect(page.get_by_role("radio", name=first)).to_be_checked()
    page.get_by_role("button", name="Publish mockups").click()
    visitor.run_ends()

    visitor.connect("figma", team=TEAM)
    visitor.open("/integrations/figma/do/import_design")
    page.get_by_role("radio", name="Harbour collection").check()
    page.get_by_role("button", name="Show the list").click()
    page.get_by_role("radio", name="Harbour sun").check()
    page.get_by_role("button", name="Import a frame").click()
    visitor.run_ends()

    visitor.connect("facebook", "Ben North")
    page.get_by_role("radio", name="Little Kiln").check()
    page.get_by_role("button", name="Save settings").click()
    expect(page.get_by_text("Settings saved.")).to_be_visible()
    page.get_by_role("button", name="Change").click()
    expect(page.get_by_role("radio", name="Little Kiln")).to_be_checked()


def test_33_a_form_is_filled_by_keyboard(visitor: Visitor) -> None:
    page = with_shop(visitor, 3)

    tab_to(page, "#search-productId")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    tab_to(page, ".picks input")
    page.keyboard.press("Space")
    tab_to(page, "button[name=do]")
    page.keyboard.press("Enter")

    page.wait_for_url("**/runs/*")
    visitor.run_ends()
