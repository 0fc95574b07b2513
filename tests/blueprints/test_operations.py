"""Forms of operations: drawn from the declaration, with live lists that keep what was typed, and what they start."""

import re
from collections.abc import Callable
from html import unescape
from io import BytesIO

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from werkzeug.test import TestResponse

from blueprints import operation_forms
from blueprints.api.waiting import until_ended
from patchbay import assets, runs
from patchbay.models import Asset, Connection, ConnectionState, Trigger, User, transaction
from tests.blueprints.pages import HTMX, address_in, htmx_post, path_of, post, text_of
from tests.stage import FrozenClock, Queue, Sandbox, Walker, in_context

pytestmark = pytest.mark.usefixtures("_short_patience")
Login = Callable[[FlaskClient, User], str]
PUBLISH = "/integrations/shopify/do/publish_mockup"
UPLOAD = "/integrations/google-drive/do/upload_file"
PRODUCTS = "/integrations/shopify/do/get_products"


@pytest.fixture
def _short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("patchbay.connections.asking.PATIENCE_S", 1.5)


@pytest.fixture
def token(client: FlaskClient, ada: User, login: Login) -> str:
    """Ada is signed in; this is her session's token."""
    return login(client, ada)


@pytest.fixture
def shop(ada: User, connect: Walker) -> Connection:
    """Ada's shop, which has twelve products."""
    return connect(ada, "shopify", shop="demo-shop")


@pytest.fixture
def picture(app: Flask, ada: User) -> Asset:
    """A design of Ada's."""
    content = BytesIO()
    Image.new("RGB", (64, 64), "crimson").save(content, "PNG")
    with in_context(app):
        return assets.upload(ada.id, content.getvalue(), "rose.png")


def listed(page: TestResponse, field: str = "productId") -> list[str]:
    """The labels that a live list offers, in its order."""
    html = page.get_data(as_text=True)
    rows = re.findall(rf'<label[^>]*><input type="radio" name="{field}".*?</label>', html, re.DOTALL)
    return [unescape(re.sub(r"<[^>]+>", "", row)).strip() for row in rows]


def shown(page: TestResponse, field: str = "productId") -> str:
    """What the form says again of its list."""
    return unescape(address_in(page, rf'(?<=name="{field}.shown" value=")[^"]*'))


def product_in(page: TestResponse, label: str) -> str:
    """The value of a row of the list."""
    html = page.get_data(as_text=True)
    return unescape(re.findall(rf'value="([^"]+)"[^>]*>(?:<img[^>]*>)?<span>{label}', html)[0])


def asked(sandbox: Sandbox) -> int:
    """How often the shop was asked for products."""
    return len([row for row in sandbox.received("shopify") if row["operation"] in {"products", "productsCount"}])


# -- the form


def test_a_form_offers_what_the_platform_has_now_with_pictures(
    client: FlaskClient, token: str, shop: Connection, picture: Asset
) -> None:
    page = client.get(PUBLISH)

    html = page.get_data(as_text=True)
    assert page.status_code == 200
    assert len(listed(page)) == 12
    assert "Fern Tee" in listed(page)
    assert client.get(address_in(page, r"/images/[^\"]+")).mimetype == "image/webp"
    assert f'name="mockupUrls" value="{picture.id}"' in html
    assert "rose.png" in text_of(page)


def test_an_address_fills_the_form_and_says_what_is_chosen(client: FlaskClient, token: str, shop: Connection) -> None:
    page = client.get(f"{PUBLISH}?productId=gid://shopify/Product/77&productId.label=Old+Mug")

    assert listed(page)[0] == "Old Mug"
    assert 'value="gid://shopify/Product/77" checked' in page.get_data(as_text=True)


def test_a_redraw_starts_nothing_and_keeps_what_was_typed(
    client: FlaskClient, token: str, shop: Connection, picture: Asset, queue: Queue
) -> None:
    first = client.get(PUBLISH)
    fern = product_in(first, "Fern Tee")
    fields = {"productId": fern, "productId.shown": shown(first), "mockupUrls": picture.id}
    others = {"productId.search": "mug", "mockupUrls.typed": "https://example.org/a.png"}

    page = post(client, PUBLISH, token, **fields, **others)

    html = page.get_data(as_text=True)
    assert page.status_code == 200
    assert listed(page) == ["Fern Tee", "Enamel Mug “First Light”", "Two-Tone Mug"]
    assert f'value="{fern}" checked' in html
    assert f'value="{picture.id}" checked' in html
    assert "https://example.org/a.png</textarea>" in html
    assert queue.hints() == []


