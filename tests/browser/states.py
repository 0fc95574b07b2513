"""Every page in every state that it can be in, as one walk that visits them all and calls back at each.

What is looked at there (rules of accessibility, pictures) is the caller's affair.
"""

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.visitor import Visitor

Look = Callable[[str], None]
HEALTH = ("/health-dashboard", "/integrations/shopify/health")
TRACES = ("/requests", "/audit", "/account/data", "/help/troubleshooting")


def of_a_stranger(visitor: Visitor, look: Look) -> None:
    """What can be seen without signing in."""
    for name, path in {"start": "/", "sign-in": "/login", "integrations, stranger": "/integrations"}.items():
        visitor.open(path)
        look(name)
    visitor.open("/login?next=/runs")
    visitor.page.get_by_label("E-mail").fill("nobody@example.org")
    visitor.page.get_by_label("Password").fill("not the password")
    visitor.page.get_by_role("button", name="Sign in", exact=True).click()
    expect(visitor.page.locator("#login-error")).to_be_visible()
    look("sign-in refused")
    for name, path in {"no such page": "/nowhere", "ended link": "/invitation/no-such-token"}.items():
        visitor.open(path)
        look(name)


def of_a_newcomer(visitor: Visitor, look: Look) -> None:
    """Everything empty, and the dialogs that need nothing."""
    for path in ("/integrations", "/mockups", "/records", "/runs", "/mockups/make", "/account", "/keys", HEALTH[0]):
        visitor.open(path)
        look(f"{path}, empty")
    several = "/integrations?category=storage&category=marketing"
    for path in ("/integrations/shopify", "/integrations/pinterest", "/integrations?q=nothing-like-it", several):
        visitor.open(path)
        look(path)
    visitor.open("/alerts")
    look("alerts, empty")
    visitor.open("/integrations/shopify/connect")
    look("connect page")
    visitor.open_connect("shopify")
    look("connect dialog")
    visitor.page.get_by_label("Your store").fill("not a shop/")
    visitor.page.get_by_role("button", name="Continue to Shopify").click()
    expect(visitor.page.locator("[aria-invalid]")).to_be_visible()
    look("connect refused")
    visitor.open("/integrations/woocommerce/connect")
    visitor.page.get_by_label("Address of your store").fill("demo-store.example")
    visitor.page.get_by_text("I have keys already").click()
    look("keys to paste")
    visitor.page.get_by_label("Consumer key").fill("no key")
    visitor.page.get_by_label("Consumer secret").fill("no secret")
    visitor.page.get_by_role("button", name="Connect with these keys").click()
    expect(visitor.page.locator("[aria-invalid]").first).to_be_visible()
    look("keys refused")
    visitor.open("/keys")
    visitor.page.get_by_label("Name").fill("A script")
    visitor.page.get_by_role("checkbox").first.check()
    visitor.page.get_by_role("button", name="Make the key").click()
    expect(visitor.page.get_by_text("Copy the key now.")).to_be_visible()
    look("new key")


def of_somebody_connected(visitor: Visitor, look: Look) -> None:
    """Connected, syncing, synced, failed, with records, runs and pictures."""
    visitor.fill_shop(60)
    visitor.connect_shopify()
    look("just connected")
    visitor.connect_drive()
    visitor.hub.sandbox.fault("shopify", "slow", times=0, seconds=10, match="products")
    visitor.open("/integrations")
    visitor.page.locator("#sync-shopify button").click()
    expect(visitor.card("shopify")).to_have_attribute("aria-busy", "true")
    look("syncing")
    visitor.page.locator("#run-shopify").click()
    expect(visitor.page.get_by_role("button", name="Cancel run")).to_be_visible()
    look("run going on")
    visitor.hub.sandbox.clear_faults("shopify")
    visitor.run_ends()
    look("run done")
    visitor.open("/integrations/shopify")
    look("integration, connected")
    _dialogs(visitor, look)
    _pictures(visitor, look)
    _lists(visitor, look)
    _upkeep(visitor, look)
    _schedules(visitor, look)
    _traces(visitor, look)
    _failure(visitor, look)
    _alerts(visitor, look)


