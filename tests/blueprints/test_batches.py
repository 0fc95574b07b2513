"""The pages of batches and recipes."""

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
from patchbay import assets, batches
from patchbay.batches import Part, stages
from patchbay.models import Asset, Batch, Run, RunStatus, Trigger, User, WaitReason, transaction
from tests.blueprints.pages import HTMX, address_in, htmx_post, path_of, post, text_of
from tests.stage import Queue, Sandbox, Walker, in_context

Login = Callable[[FlaskClient, User], str]
TEAM = "https://www.figma.com/files/team/1204879330016258113/Inkfield-Studio"
RECIPE = "/recipes/new-products-to-folder"


@pytest.fixture
def token(client: FlaskClient, ada: User, login: Login) -> str:
    """Ada is signed in; this is her session's token."""
    return login(client, ada)


@pytest.fixture
def batch(app: Flask, ada: User, connect: Walker) -> Batch:
    """Two folders, of which one has nowhere to go."""
    connect(ada, "google-drive")
    parts = [
        Part("google-drive", "create_folder", {"folderName": "One"}, "<b>One</b>"),
        Part("dropbox", "create_folder", {"folderName": "Two"}, "Two"),
    ]
    with in_context(app):
        return batches.start(ada.id, "Two folders", parts, Trigger.PAGE)


def html(answer: TestResponse) -> str:
    return answer.get_data(as_text=True)


def test_each_part_shows_what_became_of_it(client: FlaskClient, token: str, batch: Batch, queue: Queue) -> None:
    queue.run_all()

    page = html(client.get(f"/batches/{batch.id}"))

    assert "1 done, 1 failed" in page
    assert "Dropbox is not connected" in page
    assert "&lt;b&gt;One&lt;/b&gt;" in page


def test_a_part_that_names_no_integration_is_shown_with_the_others(
    app: Flask, client: FlaskClient, ada: User, token: str
) -> None:
    with in_context(app):
        asked = batches.start(ada.id, "Typed by hand", [Part("<b>acme</b>", "import_all", {}, "One")], Trigger.API)

    page = html(client.get(f"/batches/{asked.id}"))

    assert "There is no such integration." in page
    assert "<td>&lt;b&gt;acme&lt;/b&gt;</td>" in page


def test_the_page_polls_until_the_end(client: FlaskClient, token: str, batch: Batch, queue: Queue) -> None:
    working = html(client.get(f"/batches/{batch.id}"))
    version = working.split("?v=")[1].split('"')[0]
    unchanged = client.get(f"/batches/{batch.id}?v={version}", headers=HTMX)
    queue.run_all()
    ended = client.get(f"/batches/{batch.id}?v={version}", headers=HTMX)

    assert "hx-trigger" in working
    assert unchanged.status_code == 204
    assert "hx-trigger" not in html(ended)


def test_what_waits_for_its_owner_is_said_of_a_batch_that_has_ended(
    app: Flask, client: FlaskClient, token: str, batch: Batch
) -> None:
    with in_context(app):
        with transaction() as session:
            run = session.get_one(Run, batch.parts[0].run_id)
            run.status, run.wait_reason = RunStatus.WAITING, WaitReason.CONFIRM_DELETIONS
        stages.advance(batch.id)

    page = html(client.get(f"/batches/{batch.id}"))

    assert "1 waits for you" in page
    assert "hx-trigger" not in page


def test_a_batch_can_be_cancelled_from_its_page(client: FlaskClient, token: str, batch: Batch, queue: Queue) -> None:
    answer = post(client, f"/batches/{batch.id}/cancel", token)
    queue.run_all()

    assert path_of(answer) == f"/batches/{batch.id}"
    assert "Cancelled" in html(client.get(f"/batches/{batch.id}"))


def test_somebody_elses_batch_does_not_exist(client: FlaskClient, ben: User, login: Login, batch: Batch) -> None:
    login(client, ben)

    assert client.get(f"/batches/{batch.id}").status_code == 404


def test_the_list_shows_batches_and_recipes(client: FlaskClient, token: str, batch: Batch) -> None:
    page = html(client.get("/batches"))

    assert "Two folders" in page
    assert "New products to a folder of mockups" in page
    assert "Connect one of these first" in page


def test_a_recipe_is_filled_in_and_started(
    client: FlaskClient, token: str, ada: User, connect: Walker, queue: Queue
) -> None:
    connect(ada, "shopify", shop="demo-shop")
    connect(ada, "google-drive")
    form = {"shop": "shopify", "templateId": "tpl_mug", "storage": "google-drive", "folderName": "Mugs"}

    shown = html(client.get(RECIPE))
    answer = post(client, RECIPE, token, do="now", **form)
    queue.run_all()

    assert 'name="folderName"' in shown
    assert "All done" in html(client.get(path_of(answer)))