def test_a_list_is_asked_for_again_only_when_something_else_is_wanted(
    client: FlaskClient, token: str, shop: Connection, sandbox: Sandbox
) -> None:
    memory = shown(client.get(PUBLISH))
    before = asked(sandbox)

    post(client, PUBLISH, token, **{"productId.shown": memory, "more": "mockupUrls"})
    unchanged = asked(sandbox)
    post(client, PUBLISH, token, **{"productId.shown": memory, "productId.search": "tote"})
    searched = asked(sandbox)
    post(client, PUBLISH, token, **{"productId.shown": memory, "again": "productId"})

    assert (unchanged - before, searched - unchanged, asked(sandbox) - searched) == (0, 1, 1)


def test_more_of_a_long_list_comes_behind_what_is_shown(
    client: FlaskClient, token: str, ada: User, connect: Walker, sandbox: Sandbox
) -> None:
    sandbox.generate("shopify", count=70, seed=3, shop="long-shop.myshopify.com")
    connect(ada, "shopify", shop="long-shop")
    first = client.get(PUBLISH)

    more = htmx_post(client, PUBLISH, token, **{"productId.shown": shown(first), "more": "productId"})

    assert len(listed(first)) == 50
    assert listed(more)[:50] == listed(first)
    assert len(set(re.findall(r'name="productId" value="([^"]+)"', more.get_data(as_text=True)))) == 70
    assert "Show more" in text_of(first)
    assert "Show more" not in text_of(more)


@pytest.mark.parametrize("memory", ["", "no json", "[]", '{"choices": 1}', '{"choices": [["a"]]}'])
def test_what_a_form_says_of_its_list_may_be_nonsense(
    client: FlaskClient, token: str, shop: Connection, memory: str
) -> None:
    page = post(client, PUBLISH, token, **{"productId.shown": memory})

    assert page.status_code == 200
    assert "Fern Tee" in listed(page)


def test_a_platform_that_cannot_be_asked_is_a_problem_in_the_form(
    client: FlaskClient, token: str, shop: Connection, sandbox: Sandbox
) -> None:
    sandbox.fault("shopify", "malformed", match="products")

    page = client.get(PUBLISH)
    again = post(client, PUBLISH, token, again="productId", **{"mockupUrls.typed": "https://example.org/a.png"})

    assert page.status_code == 200
    assert "Shopify answered in a form Patchbay does not understand." in text_of(page)
    assert 'name="again" value="productId"' in page.get_data(as_text=True)
    assert "Fern Tee" in listed(again)
    assert "https://example.org/a.png" in again.get_data(as_text=True)


def test_a_list_behind_a_login_that_has_ended_offers_to_reconnect(
    client: FlaskClient, token: str, shop: Connection, sandbox: Sandbox
) -> None:
    sandbox.fault("shopify", "revoked_grant")

    page = client.get(PUBLISH)

    assert "Syncing is paused. Reconnect to continue; your settings are kept. Reconnect" in text_of(page)
    assert 'href="/integrations/shopify/connect"' in page.get_data(as_text=True)
    assert 'name="again"' not in page.get_data(as_text=True)


def test_while_the_platform_does_not_answer_its_last_list_is_shown_with_its_age(
    client: FlaskClient, token: str, shop: Connection, sandbox: Sandbox, frozen_clock: FrozenClock
) -> None:
    before = client.get(PUBLISH)
    frozen_clock.advance(minutes=20)
    sandbox.fault("shopify", "server_error", times=0)

    page = client.get(PUBLISH)
    asked_before = len(sandbox.received("shopify"))
    searched = post(client, PUBLISH, token, **{"productId.shown": shown(page), "productId.search": "MUG"})

    assert sorted(listed(page)) == sorted(listed(before))
    assert "As of 12:00 UTC , 20 minutes ago. Shopify answered with an error while we were" in text_of(page)
    assert "Try again" in text_of(page)
    assert listed(searched) == ["Enamel Mug “First Light”", "Two-Tone Mug"]
    assert "As of 12:00 UTC , 20 minutes ago. Shopify could not be asked." in text_of(searched)
    assert len(sandbox.received("shopify")) == asked_before


