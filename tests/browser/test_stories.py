"""The product's stories from end to end, in a browser against real processes: what people come to Patchbay for."""

import re

from playwright.sync_api import Locator, expect

from tests.browser.conftest import Visit
from tests.browser.visitor import RUN_ENDS_WITHIN_MS, Visitor

BATCH_ENDS_WITHIN_MS = 180_000
TEAM = "https://www.figma.com/files/team/1204879330016258113/Inkfield-Studio"
STORE = "demo-store.example"
OTHERS = {
    "google-drive": {},
    "etsy": {},
    "woocommerce": {"store": STORE},
    "figma": {"team": TEAM},
    "canva": {},
    "dropbox": {},
    "instagram": {},
    "facebook": {},
}
NO_PICTURE = 404  # one of Figma's files has none
NAMES = {"Shopify", "Etsy", "WooCommerce", "Google Drive", "Dropbox", "Instagram", "Facebook"}


def test_somebody_connects_shopify_and_imports_the_catalogue_on_a_phone(visit: Visit) -> None:
    visitor = visit(width=360, height=740)
    visitor.fill_shop(5)

    visitor.connect_shopify()
    expect(visitor.page.get_by_text(f"Shopify is connected as {visitor.shop}.myshopify.com.")).to_be_visible()
    visitor.sync()

    visitor.open("/records")
    expect(visitor.page.locator("#record-rows tr[id^=record-]")).to_have_count(5)
    assert visitor.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_somebody_connects_figma_and_imports_a_design(visit: Visit) -> None:
    visitor = visit()
    visitor.watch.expected = {NO_PICTURE}

    visitor.connect("figma", team=TEAM)
    expect(visitor.page.get_by_text("Figma is connected as ada@example.org.")).to_be_visible()
    import_frame(visitor, "Harbour collection", "Night comet")

    visitor.open("/mockups")
    design = visitor.page.get_by_role("link", name="Night comet")
    expect(design).to_be_visible()
    design.click()
    expect(visitor.page.locator("img.picture")).to_have_js_property("complete", True)
    assert visitor.page.locator("img.picture").evaluate("(image) => image.naturalWidth") == 2400


def test_somebody_makes_a_mockup_and_publishes_it_to_shopify_without_javascript(visit: Visit) -> None:
    visitor = visit(javascript=False)
    visitor.fill_shop(3)
    visitor.connect_shopify()

    visitor.make_mockup("Tote bag")
    visitor.page.get_by_role("link", name="Publish").click()
    visitor.page.get_by_role("radio").first.check()
    visitor.page.get_by_role("button", name="Publish mockups").click()

    visitor.run_ends()
    products = visitor.hub.sandbox.state("shopify", "products", shop=f"{visitor.shop}.myshopify.com")
    assert sum("Blue square" in str(product) for product in products) == 1


def test_somebody_saves_a_mockup_to_a_new_folder_of_google_drive(visit: Visit) -> None:
    visitor = visit()
    visitor.connect_drive()

    visitor.make_mockup("Cushion")
    visitor.page.get_by_role("link", name="Save").click()
    visitor.page.get_by_text("New folder").click()
    visitor.page.get_by_label("Name", exact=True).fill("Winter mockups")
    visitor.page.get_by_role("button", name="Make it").click()
    expect(visitor.page.get_by_role("radio", name="Winter mockups")).to_be_checked(timeout=RUN_ENDS_WITHIN_MS)
    visitor.page.get_by_role("button", name="Save to Drive").click()

    visitor.page.wait_for_url("**/runs/*")
    visitor.run_ends()
    files = {file["name"]: file for file in visitor.hub.sandbox.state("google-drive", "files")}
    (saved,) = (file for name, file in files.items() if name.startswith("Blue square"))
    assert saved["parents"] == [files["Winter mockups"]["id"]]