def test_a_recipe_filled_in_wrongly_keeps_what_was_typed(
    client: FlaskClient, token: str, ada: User, connect: Walker
) -> None:
    connect(ada, "shopify", shop="demo-shop")
    connect(ada, "google-drive")

    answer = post(client, RECIPE, token, do="now", shop="shopify", templateId="", folderName="Kept words")

    assert answer.status_code == 422
    assert "Kept words" in html(answer)


def test_a_recipes_list_is_picked_from_live(
    client: FlaskClient, token: str, ada: User, connect: Walker, queue: Queue
) -> None:
    connect(ada, "figma", team=TEAM)
    connect(ada, "google-drive")

    shown = client.get("/recipes/frames-to-folder")
    narrowed = post(client, "/recipes/frames-to-folder", token, **{"fileId.search": "harbour", "folderName": "Autumn"})

    assert "Orchard series" in text_of(shown)
    assert "Harbour collection" in text_of(narrowed)
    assert "Orchard series" not in text_of(narrowed)
    assert 'value="Autumn"' in html(narrowed)
    assert queue.hints() == []


def test_a_recipe_that_a_platform_refuses_keeps_its_form(
    client: FlaskClient, token: str, ada: User, connect: Walker, sandbox: Sandbox
) -> None:
    connect(ada, "figma", team=TEAM)
    connect(ada, "google-drive")
    form = {"source": "figma", "fileId": "gone", "templateId": "tpl_mug", "storage": "google-drive"}

    answer = post(client, "/recipes/frames-to-folder", token, do="now", folderName="Kept words", **form)

    assert answer.status_code == 502
    assert "Figma has no such file" in text_of(answer)
    assert 'value="Kept words"' in html(answer)


def test_a_recipe_says_what_to_connect_first(client: FlaskClient, token: str) -> None:
    page = html(client.get(RECIPE))

    assert "Shopify" in page
    assert "<form" not in page.split('id="main"')[1].split("</main>")[0]


# -- one picture to several places


@pytest.fixture
def mockup(app: Flask, ada: User) -> Asset:
    """A mockup of Ada's."""
    content = BytesIO()
    Image.new("RGB", (600, 600), "crimson").save(content, "PNG")
    with in_context(app):
        return assets.make_mockup(ada.id, assets.upload(ada.id, content.getvalue(), "rose.png").id, "tpl_mug")


@pytest.fixture
def places(ada: User, connect: Walker) -> None:
    """A shop, two storages and a feed."""
    connect(ada, "shopify", shop="demo-shop")
    connect(ada, "google-drive")
    connect(ada, "dropbox")
    connect(ada, "facebook")


def send_address(mockup: Asset) -> str:
    return f"/mockups/{mockup.id}/send"


def product_in(page: TestResponse, label: str) -> str:
    """The value of a row of Shopify's list."""
    return unescape(address_in(page, rf'(?<=value=")[^"]+(?="[^>]*>(?:<img[^>]*>)?<span>{label})'))


def test_the_page_offers_every_place_that_takes_the_picture(
    client: FlaskClient, token: str, places: None, mockup: Asset
) -> None:
    page = client.get(send_address(mockup))

    offered = re.findall(r'name="place" value="([a-z-]+)"', html(page))
    assert offered == ["dropbox", "facebook", "google-drive", "shopify"]
    assert "checked" not in html(page).split('id="field-place"')[1].split("</fieldset>")[0]
    assert f'href="{send_address(mockup)}"' in html(client.get(f"/mockups/{mockup.id}"))


def test_a_design_is_offered_to_storages_alone(client: FlaskClient, token: str, places: None, mockup: Asset) -> None:
    page = client.get(f"/mockups/{mockup.design_id}/send")

    assert re.findall(r'name="place" value="([a-z-]+)"', html(page)) == ["dropbox", "google-drive"]


def test_each_chosen_place_asks_under_names_of_its_own(
    client: FlaskClient, token: str, places: None, mockup: Asset, queue: Queue
) -> None:
    first = post(client, send_address(mockup), token, place=["shopify", "google-drive"])
    fern = product_in(first, "Fern Tee")
    typed = {"shopify.productId": fern, "shopify.productId.search": "mug", "facebook.caption": "Kept words"}
    second = post(client, send_address(mockup), token, place=["shopify", "facebook"], **typed)

    assert 'name="shopify.productId"' in html(first)
    assert 'name="google-drive.folderId"' in html(first)
    assert 'name="facebook.caption"' not in html(first)
    assert f'name="shopify.productId" value="{fern}" checked' in html(second).replace(' class="decides"', "")
    assert "Two-Tone Mug" in text_of(second)
    assert "Harbour Hoodie" not in text_of(second)
    assert "Kept words</textarea>" in html(second)
    assert queue.hints() == []