def test_what_is_started_from_a_last_known_list_waits_for_the_platform(
    client: FlaskClient, token: str, shop: Connection, picture: Asset, sandbox: Sandbox, queue: Queue
) -> None:
    fern = product_in(client.get(PUBLISH), "Fern Tee")
    sandbox.fault("shopify", "rate_limit", times=0, seconds=60)

    page = client.get(PUBLISH)
    fields = {"productId": fern, "productId.shown": shown(page), "mockupUrls": picture.id}
    started = post(client, PUBLISH, token, **fields, do="now")
    queue.run_all()

    assert "Too many requests were sent to Shopify." in text_of(page)
    assert "Fern Tee" in listed(page)
    assert "Going on at" in text_of(client.get(path_of(started)))


def test_once_the_platform_answers_again_another_try_shows_what_it_has_now(
    client: FlaskClient, token: str, shop: Connection, sandbox: Sandbox, queue: Queue
) -> None:
    client.get(PUBLISH)
    sandbox.fault("shopify", "server_error", times=0)
    memory = shown(client.get(PUBLISH))
    sandbox.clear_faults("shopify")
    sandbox.remove_product("fern-tee")
    queue.forget_limits()

    kept = post(client, PUBLISH, token, **{"productId.shown": memory})
    again = post(client, PUBLISH, token, **{"productId.shown": memory, "again": "productId"})

    assert "Fern Tee" in listed(kept)
    assert "Fern Tee" not in listed(again)
    assert "As of" not in text_of(again)


def test_a_list_that_depends_on_another_field_waits_for_it(client: FlaskClient, token: str, figma: Connection) -> None:
    address = "/integrations/figma/do/import_design"
    first = client.get(address)
    file = product_in(first, r"[^<]+")

    waiting, chosen = text_of(first), htmx_post(client, address, token, fileId=file)

    assert "Choose this first: File." in waiting
    assert listed(chosen, "nodeId")
    assert 'name="fileId"' in chosen.get_data(as_text=True)


def test_another_value_in_the_field_that_a_list_needs_drops_what_was_chosen(
    client: FlaskClient, token: str, figma: Connection
) -> None:
    address = "/integrations/figma/do/import_design"
    files = re.findall(r'name="fileId" value="([^"]+)"', client.get(address).get_data(as_text=True))
    one = htmx_post(client, address, token, fileId=files[0])
    frame = re.findall(r'name="nodeId" value="([^"]+)"', one.get_data(as_text=True))[0]
    fields = {"nodeId": frame, "nodeId.shown": shown(one, "nodeId")}

    same = htmx_post(client, address, token, fileId=files[0], **fields)
    other = htmx_post(client, address, token, fileId=files[1], **fields)

    assert re.search(rf'name="nodeId" value="{frame}"[^>]* checked', same.get_data(as_text=True))
    assert not re.search(r'name="nodeId"[^>]* checked', other.get_data(as_text=True))


@pytest.fixture
def figma(client: FlaskClient, ada: User, token: str, connect: Walker) -> Connection:
    """Ada's Figma, with the files of her team."""
    return connect(ada, "figma", team="https://www.figma.com/files/team/1204879330016258113/Inkfield-Studio")


# -- starting


def test_the_button_starts_the_run_with_the_chosen_pictures(
    client: FlaskClient, token: str, shop: Connection, picture: Asset, queue: Queue
) -> None:
    fern = product_in(client.get(PUBLISH), "Fern Tee")

    answer = post(client, PUBLISH, token, productId=fern, mockupUrls=picture.id, do="now")
    queue.run_all()

    assert answer.status_code == 303
    page = client.get(path_of(answer))
    assert "Succeeded" in text_of(page)
    assert "Pictures sent 1" in text_of(page)
    assert "gid://" not in text_of(page).partition("Log")[0]


def test_htmx_is_sent_on_to_the_run(client: FlaskClient, token: str, shop: Connection, picture: Asset) -> None:
    fern = product_in(client.get(PUBLISH), "Fern Tee")

    answer = htmx_post(client, PUBLISH, token, productId=fern, mockupUrls=picture.id, do="now")

    assert answer.headers["HX-Redirect"].startswith("/runs/run_")


def test_what_is_missing_is_said_beside_its_field_and_nothing_starts(
    client: FlaskClient, token: str, shop: Connection, queue: Queue
) -> None:
    page = htmx_post(client, PUBLISH, token, do="now", **{"productId.typed": "no product"})

    html = page.get_data(as_text=True)
    assert page.status_code == 422
    assert "This is not the id of a Shopify product." in text_of(page)
    assert 'name="productId.typed" value="no product"' in html
    assert 'id="field-mockupUrls-error"' in html
    assert queue.hints() == []


