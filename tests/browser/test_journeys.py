"""The product's main job in a browser, from the sign-in page to the last disconnect, with JavaScript and without."""

from playwright.sync_api import expect

from patchbay import accounts
from patchbay.models import Role, db
from tests.browser.conftest import Visit
from tests.browser.visitor import RUN_ENDS_WITHIN_MS, Visitor
from tests.stage import PASSWORD


def test_26_the_whole_job_with_javascript(visit: Visit) -> None:
    visitor = visit(is_stranger=True)
    visitor.open("/integrations")
    visitor.page.get_by_role("link", name="Sign in").first.click()
    visitor.page.get_by_role("button", name="Continue as the demo user").click()
    visitor.page.wait_for_url("**/integrations")

    _do_the_whole_job(visitor)


def test_26_the_whole_job_without_javascript(visit: Visit) -> None:
    visitor = visit(is_stranger=True, javascript=False)
    email = f"{visitor.shop}@example.org"
    with visitor.hub.app.app_context():
        accounts.create_user(email, PASSWORD, Role.MEMBER)
        db.session.remove()
    visitor.open("/login?next=/integrations")
    visitor.page.get_by_label("E-mail").fill(email)
    visitor.page.get_by_label("Password").fill(PASSWORD)
    visitor.page.get_by_role("button", name="Sign in").click()
    visitor.page.wait_for_url("**/integrations")

    _do_the_whole_job(visitor)


def _do_the_whole_job(visitor: Visitor) -> None:
    visitor.fill_shop(5)
    visitor.connect_shopify()
    expect(visitor.page.get_by_text(f"Shopify is connected as {visitor.shop}.myshopify.com.")).to_be_visible()
    visitor.connect_drive()
    expect(visitor.page.get_by_text("Google Drive is connected as")).to_be_visible()

    visitor.sync()
    visitor.open("/records")
    expect(visitor.page.locator("#record-rows tr[id^=record-]")).to_have_count(5)

    visitor.make_mockup()
    mockup = visitor.path()
    _publish(visitor)
    visitor.open(mockup)
    _save(visitor)

    visitor.disconnect("google-drive")
    visitor.disconnect("shopify")
    visitor.open("/integrations")
    expect(visitor.page.locator("#shelf-connected")).to_have_count(0)
    assert visitor.hub.sandbox.received("shopify", operation="productUpdate")
    saved = [file["name"] for file in visitor.hub.sandbox.state("google-drive", "files")]
    assert "Autumn mockups" in saved
    assert any(name.startswith("Blue square") for name in saved)
    assert visitor.hub.sandbox.received("google-drive", path="/revoke", status=200)


def _publish(visitor: Visitor) -> None:
    visitor.page.get_by_role("link", name="Publish").click()
    visitor.page.get_by_role("radio").first.check()
    visitor.page.get_by_role("button", name="Publish mockups").click()
    visitor.page.wait_for_url("**/runs/*")
    visitor.run_ends()


def _save(visitor: Visitor) -> None:
    visitor.page.get_by_role("link", name="Save").click()
    visitor.page.get_by_text("New folder").click()
    visitor.page.get_by_label("Name", exact=True).fill("Autumn mockups")
    visitor.page.get_by_role("button", name="Make it").click()
    expect(visitor.page.get_by_role("radio", name="Autumn mockups")).to_be_checked(timeout=RUN_ENDS_WITHIN_MS)
    visitor.page.get_by_role("button", name="Save to Drive").click()
    visitor.page.wait_for_url("**/runs/*")
    visitor.run_ends()
