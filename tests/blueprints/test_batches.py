"""The pages of batches and recipes."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from patchbay import batches
from patchbay.batches import Part
from patchbay.models import Batch, Trigger, User
from tests.blueprints.pages import HTMX, path_of, post
from tests.stage import Queue, Walker, in_context

Login = Callable[[FlaskClient, User], str]
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


def test_the_page_polls_until_the_end(client: FlaskClient, token: str, batch: Batch, queue: Queue) -> None:
    working = html(client.get(f"/batches/{batch.id}"))
    version = working.split("?v=")[1].split('"')[0]
    unchanged = client.get(f"/batches/{batch.id}?v={version}", headers=HTMX)
    queue.run_all()
    ended = client.get(f"/batches/{batch.id}?v={version}", headers=HTMX)

    assert "hx-trigger" in working
    assert unchanged.status_code == 204
    assert "hx-trigger" not in html(ended)


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
    answer = post(client, RECIPE, token, **form)
    queue.run_all()

    assert 'name="folderName"' in shown
    assert "All done" in html(client.get(path_of(answer)))


def test_a_recipe_filled_in_wrongly_keeps_what_was_typed(
    client: FlaskClient, token: str, ada: User, connect: Walker
) -> None:
    connect(ada, "shopify", shop="demo-shop")
    connect(ada, "google-drive")

    answer = post(client, RECIPE, token, shop="shopify", templateId="", folderName="Kept words")

    assert answer.status_code == 422
    assert "Kept words" in html(answer)


def test_a_recipe_says_what_to_connect_first(client: FlaskClient, token: str) -> None:
    page = html(client.get(RECIPE))

    assert "Shopify" in page
    assert "<form" not in page.split('id="main"')[1].split("</main>")[0]