def test_a_pasted_address_counts_as_a_choice(
    client: FlaskClient, token: str, shop: Connection, picture: Asset, queue: Queue
) -> None:
    number = product_in(client.get(PUBLISH), "Fern Tee").rpartition("/")[2]
    pasted = f"https://admin.shopify.com/store/demo-shop/products/{number}"

    answer = post(client, PUBLISH, token, mockupUrls=picture.id, do="now", **{"productId.typed": pasted})
    queue.run_all()

    assert "Succeeded" in text_of(client.get(path_of(answer)))


def test_anothers_pictures_cannot_be_sent(
    app: Flask, client: FlaskClient, token: str, shop: Connection, cleo: User, picture: Asset
) -> None:
    content = BytesIO()
    Image.new("RGB", (8, 8)).save(content, "PNG")
    with in_context(app):
        theirs = assets.upload(cleo.id, content.getvalue(), "theirs.png")

    page = post(client, PUBLISH, token, productId="1", mockupUrls=theirs.id, do="now")

    assert page.status_code == 422
    assert "Choose from your own pictures." in text_of(page)
    assert "theirs.png" not in text_of(page)


def test_a_folder_is_made_in_the_form_and_chosen_there(
    app: Flask, client: FlaskClient, token: str, ada: User, connect: Walker, queue: Queue, picture: Asset,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    connect(ada, "google-drive")
    monkeypatch.setattr(operation_forms, "until_ended", _worked_off(app, queue))
    fields = {"make": "folderId", "folderId.new.folderName": "Autumn", "mockupUrls": picture.id}

    drawn = htmx_post(client, UPLOAD, token, **fields)
    sent_on = post(client, UPLOAD, token, **fields)

    page = client.get(path_of(sent_on))
    for form in (drawn, page):
        html = form.get_data(as_text=True)
        assert re.search(r'name="folderId" value="[^"]+" checked><span>Autumn', html)
        assert f'value="{picture.id}" checked' in html


def test_a_folder_that_cannot_be_made_is_said_beside_its_name(
    app: Flask, client: FlaskClient, token: str, ada: User, connect: Walker, queue: Queue, sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    connect(ada, "google-drive")
    monkeypatch.setattr(operation_forms, "until_ended", _worked_off(app, queue))

    nameless = htmx_post(client, UPLOAD, token, make="folderId")
    sandbox.fault("google-drive", "malformed", times=0)
    refused = htmx_post(client, UPLOAD, token, make="folderId", **{"folderId.new.folderName": "Autumn"})

    assert nameless.status_code == refused.status_code == 422
    assert "This field is needed." in text_of(nameless)
    assert "Google Drive answered in a form Patchbay does not understand." in text_of(refused)
    assert 'value="Autumn"' in refused.get_data(as_text=True)


def test_only_what_the_list_lacks_can_be_made(client: FlaskClient, token: str, shop: Connection) -> None:
    assert post(client, PUBLISH, token, make="productId").status_code == 404
    assert post(client, PUBLISH, token, make="nothing").status_code == 404


# -- a choice that decides what else is asked


def test_a_new_draft_asks_more_than_a_listing_and_forgets_nothing(
    client: FlaskClient, token: str, ada: User, connect: Walker
) -> None:
    connect(ada, "etsy")
    address = "/integrations/etsy/do/publish_mockup"

    listing = client.get(address)
    draft = htmx_post(client, address, token, target="draft", title="A mug")
    back = htmx_post(client, address, token, target="listing", title="A mug")

    assert "A new draft of a thing that is sent" in text_of(listing)
    assert listed(listing, "listingId")
    assert 'id="field-title"' not in listing.get_data(as_text=True)
    assert 'id="field-title" name="title" required' in draft.get_data(as_text=True)
    assert listed(draft, "shippingProfileId")
    assert not listed(draft, "listingId")
    assert '<input type="hidden" name="title" value="A mug">' in back.get_data(as_text=True)


# -- lists


def test_a_listing_shows_names_pictures_and_links(client: FlaskClient, token: str, shop: Connection) -> None:
    page = client.get(f"{PRODUCTS}?limit=5")
    more = client.get(unescape(address_in(page, rf"{PRODUCTS}\?cursor=[^\"]+")), headers=HTMX)

    html = page.get_data(as_text=True)
    assert "Fern Tee" in text_of(page)
    assert "gid://" not in text_of(page)
    assert html.count('<img class="thumb"') == 5
    assert 'rel="noopener noreferrer"' in html
    assert "<html" not in more.get_data(as_text=True)
    assert "Trail Bottle" in text_of(more)


def test_a_listing_is_narrowed_and_may_find_nothing(client: FlaskClient, token: str, shop: Connection) -> None:
    narrowed, nothing = client.get(f"{PRODUCTS}?search=tote"), client.get(f"{PRODUCTS}?search=zzz", headers=HTMX)

    assert "Market Tote" in text_of(narrowed)
    assert "Fern Tee" not in text_of(narrowed)
    assert "Nothing was found." in text_of(nothing)
    assert "<html" not in nothing.get_data(as_text=True)


def test_a_listing_that_needs_a_choice_asks_for_it_first(client: FlaskClient, figma: Connection) -> None:
    address = "/integrations/figma/do/list_frames"
    first = client.get(address)
    file = re.findall(r'name="fileId" value="([^"]+)"', first.get_data(as_text=True))[0]

    answered = client.get(f"{address}?fileId={file}")

    assert 'id="listing-rows"' not in first.get_data(as_text=True)
    assert 'id="listing-rows"' in answered.get_data(as_text=True)


def test_what_only_reads_but_lists_nothing_is_a_run(client: FlaskClient, token: str, figma: Connection) -> None:
    export, detail = client.get("/integrations/figma/do/export_design"), text_of(client.get("/integrations/figma"))

    assert 'name="do" value="now"' in export.get_data(as_text=True)
    assert "Export a frame Open" in detail
    assert "Lists 2 List files Show" in detail


def test_a_listing_that_fails_says_so_with_another_try(
    client: FlaskClient, token: str, shop: Connection, sandbox: Sandbox
) -> None:
    sandbox.fault("shopify", "malformed", times=0)

    page = client.get(PRODUCTS)

    assert page.status_code == 200
    assert "Shopify could not be asked" in text_of(page)
    assert "Try again" in text_of(page)


def test_a_listing_that_fails_leads_to_what_was_imported_with_its_age(
    app: Flask, client: FlaskClient, token: str, shop: Connection, sandbox: Sandbox, queue: Queue
) -> None:
    with in_context(app):
        runs.start(shop.user_id, "shopify", "import_products", {}, Trigger.PAGE)
        queue.run_all()
    sandbox.fault("shopify", "malformed", times=0)

    page = client.get(PRODUCTS)

    assert "What was imported is here" in text_of(page)
    assert re.search(r"Import products \d+ records · As of ", text_of(page))
    assert 'href="/records?integration=shopify&amp;stream=products"' in page.get_data(as_text=True)


def test_a_listing_with_a_wrong_value_is_refused_beside_it(client: FlaskClient, token: str, shop: Connection) -> None:
    page = client.get(f"{PRODUCTS}?search={'x' * 101}")

    assert page.status_code == 422
    assert "This text is too long." in text_of(page)


# -- what stands in the way


def test_without_a_permission_an_operation_says_so_and_offers_to_grant_it(
    app: Flask, client: FlaskClient, token: str, shop: Connection
) -> None:
    with in_context(app), transaction() as session:
        session.merge(shop).scopes = ["read_products"]

    page, detail = client.get(PUBLISH), client.get("/integrations/shopify")

    for shown_page in (page, detail):
        assert "Not allowed yet: Change your products." in text_of(shown_page)
        assert "Allow: Change your products" in text_of(shown_page)
    assert 'name="do"' not in page.get_data(as_text=True)
    assert f'href="{PUBLISH}"' not in detail.get_data(as_text=True)
    assert f'href="{PRODUCTS}"' in detail.get_data(as_text=True)


def test_a_lost_connection_is_to_be_renewed_first(
    app: Flask, client: FlaskClient, token: str, shop: Connection
) -> None:
    with in_context(app), transaction() as session:
        session.merge(shop).state = ConnectionState.RECONNECT_NEEDED

    page, listing = client.get(PUBLISH), client.get(PRODUCTS)

    assert "Shopify needs you to reconnect first." in text_of(page)
    assert "Shopify needs you to reconnect first." in text_of(listing)


def test_operations_need_a_connection_a_name_and_a_reader(
    app: Flask, client: FlaskClient, token: str, cleo: User, shop: Connection, login: Login
) -> None:
    unknown = client.get("/integrations/shopify/do/nothing").status_code
    stranger = app.test_client().get(PUBLISH).status_code
    login(client, cleo)

    assert (unknown, stranger, client.get(PUBLISH).status_code) == (404, 401, 409)


def _worked_off(app: Flask, queue: Queue) -> Callable[..., object]:
    """In place of waiting for a worker: do its work."""
    wait = until_ended

    def work(*asked: object) -> object:
        queue.run_all()
        return wait(*asked)  # type: ignore[arg-type]  # handed on as they came

    return work
