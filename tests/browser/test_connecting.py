"""Connecting, every way that it can end, reconnecting and disconnecting, as seen in a browser."""

from datetime import timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Request, expect
from sqlalchemy import func, select, update

from patchbay import clock
from patchbay.connections import Caller, Outcome
from patchbay.connections.outcomes import ended
from patchbay.models import Connection, PendingAuthorization, Record, db, transaction
from tests.browser.conftest import Visit
from tests.browser.visitor import Visitor


def test_09_connect_opens_a_dialog_that_says_what_is_asked(visitor: Visitor) -> None:
    page = visitor.open("/integrations")

    page.locator("#connect-shopify").click()

    dialog = page.get_by_role("dialog", name="Connect Shopify")
    expect(dialog).to_be_visible()
    expect(dialog.get_by_text("Read your products and their pictures")).to_be_visible()
    expect(dialog.get_by_label("Your store")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.locator("#connect-shopify")).to_be_focused()
    expect(page.locator("#modal-body")).to_be_empty()


def test_09_the_dialog_closes_by_its_button_and_beside_it_unless_something_was_typed(visitor: Visitor) -> None:
    page = visitor.open("/integrations")
    dialog = page.locator("#modal")

    page.locator("#connect-shopify").click()
    dialog.get_by_role("link", name="Cancel").click()
    expect(dialog).to_be_hidden()
    page.locator("#connect-shopify").click()
    expect(dialog).to_be_visible()
    page.mouse.click(5, 5)
    expect(dialog).to_be_hidden()
    page.locator("#connect-shopify").click()
    dialog.get_by_label("Your store").fill("northwind")
    page.mouse.click(5, 5)

    expect(dialog).to_be_visible()


def test_10_the_form_leaves_for_the_platform(visitor: Visitor) -> None:
    visitor.open_connect("shopify")
    visitor.page.get_by_label("Your store").fill(visitor.shop)

    visitor.page.get_by_role("button", name="Continue to Shopify").click()

    visitor.page.wait_for_url(f"{visitor.hub.sandbox.url}/{visitor.shop}.myshopify.com/admin/oauth/authorize?**")
    expect(visitor.page.get_by_role("button", name="Allow")).to_be_visible()


def test_11_success_names_the_account_and_leaves_no_secret_behind(visitor: Visitor) -> None:
    visitor.connect_shopify()

    expect(visitor.page.get_by_text(f"Shopify is connected as {visitor.shop}.myshopify.com.")).to_be_visible()
    expect(visitor.page.locator(".headline .badge").first).to_have_text("Connected")
    assert set(parse_qs(urlsplit(visitor.page.url).query)) == {"outcome"}
    session = visitor.context.new_cdp_session(visitor.page)
    visited = [entry["url"] for entry in session.send("Page.getNavigationHistory")["entries"]]
    own = [parse_qs(urlsplit(url).query) for url in visited if url.startswith(visitor.hub.url)]
    assert own
    assert not [query for query in own if {"code", "state", "hmac"} & set(query)]
    visitor.page.reload()
    expect(visitor.page.get_by_text("Shopify is connected as")).to_have_count(0)


def leave(visitor: Visitor, key: str = "shopify") -> None:
    """As far as the consent page."""
    visitor.open_connect(key)
    if key == "shopify":
        visitor.page.get_by_label("Your store").fill(visitor.shop)
    visitor.page.get_by_role("button", name="Continue to").click()
    expect(visitor.page.get_by_role("button", name="Allow")).to_be_visible()


def callback(visitor: Visitor, **changed: str) -> str:
    """The callback's path as the platform would send the browser there, changed."""
    query = {**visitor.hub.sandbox.consent(visitor.page.url), **changed}
    return f"/integrations/callback?{urlencode(query)}"


def tells(visitor: Visitor, sentence: str, *actions: str) -> None:
    """The page says so, and offers these as links or buttons."""
    expect(visitor.page.get_by_text(sentence)).to_be_visible()
    for action in actions:
        expect(visitor.page.locator("#outcome").locator("a, button", has_text=action)).to_be_visible()


def test_12_denied(visitor: Visitor) -> None:
    leave(visitor)

    visitor.page.get_by_role("button", name="Deny").click()

    tells(visitor, "You did not approve access to Shopify, so nothing was connected.", "Try again", "Back to integr")
    visitor.page.locator("#outcome").get_by_role("link", name="Try again").click()
    expect(visitor.page.get_by_role("heading", name="Connect Shopify")).to_be_visible()


@pytest.mark.parametrize("changed", [{"state": "somebody-elses"}, {"hmac": "0" * 64}], ids=["state", "hmac"])
def test_12_not_verified(visitor: Visitor, changed: dict[str, str]) -> None:
    visitor.watch.expected = {400}
    leave(visitor)

    visitor.open(callback(visitor, **changed))

    tells(visitor, "We could not verify this sign-in. It may have been started in another browser.")


def test_12_begun_in_another_session(visit: Visit, visitor: Visitor) -> None:
    leave(visitor)
    address = callback(visitor)
    other = visit(person=visitor.person)
    other.watch.expected = {400}

    other.open(address)

    tells(other, "We could not verify this sign-in.")