def of_somebody_at_work(visitor: Visitor, look: Look) -> None:
    """Forms of operations: lists, what depends on a choice, what is refused, and what stands in the way."""
    page = visitor.page
    visitor.upload()
    visitor.connect("facebook", "Ben North")
    look("a choice to make, just connected")
    visitor.open("/integrations")
    look("a choice to make, card")
    visitor.open("/integrations/facebook/do/publish_photo")
    look("an obstacle")
    visitor.connect("figma", team="https://www.figma.com/files/team/1204879330016258113/Inkfield-Studio")
    visitor.open("/integrations/figma/do/import_design")
    look("a list that waits for another")
    page.get_by_role("radio", name="Harbour collection").check()
    expect(page.locator("[name=nodeId]").first).to_be_visible()
    look("two lists")
    visitor.connect("etsy")
    visitor.open("/integrations/etsy/do/publish_mockup")
    look("a listing to choose")
    page.get_by_label("A new draft of a thing that is sent").check()
    expect(page.get_by_label("Title")).to_be_visible()
    look("a new draft")
    page.get_by_label("Title").fill("A mug")
    page.get_by_role("button", name="Publish mockups").evaluate("(button) => { button.form.noValidate = true }")
    page.get_by_role("button", name="Publish mockups").click()
    expect(page.locator("#field-price[aria-invalid]")).to_be_visible()
    look("a draft refused")
    _listings(visitor, look)


def _listings(visitor: Visitor, look: Look) -> None:
    visitor.fill_shop(3)
    visitor.connect_shopify()
    visitor.open("/integrations/shopify/do/get_products")
    look("a listing")
    visitor.open("/integrations/shopify/do/get_products?search=nothing-like-it")
    look("a listing that is empty")
    visitor.hub.sandbox.fault("shopify", "malformed", times=0)
    visitor.open("/integrations/shopify/do/publish_mockup")
    look("a list that cannot be had")
    visitor.open("/integrations/shopify/do/get_products")
    look("a listing that cannot be had")
    visitor.hub.sandbox.clear_faults("shopify")
    visitor.open("/integrations/shopify/do/publish_mockup")
    visitor.hub.sandbox.fault("shopify", "rate_limit", times=0, seconds=60)
    visitor.page.reload()
    expect(visitor.page.get_by_text("As of")).to_be_visible()
    look("a list as it was last")
    visitor.hub.sandbox.clear_faults("shopify")


def of_an_administrator(visitor: Visitor, look: Look) -> None:
    """People, links and credentials."""
    visitor.open("/admin/users")
    look("people")
    visitor.page.get_by_label("E-mail").fill(f"{visitor.shop}-guest@example.org")
    visitor.page.get_by_role("button", name="Make a link").click()
    expect(visitor.page.locator("main").get_by_text("It is shown this once.")).to_be_visible()
    look("new link")
    link = visitor.page.locator("main [data-copy]").first.get_attribute("data-copy") or ""
    visitor.page.goto(link)
    look("invitation")
    visitor.open("/admin/credentials/shopify")
    look("credentials")
    visitor.page.get_by_role("button", name="Save").evaluate("(button) => { button.form.noValidate = true }")
    visitor.page.get_by_role("button", name="Save").click()
    expect(visitor.page.locator("[aria-invalid]").first).to_be_visible()
    look("credentials refused")


def _dialogs(visitor: Visitor, look: Look) -> None:
    page = visitor.page
    for opener in ("connect", "disconnect", "delete"):
        visitor.open("/integrations/shopify")
        page.locator(f"#{opener}-shopify").click()
        expect(page.get_by_role("dialog")).to_be_visible()
        look(f"{opener} dialog, connected")
    visitor.open("/integrations/shopify/disconnect")
    look("disconnect page")


def _pictures(visitor: Visitor, look: Look) -> None:
    page = visitor.page
    visitor.upload()
    look("make a mockup")
    page.get_by_role("radio", name="Mug", exact=True).check()
    page.get_by_role("button", name="Make the mockup").click()
    expect(page.locator("img.picture")).to_be_visible()
    look("mockup")
    mockup = visitor.path()
    for opener, name in (("#assets-publish", "publish"), ("#assets-save", "save")):
        visitor.open(mockup)
        page.locator(opener).click()
        expect(page.get_by_role("dialog").get_by_role("radio").first).to_be_visible()
        look(f"{name} dialog")
    visitor.open(f"{mockup}/save")
    look("save page")
    visitor.open("/mockups")
    look("gallery")


def _lists(visitor: Visitor, look: Look) -> None:
    page = visitor.page
    visitor.open("/records")
    look("records")
    page.locator("#record-rows a").first.click()
    expect(page.get_by_role("heading", name="Facts")).to_be_visible()
    look("record")
    for path in ("/runs", "/runs?status=failed", "/records?q=nothing-like-it", *HEALTH):
        visitor.open(path)
        look(path)