def test_somebody_disconnects_from_every_platform(visit: Visit) -> None:
    visitor = visit()
    assert visitor.person
    visitor.person.connect("shopify", shop=visitor.shop)
    for key, values in OTHERS.items():
        visitor.person.connect(key, **values)
    visitor.open("/integrations")
    expect(visitor.page.locator("[aria-labelledby=shelf-connected] article")).to_have_count(9)

    for key in ("shopify", *OTHERS):
        visitor.disconnect(key)

    visitor.open("/integrations")
    expect(visitor.page.locator("#shelf-connected")).to_have_count(0)
    sandbox = visitor.hub.sandbox
    assert sandbox.received("google-drive", path="/revoke", status=200)
    assert sandbox.received("dropbox", path="/2/auth/token/revoke", status=200)
    assert sandbox.received("canva", path="/auth/v1/oauth/revoke", status=200)
    assert [row["status"] for row in sandbox.received("facebook", method="DELETE")] == [200]


def test_a_frame_of_figma_goes_to_seven_places_in_one_go(visit: Visit) -> None:
    visitor = visit()
    visitor.watch.expected = {NO_PICTURE}
    visitor.fill_shop(3)
    visitor.connect_shopify()
    for key in ("google-drive", "etsy", "woocommerce", "figma", "dropbox", "instagram"):
        visitor.connect(key, **OTHERS[key])
    visitor.connect("facebook", account="Ben North")
    visitor.page.get_by_role("radio", name="Northern Prints").check()
    visitor.page.get_by_role("button", name="Save settings").click()
    expect(visitor.page.get_by_text("Settings saved.")).to_be_visible()

    import_frame(visitor, "Harbour collection", "Harbour sun")
    make_mockup_of(visitor, "Harbour sun")
    visitor.page.get_by_role("link", name="Send to several places").click()
    fill_in_all_places(visitor)
    visitor.page.get_by_role("button", name="Send to 7 places").click()

    visitor.page.wait_for_url("**/batches/*")
    expect(batch(visitor).locator(".badge").first).to_have_text("All done", timeout=BATCH_ENDS_WITHIN_MS)
    rows = visitor.page.locator("#part-rows tbody tr, tbody#part-rows tr")
    assert {name for name in NAMES for text in rows.all_inner_texts() if name in text} == NAMES
    expect(rows.get_by_text("Succeeded")).to_have_count(7)
    expect(rows.get_by_role("link", name=re.compile("^Open at "))).to_have_count(7)
    assert_arrived(visitor)


def test_one_place_that_fails_stops_no_other(visit: Visit) -> None:
    visitor = visit()
    assert visitor.person
    visitor.person.connect("google-drive")
    visitor.person.connect("dropbox")
    visitor.make_mockup()
    visitor.hub.sandbox.fault("dropbox", "malformed", times=0, match="upload")

    visitor.page.get_by_role("link", name="Send to several places").click()
    for key in ("dropbox", "google-drive"):
        choose(visitor, key)
    visitor.page.get_by_role("button", name="Send to 2 places").click()

    visitor.page.wait_for_url("**/batches/*")
    expect(batch(visitor).locator(".badge").first).to_have_text("1 done, 1 failed", timeout=BATCH_ENDS_WITHIN_MS)
    dropbox = visitor.page.locator("tr", has_text="Dropbox")
    expect(dropbox.get_by_text("Dropbox answered in a form Patchbay does not understand.")).to_be_visible()
    expect(visitor.page.locator("tr", has_text="Google Drive").get_by_text("Succeeded")).to_be_visible()


def test_a_recipe_takes_the_frames_of_a_file_to_a_folder_without_javascript(visit: Visit) -> None:
    visitor = visit(javascript=False)
    visitor.watch.expected = {NO_PICTURE}
    assert visitor.person
    visitor.person.connect("figma", team=TEAM)
    visitor.person.connect("google-drive")

    visitor.open("/batches")
    visitor.page.get_by_role("link", name="Frames of a design file to a folder of mockups").click()
    visitor.page.get_by_role("radio", name="Northern peaks").check()
    visitor.page.get_by_label("Set them onto").select_option("Framed poster")
    visitor.page.get_by_label("Name of the new folder").fill("Peaks")
    visitor.page.get_by_role("button", name="Start").click()

    visitor.page.wait_for_url("**/batches/*")
    expect(batch(visitor).locator(".badge").first).to_have_text("All done", timeout=BATCH_ENDS_WITHIN_MS)
    files = {file["name"]: file for file in visitor.hub.sandbox.state("google-drive", "files")}
    saved = [name for name, file in files.items() if file.get("parents") == [files["Peaks"]["id"]]]
    assert sorted(name.split(" –")[0] for name in saved) == ["Peak one", "Peak two"]


