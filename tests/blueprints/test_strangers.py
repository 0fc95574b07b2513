"""Every address that there is, asked by Ben with what is Ada's: on both databases, as if there were no such thing."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from patchbay.models import User, db, transaction
from tests.patchbay.tenancy.planting import MARK, Row, belongings, plant
from tests.stage import in_context, sign_in

DATABASES = ("sqlite", "postgresql")

TABLES = {
    "run_id": "runs", "asset_id": "assets", "record_id": "records", "key_id": "api_keys", "user_id": "users",
    "batch_id": "batches", "schedule_id": "schedules", "alert_id": "alerts", "export_id": "exports",
    "clash_id": "clashes", "entry_id": "wire_entries",
}  # fmt: skip
"""Whose ids stand in addresses."""
OF_ALL = {
    "key": "shopify", "platform": "shopify", "name": "import_products", "stream": "products", "token": "x",
    "extension": "png", "path": "app.css",
}  # fmt: skip
"""What else stands in addresses, and belongs to nobody."""
HIDDEN = {403, 404}
PASSWORDS = {"accounts.enter", "accounts.demo", "accounts.password", "leaving.leave"}
"""Look for nothing by an id, and take half a second each to make a hash."""
IN_EARNEST: dict[str, dict[str, Any]] = {
    "/snooze": {"for": "hour"},
    "/clashes/": {"winner": "local"},
    "/api/records/": {"data": {"title": "x"}},
}
"""So that no form is refused before it is looked whose the thing is."""

Ask = Callable[[Rule, str], Any]


@pytest.fixture
def hers(app: Flask, ada: User) -> dict[str, Row]:
    """A row of Ada's in every table."""
    with in_context(app), transaction() as session:
        return plant(session, ada.id)


@pytest.fixture
def asks(app: Flask, hers: dict[str, Row], ben: User) -> Iterator[Ask]:
    """Ben's request to an address with Ada's ids in it or, where it has no place for any, in the query and the form."""
    client, ids = app.test_client(), {name: str(hers[table]["id"]) for name, table in TABLES.items()}

    def ask(rule: Rule, method: str) -> Any:
        path = re.sub(r"<(?:\w+:)?(\w+)>", lambda part: (ids | OF_ALL)[part[1]], rule.rule)
        said: dict[str, Any] | None = next(
            (words for part, words in IN_EARNEST.items() if part in path and method in {"POST", "PATCH"}), None
        )
        if not rule.arguments & set(TABLES):
            said = {"userId": ids["user_id"]} if path.startswith("/api/") else {**ids, "id": ids["run_id"]}
        kind = "query_string" if method == "GET" else "json" if path.startswith("/api/") else "data"
        named: dict[str, Any] = {} if said is None else {kind: said}
        return client.open(path, method=method, headers={"X-CSRF-Token": sign_in(client, ben)}, **named)

    yield ask
    with in_context(app):
        db.session.remove()


def test_every_address_says_whose_its_parts_are(app: Flask) -> None:
    parts = {part for rule in app.url_map.iter_rules() for part in rule.arguments}

    assert parts <= set(TABLES) | set(OF_ALL), "a new kind of part: say above whose it is"


@pytest.mark.usefixtures("hers")
def test_she_herself_is_shown_it(client: FlaskClient, ada: User) -> None:
    sign_in(client, ada)

    assert tells(client.get("/records"), ada)


def test_what_is_hers_is_at_no_address(app: Flask, asks: Ask, ada: User) -> None:
    before = held_by(app, ada)

    personal = [call for call in calls(app) if call[0].arguments & set(TABLES)]
    answers = {(rule.rule, method): asks(rule, method) for rule, method in personal}

    assert {call: answer.status_code for call, answer in answers.items() if answer.status_code not in HIDDEN} == {}
    assert [call for call, answer in answers.items() if tells(answer, ada)] == []
    assert held_by(app, ada) == before


def test_no_address_tells_or_changes_what_is_hers_by_an_id_in_query_or_body(app: Flask, asks: Ask, ada: User) -> None:
    before = held_by(app, ada)

    others = [call for call in calls(app) if not (call[0].arguments & set(TABLES) or call[0].endpoint in PASSWORDS)]
    answers = {(rule.rule, method): asks(rule, method) for rule, method in others}

    assert {call: answer.status_code for call, answer in answers.items() if answer.status_code == 500} == {}
    assert [call for call, answer in answers.items() if tells(answer, ada)] == []
    assert held_by(app, ada) == before


def calls(app: Flask) -> Iterator[tuple[Rule, str]]:
    """Each address with each of its methods."""
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield rule, method


def held_by(app: Flask, user: User) -> Mapping[str, list[str]]:
    """All that belongs to the user now."""
    with app.app_context():
        return belongings(db.session(), user.id)


def tells(answer: Any, ada: User) -> bool:
    """Whether the answer has her address in it, or a text of hers."""
    return ada.email.encode() in answer.data or re.search(rb"%s\d" % MARK.encode(), answer.data) is not None