def test_12_expired(visitor: Visitor) -> None:
    visitor.watch.expected = {400}
    leave(visitor)
    address = callback(visitor)
    with visitor.hub.app.app_context(), transaction() as session:
        past = clock.now() - timedelta(seconds=1)
        session.execute(update(PendingAuthorization).values(expires_at=past))

    visitor.open(address)

    tells(visitor, "This sign-in took longer than 10 minutes and has expired.", "Start again")


def test_12_not_signed_in(visitor: Visitor) -> None:
    visitor.watch.expected = {401}
    leave(visitor)
    address = callback(visitor)
    visitor.context.clear_cookies()

    visitor.open(address)

    tells(visitor, "Sign in to Patchbay, then connect Shopify again.", "Sign in")


def test_12_set_up_wrong(visit: Visit) -> None:
    visitor, admin = visit(), visit(is_admin=True)
    for one in (visitor, admin):
        one.watch.expected = {502}
        leave(one)
        one.open(callback(one, error="invalid_client"))

    tells(visitor, "Shopify is not set up correctly here. Ask your administrator.")
    tells(admin, "refused our client id, secret or redirect URI", "Open setup")
    expect(admin.page.locator("#outcome").get_by_text(f"{admin.hub.url}/integrations/callback")).to_be_visible()


def test_12_the_exchange_failed(visitor: Visitor) -> None:
    visitor.watch.expected = {502}
    leave(visitor)
    visitor.hub.sandbox.fault("shopify", "server_error", times=0)

    visitor.allow()

    tells(visitor, "We could not finish connecting to Shopify. Nothing was changed. Please try again.", "Try again")


def test_12_the_account_is_taken(visit: Visit) -> None:
    first, second = visit(), visit()
    second.watch.expected = {409}
    first.connect_shopify()
    second.shop = first.shop

    second.connect_shopify()

    tells(second, "This Shopify account is already connected by someone else here.", "Use another account")
    assert first.person
    expect(second.page.get_by_text(first.person.email)).to_have_count(0)


@pytest.mark.parametrize(("button", "kept"), [("Replace", False), ("Keep", True)])
def test_12_another_account_than_before_is_a_question(visitor: Visitor, button: str, kept: bool) -> None:
    visitor.connect_drive()
    before = visitor.page.locator("#outcome").inner_text().rsplit(" as ")[-1].rstrip(".")
    visitor.page.locator("#connect-google-drive").click()
    visitor.page.get_by_role("button", name="Continue to Google Drive").click()
    visitor.page.get_by_role("radio").nth(1).check()
    visitor.allow()
    tells(visitor, f"You were connected as {before}.", "Replace", "Keep")

    visitor.page.locator("#outcome").get_by_role("button", name=button).click()

    expect(visitor.page.get_by_text("Google Drive is connected as")).to_be_visible()
    assert (before in visitor.page.locator("section[aria-labelledby=account]").inner_text()) is kept


def test_12_partly_granted(visitor: Visitor) -> None:
    visitor.connect_drive()
    assert visitor.person
    mine = PendingAuthorization.user_id == visitor.person.user_id
    with visitor.hub.app.app_context():
        with transaction() as session:
            session.execute(update(Connection).where(Connection.user_id == visitor.person.user_id).values(scopes=[]))
            pending = session.scalars(select(PendingAuthorization).where(mine)).one()
        caller = Caller(visitor.person.user_id)
        returned = ended(Outcome.CONNECTED_IN_PART, pending, caller, account="Ada")
        db.session.remove()

    visitor.open(f"/integrations/google-drive?outcome={returned.token}")

    tells(visitor, "Connected without: See and add files that Patchbay makes.", "Grant access", "Continue")


def test_13_a_replayed_callback_changes_nothing_and_is_no_error(visitor: Visitor) -> None:
    leave(visitor)
    address = callback(visitor)
    visitor.open(address)
    expect(visitor.page.get_by_text("Shopify is connected as")).to_be_visible()

    visitor.open(address)

    expect(visitor.page.locator(".headline .badge").first).to_have_text("Connected")
    expect(visitor.page.locator("#outcome")).to_have_count(0)
    assert visitor.hub.sandbox.received("shopify", grantType="authorization_code")[1:] == []


def test_14_nothing_tells_the_platform_where_the_reader_came_from(visitor: Visitor) -> None:
    sent: list[Request] = []
    visitor.page.on("request", lambda request: sent.append(request))  # noqa: PLW0108 - Playwright takes no built-ins

    visitor.connect_shopify()

    foreign = [request for request in sent if not request.url.startswith(visitor.hub.url)]
    referers = {request.all_headers().get("referer", "") for request in foreign if request.is_navigation_request()}
    assert foreign
    assert not [referer for referer in referers if referer.startswith(visitor.hub.url)]