def batch(visitor: Visitor) -> Locator:
    """Where the page says how the batch stands."""
    return visitor.page.locator("section[id^=batch-]")


def import_frame(visitor: Visitor, file: str, frame: str) -> None:
    """From Figma's page, with both picked from live lists."""
    visitor.open("/integrations/figma")
    visitor.page.get_by_role("link", name="Import a frame").click()
    visitor.page.get_by_role("radio", name=file).check()
    visitor.page.get_by_role("radio", name=re.compile(frame)).check()
    visitor.page.get_by_role("button", name="Import a frame").click()
    visitor.page.wait_for_url("**/runs/*")
    visitor.run_ends()


def make_mockup_of(visitor: Visitor, design: str) -> None:
    """From the design's page."""
    visitor.open("/mockups")
    visitor.page.get_by_role("link", name=design).first.click()
    visitor.page.get_by_role("link", name="Make a mockup").click()
    visitor.page.get_by_role("radio", name="Mug", exact=True).check()
    visitor.page.get_by_role("button", name="Make the mockup").click()
    expect(visitor.page.locator("img.picture")).to_be_visible()


def choose(visitor: Visitor, key: str) -> Locator:
    """Tick a place; what it asks."""
    visitor.page.locator(f"#field-place input[value={key}]").check()
    asked = visitor.page.locator(f"#place-{key}")
    expect(asked).to_be_visible()
    return asked


def fill_in_all_places(visitor: Visitor) -> None:
    """A product, a draft, a product, two folders, two posts."""
    choose(visitor, "shopify").get_by_role("radio").first.check()
    choose(visitor, "woocommerce").get_by_role("radio", name="Birch Tee").check()
    etsy = choose(visitor, "etsy")
    etsy.get_by_label("A new draft of a thing that is sent").check()
    etsy.get_by_label("Title").fill("Harbour sun mug")
    etsy.get_by_label("Description").fill("A sun over the harbour, on a mug.")
    etsy.get_by_label("Price").fill("21.99")
    etsy.get_by_role("radio", name="Art & Collectibles › Prints", exact=True).check()
    etsy.get_by_role("radio", name="Letters and small parcels").check()
    etsy.get_by_role("radio", name="ready to ship").check()
    etsy.get_by_role("radio", name="returns and exchanges").check()
    for key in ("google-drive", "dropbox"):
        choose(visitor, key)
    for key in ("instagram", "facebook"):
        choose(visitor, key).get_by_role("textbox").first.fill("Fresh from the harbour")
    expect(etsy.get_by_label("Title")).to_have_value("Harbour sun mug")


def assert_arrived(visitor: Visitor) -> None:
    """Every platform holds the mockup."""
    sandbox = visitor.hub.sandbox
    assert sandbox.received("shopify", operation="productUpdate")
    drafts = [each for each in sandbox.state("etsy", "listings") if each["title"] == "Harbour sun mug"]
    assert [(each["state"], len(each["images"])) for each in drafts] == [("draft", 1)]
    (birch,) = [each for each in sandbox.state("woocommerce", "products") if each["name"] == "Birch Tee"]
    assert len(birch["images"]) == 3
    for platform, collection in (("google-drive", "files"), ("dropbox", "entries")):
        names = [entry["name"] for entry in sandbox.state(platform, collection)]
        assert any(name.startswith("Harbour sun") for name in names), platform
    for platform, collection in (("instagram", "media"), ("facebook", "photos")):
        assert "Fresh from the harbour" in str(sandbox.state(platform, collection)), platform