def _traces(visitor: Visitor, look: Look) -> None:
    """What is kept of all that happened, and the way out."""
    for path in TRACES:
        visitor.open(path)
        look(path)
    visitor.open("/requests")
    visitor.page.locator("#request-rows a").first.click()
    expect(visitor.page.get_by_role("heading", name="As a command")).to_be_visible()
    look("a request")


def _schedules(visitor: Visitor, look: Look) -> None:
    page, form = visitor.page, "/integrations/shopify/schedule/import_products"
    visitor.open("/schedules")
    look("schedules, empty")
    visitor.open(form)
    page.get_by_label("Runs", exact=True).select_option("weekly")
    expect(page.get_by_label("Wednesday")).to_be_visible()
    page.get_by_label("Monday").uncheck()
    page.get_by_role("button", name="Save").evaluate("(button) => { button.form.noValidate = true }")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#field-weekdays-error")).to_be_visible()
    look("schedule refused")
    page.get_by_label("Wednesday").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("link", name="Change schedule")).to_be_visible()
    look("integration, scheduled")
    visitor.open(form)
    look("schedule")
    visitor.open("/schedules")
    look("schedules")


def _upkeep(visitor: Visitor, look: Look) -> None:
    """A record edited here, a comparison that finds much gone, its repair that waits for a decision, the rules."""
    page, stream = visitor.page, "/integrations/shopify/streams/products"
    visitor.open("/records")
    page.locator("#record-rows a").first.click()
    page.get_by_role("link", name="Edit", exact=True).click()
    look("a record to edit")
    page.get_by_role("textbox", name="Title").fill("Named here")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Edited here")).to_be_visible()
    look("a record edited")
    visitor.open(stream)
    look("a stream, never compared")
    page.get_by_label("Ask before deleting more than").fill("5")
    page.get_by_role("button", name="Save").click()
    visitor.fill_shop(20)
    visitor.open(stream)
    page.get_by_role("button", name="Compare with Shopify").click()
    visitor.run_ends()
    look("a comparison done")
    page.get_by_role("link", name="See the differences").click()
    look("differences")
    page.get_by_role("button", name="Repair").click()
    visitor.run_ends("Waits for you")
    look("a run that waits for a decision")
    page.get_by_role("link", name="Look and decide").click()
    look("deletions held")
    page.get_by_role("button", name="Delete these").click()
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    look("deletions done")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Brought back", exact=True)).to_be_visible()
    visitor.open(stream)
    look("a stream, compared")
    visitor.open("/records/clashes")
    look("nothing to decide")


def _failure(visitor: Visitor, look: Look) -> None:
    visitor.hub.sandbox.fault("shopify", "malformed", times=0)
    visitor.open("/integrations")
    visitor.page.locator("#sync-shopify button").click()
    expect(visitor.card("shopify").locator(".badge").first).to_have_text("Last sync failed", timeout=60_000)
    look("sync failed")
    visitor.card("shopify").get_by_role("link", name="View run").click()
    expect(visitor.page.locator(".problem")).to_be_visible()
    look("run failed")
    visitor.hub.sandbox.clear_faults("shopify")
    visitor.hub.sandbox.fault("shopify", "revoked_grant")
    visitor.page.get_by_role("button", name="Try again").click()
    visitor.run_ends("Failed")
    visitor.open("/integrations")
    expect(visitor.card("shopify").locator(".badge").first).to_have_text("Reconnect needed")
    look("reconnect needed")


def _alerts(visitor: Visitor, look: Look) -> None:
    page = visitor.page
    visitor.open("/alerts")
    expect(page.locator("#alert-rows a.button", has_text="Reconnect")).to_be_visible()
    look("alerts")
    page.get_by_role("link", name="Shopify needs you to reconnect", exact=True).click()
    look("an alert")
    page.get_by_role("button", name="1 hour").click()
    expect(page.get_by_text("Put off until")).to_be_visible()
    look("an alert put off")
    visitor.open("/alerts?status=resolved")
    look("alerts, none like that")
    visitor.open("/alerts/preferences")
    page.get_by_role("textbox", name="Address").fill("https://198.252.206.1/alerts")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Copy the secret now.")).to_be_visible()
    look("what is sent, with a new secret")
    page.get_by_role("textbox", name="Address").fill("https://127.0.0.1/")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("[aria-invalid]")).to_be_visible()
    look("what is sent, refused")
