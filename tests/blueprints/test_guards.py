"""What is let in without being asked who it is, and what is not."""

import re

from flask import Flask
from flask.testing import FlaskClient

from blueprints import guards


def test_open_and_unlogged_addresses_are_addresses_that_there_are(app: Flask) -> None:
    endpoints = {rule.endpoint for rule in app.url_map.iter_rules()}

    assert endpoints >= guards.OPEN_ENDPOINTS | guards.UNLOGGED_ENDPOINTS


def test_a_static_file_depends_on_no_session(client: FlaskClient) -> None:
    found = re.search(r'/static/[^"]+\.css', client.get("/login").text)
    assert found is not None

    answer = client.get(found.group(0))

    assert answer.status_code == 200
    assert "Cookie" not in answer.headers.get("Vary", "")
    assert "immutable" in answer.headers["Cache-Control"]


def test_a_foreign_host_is_refused_on_every_kind_of_address(client: FlaskClient) -> None:
    for address in ("/", "/login", "/api/integrations/list", "/health", "/nothing"):
        answer = client.get(address, headers={"Host": "evil.example"})

        assert answer.status_code == 400, address
        assert "evil.example" not in answer.text


def test_loopback_names_are_served(client: FlaskClient) -> None:
    for host in ("localhost:8000", "127.0.0.1", "[::1]:8000"):
        assert client.get("/login", headers={"Host": host}).status_code == 200, host


def test_a_character_that_no_text_may_hold_is_refused_everywhere(client: FlaskClient) -> None:
    assert client.get("/integrations?q=a%00b").status_code == 400
    assert client.get("/integrations/a%00b").status_code == 404
    assert client.post("/login", data={"email": "a\x00b", "password": "x"}).status_code == 400
    assert client.get("/records?cursor=%00").status_code == 400