def test_what_is_sent_becomes_one_batch_with_a_result_for_each_place(
    client: FlaskClient, token: str, places: None, mockup: Asset, queue: Queue, sandbox: Sandbox
) -> None:
    drawn = post(client, send_address(mockup), token, place=["shopify"])
    fields = {"shopify.productId": product_in(drawn, "Fern Tee"), "facebook.caption": "Hello"}

    answer = post(
        client, send_address(mockup), token, do="now", place=["shopify", "google-drive", "facebook"], **fields
    )
    queue.run_all()

    page = text_of(client.get(path_of(answer)))
    assert "to several places" in page
    assert "All done" in page
    assert [name in page for name in ("Shopify", "Google Drive", "Facebook", "Dropbox")] == [True, True, True, False]
    assert any(file["name"].startswith("rose") for file in sandbox.state("google-drive", "files"))
    assert "Hello" in str(sandbox.state("facebook", "photos"))


def test_what_is_wrong_at_one_place_starts_nothing_and_keeps_what_was_typed(
    client: FlaskClient, token: str, places: None, mockup: Asset, queue: Queue
) -> None:
    fields = {"facebook.caption": "Kept words" * 600}

    answer = post(client, send_address(mockup), token, do="now", place=["shopify", "facebook"], **fields)

    assert answer.status_code == 422
    assert '<a href="#field-shopify.productId">Shopify: Product</a>: This field is needed.' in html(answer)
    assert '<a href="#field-facebook.caption">Facebook: Text</a>: This text is too long.' in html(answer)
    assert "Kept words</textarea>" in html(answer)
    assert queue.hints() == []


def test_no_place_at_all_is_told(client: FlaskClient, token: str, places: None, mockup: Asset) -> None:
    answer = htmx_post(client, send_address(mockup), token, do="now")

    assert answer.status_code == 422
    assert "Choose at least one place." in text_of(answer)
    assert "<html" not in html(answer)


def test_a_folder_is_made_for_one_place_while_the_others_keep_theirs(
    client: FlaskClient,
    token: str,
    places: None,
    mockup: Asset,
    app: Flask,
    queue: Queue,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(operation_forms, "until_ended", ended_by(app, queue))
    fields = {"google-drive.folderId.new.folderName": "Autumn", "facebook.caption": "Kept words"}

    answer = post(
        client, send_address(mockup), token, make="google-drive.folderId", place=["google-drive", "facebook"], **fields
    )
    page = client.get(path_of(answer))

    assert answer.status_code == 303
    row = html(page).split('id="options-google-drive.folderId"')[1].split("</div>")[0]
    assert re.search(r"checked>(?:<span class=\"thumb blank\">.*?</span>)?<span>Autumn</span>", row)
    assert "Kept words</textarea>" in html(page)


def ended_by(app: Flask, queue: Queue) -> Callable[[str, Run, int], Run]:
    """Waiting for a run while a worker, here this one, works the queue off."""

    def wait(user_id: str, run: Run, _wait_s: int) -> Run:
        queue.run_all()
        with app.app_context():
            return until_ended(user_id, run, 0)

    return wait


def test_what_stands_in_the_way_of_a_place_is_said_there(
    client: FlaskClient, token: str, ada: User, connect: Walker, places: None, mockup: Asset, app: Flask
) -> None:
    with in_context(app), transaction() as session:
        connection = session.merge(connect(ada, "facebook"))
        connection.settings = {}

    shown = post(client, send_address(mockup), token, place=["facebook"])
    refused = post(client, send_address(mockup), token, do="now", place=["facebook"])

    assert "Choose first: Page." in text_of(shown)
    assert refused.status_code == 422


def test_nobody_else_can_send_it(client: FlaskClient, ben: User, login: Login, connect: Walker, mockup: Asset) -> None:
    connect(ben, "google-drive")
    token = login(client, ben)

    assert client.get(send_address(mockup)).status_code == 404
    assert post(client, send_address(mockup), token, do="now", place=["google-drive"]).status_code == 404


def test_without_a_place_the_page_says_what_to_connect(client: FlaskClient, token: str, mockup: Asset) -> None:
    page = client.get(send_address(mockup))

    assert page.status_code == 200
    assert "Nothing is connected for this." in text_of(page)