def test_20_disconnect_asks_first_and_ends_on_connect(visitor: Visitor) -> None:
    visitor.connect_shopify()
    page = visitor.open("/integrations")
    page.locator("#disconnect-shopify").click()
    dialog = page.get_by_role("dialog", name="Disconnect Shopify")
    expect(dialog.get_by_text("Deleted: the tokens")).to_be_visible()
    expect(dialog.get_by_role("button", name="Disconnect")).not_to_be_focused()
    dialog.get_by_role("link", name="Keep connected").click()
    expect(dialog).to_be_hidden()
    expect(page.locator("#disconnect-shopify")).to_be_focused()
    expect(visitor.card("shopify").locator(".badge").first).to_have_text("Connected")

    page.locator("#disconnect-shopify").click()
    dialog.get_by_role("button", name="Disconnect").click()

    expect(dialog).to_be_hidden()
    expect(page.locator("#connect-shopify")).to_be_focused()
    expect(visitor.card("shopify").locator(".badge")).to_have_count(0)
    expect(page.locator("#toasts")).to_contain_text("Shopify is disconnected.")


def test_20_deleting_what_was_imported_wants_the_name(visitor: Visitor) -> None:
    visitor.watch.expected = {422}
    visitor.fill_shop(2)
    visitor.connect_shopify()
    visitor.sync()
    page = visitor.open("/integrations/shopify")
    page.locator("#delete-shopify").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox").fill("shop")
    dialog.get_by_role("button", name="Delete the data").click()
    expect(dialog.get_by_text("This is not the name.").first).to_be_visible()
    expect(dialog.get_by_role("textbox")).to_have_value("shop")
    expect(dialog.get_by_role("textbox")).to_be_focused()

    dialog.get_by_role("textbox").fill("Shopify")
    dialog.get_by_role("button", name="Delete the data").click()

    expect(page.get_by_text("2 records were deleted.")).to_be_visible()
    assert count_of(visitor, Record) == 0


def test_21_reconnect_keeps_settings_and_records_and_asks_nothing_again(visitor: Visitor) -> None:
    visitor.fill_shop(2)
    visitor.connect_shopify()
    visitor.sync()
    page = visitor.open("/integrations/shopify")

    page.locator("#connect-shopify").click()
    dialog = page.get_by_role("dialog", name="Reconnect Shopify")
    expect(dialog.get_by_role("textbox")).to_have_count(0)
    dialog.get_by_role("button", name="Continue to Shopify").click()
    visitor.allow()

    expect(page.get_by_text("Your settings were kept.")).to_be_visible()
    expect(page.get_by_role("link", name="2 records")).to_be_visible()
    assert count_of(visitor, Record) == 2


def test_22_a_wrong_value_stays_and_is_named_beside_its_field(visit: Visit) -> None:
    visitor = visit(javascript=True)
    visitor.watch.expected = {422}
    visitor.open_connect("shopify")
    visitor.page.get_by_label("Your store").fill("not a shop/")

    visitor.page.get_by_role("button", name="Continue to Shopify").click()

    field = visitor.page.get_by_label("Your store")
    expect(field).to_have_value("not a shop/")
    expect(field).to_be_focused()
    expect(field).to_have_attribute("aria-invalid", "true")
    described = (field.get_attribute("aria-describedby") or "").split()
    texts = [visitor.page.locator(f"#{one}").inner_text() for one in described]
    assert "Enter the name of a store, like northwind or northwind.myshopify.com." in texts
    expect(visitor.page.get_by_role("link", name="Your store")).to_have_attribute("href", "#field-shop")


def test_29_an_accounts_name_is_text_and_sends_nothing(visitor: Visitor) -> None:
    visitor.connect_shopify()
    evil = '<script>alert(1)</script><b hx-get="/runs" hx-trigger="load">x</b>'
    assert visitor.person
    with visitor.hub.app.app_context(), transaction() as session:
        session.execute(
            update(Connection).where(Connection.user_id == visitor.person.user_id).values(account_label=evil)
        )

    for path in ("/integrations", "/integrations/shopify"):
        page = visitor.open(path)
        expect(page.get_by_text(evil).first).to_be_visible()
        page.wait_for_load_state("networkidle")
    visitor.page.locator("#disconnect-shopify").click()
    expect(visitor.page.get_by_role("dialog").get_by_text(evil)).to_be_visible()

    assert visitor.ledger.of(lambda line: line == "GET /runs") == []


def test_a_stranger_signs_in_first_and_goes_on_connecting(visit: Visit) -> None:
    visitor = visit(is_stranger=True)
    page = visitor.open("/integrations")

    page.locator("#connect-shopify").click()
    page.wait_for_url("**/login?next=**")
    page.get_by_role("button", name="Continue as the demo user").click()

    expect(page.get_by_role("heading", name="Connect Shopify", level=1)).to_be_visible()


def count_of(visitor: Visitor, model: type[Record]) -> int:
    """How many rows the visitor's connections have."""
    assert visitor.person
    with visitor.hub.app.app_context():
        mine = select(Connection.id).where(Connection.user_id == visitor.person.user_id)
        found = db.session.scalar(select(func.count()).select_from(model).where(model.connection_id.in_(mine)))
        db.session.remove()
    return int(found or 0)
