"""The wire log as its readers see it: lists, one request with its command, a recorded run and its replay."""

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from patchbay.models import User
from tests.blueprints.pages import path_of, post, text_of
from tests.stage import Queue, Sandbox, Walker

Login = Callable[[FlaskClient, User], str]


@pytest.fixture
def token(client: FlaskClient, ben: User, connect: Walker, login: Login, queue: Queue, sandbox: Sandbox) -> str:
    """Ben is signed in; an import of his met one fault."""
    connect(ben, "shopify", shop="demo-shop")
    made = login(client, ben)
    sandbox.fault("shopify", "server_error")
    post(client, "/integrations/shopify/sync", made, operation="import_products")
    queue.run_all()
    return made


def run_of(client: FlaskClient) -> str:
    """The path of the newest run."""
    found = re.search(r'href="(/runs/run_[^"/]+)"', client.get("/runs").text)
    assert found is not None
    return found[1]


@pytest.mark.usefixtures("token")
def test_a_run_shows_what_was_sent_and_what_came_back(client: FlaskClient) -> None:
    page = client.get(f"{run_of(client)}/requests")

    assert "Shopify reported a problem" in text_of(page)
    assert "try 2" in text_of(page)
    assert "graphql.json (Products)" in text_of(page)
    assert "No requests like that." in text_of(client.get(f"{run_of(client)}/requests?q=nothing+like+it"))
    assert "Shopify" in text_of(client.get("/requests?outcome=5xx&integration=shopify"))


@pytest.mark.usefixtures("token")
def test_one_request_is_shown_as_text_and_as_a_command(client: FlaskClient) -> None:
    found = re.search(r'href="(/requests/wir_[^"]+)"', client.get("/requests").text)
    assert found is not None

    page = client.get(found[1])

    assert page.status_code == 200
    assert "graphql.json (Products)" in text_of(page)
    assert "curl -X POST" in text_of(page)
    assert "X-Shopify-Access-Token: $ACCESS_TOKEN" in text_of(page)
    assert "<script" not in page.text.partition("What came back")[2].partition("As a command")[0]


def test_a_run_is_recorded_and_replayed(client: FlaskClient, token: str, queue: Queue) -> None:
    again = path_of(post(client, f"{run_of(client)}/record", token))
    queue.run_all()

    assert "Replay this run" in text_of(client.get(f"{again}/requests"))
    assert "It comes to the same end." in text_of(post(client, f"{again}/replay", token))


def test_what_was_not_recorded_is_not_replayed(client: FlaskClient, token: str) -> None:
    assert post(client, f"{run_of(client)}/replay", token).status_code == 409


@pytest.mark.usefixtures("token")
def test_a_stranger_sees_none_of_it(client: FlaskClient, cleo: User, login: Login) -> None:
    run, entry = run_of(client), re.search(r"/requests/wir_[^\"]+", client.get("/requests").text)
    assert entry is not None
    login(client, cleo)

    assert client.get(f"{run}/requests").status_code == 404
    assert client.get(entry[0]).status_code == 404
    assert "No requests like that." in text_of(client.get("/requests"))
