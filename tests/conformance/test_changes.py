"""What can be changed in an answer, what comes of it, and that the same seed draws the same changes."""

import json
from typing import Any

import pytest

from tests.conformance.changes import ANY, Answered, Change, chosen, possible
from tests.conformance.recording import Exchange
from tests.conformance.witness import PLAIN

BODY = {"items": [{"id": 1, "tags": ["a"]}, {"id": 2}], "files": {"12:3": {"name": "x"}}, "next": None}


def exchange(body: Any = BODY, path: str = "/v1/items/42", host: str = "api.acme.example") -> Exchange:
    headers = {"content-type": "application/json", "etag": "e", "date": "now"}
    return Exchange("GET", host, path, (), {}, b"", 200, headers, json.dumps(body).encode())


@pytest.mark.parametrize(
    ("change", "left"),
    [
        (Change("drop", ("next",)), {**BODY, "next": ...}),
        (Change("drop", ("items", ANY, "id")), {**BODY, "items": [{"tags": ["a"]}, {}]}),
        (Change("type", ("items", ANY, "id"), "x"), {**BODY, "items": [{"id": "x", "tags": ["a"]}, {"id": "x"}]}),
        (Change("type", ("files", ANY, "name"), 7), {**BODY, "files": {"12:3": {"name": 7}}}),
    ],
    ids=str,
)
def test_a_field_is_changed_wherever_it_stands(change: Change, left: dict[str, Any]) -> None:
    changed = change.applied(exchange())

    assert json.loads(changed.answer) == {name: value for name, value in left.items() if value is not ...}


def test_status_and_headers_are_changed() -> None:
    assert Change("status", (), 404).applied(exchange()).status == 404
    assert "etag" not in Change("header", ("etag",)).applied(exchange()).answer_headers
    assert Change("header", ("etag",), "changed").applied(exchange()).answer_headers["etag"] == "changed"


def test_every_field_every_header_and_other_statuses_can_be_changed() -> None:
    found = possible([exchange(), exchange()])

    places = {change.place for change in found if change.kind == "drop"}
    assert places == {
        ("items",), ("items", ANY, "id"), ("items", ANY, "tags"), ("files",), ("files", ANY, "name"), ("next",)
    }  # fmt: skip
    assert {change.place for change in found if change.kind == "header"} == {("content-type",), ("etag",)}
    assert 200 not in {change.value for change in found if change.kind == "status"}
    assert len(set(found)) == len(found)


def test_what_is_no_json_keeps_its_body() -> None:
    picture = Exchange("GET", "cdn.acme.example", "/a.png", (), {}, b"", 200, {"etag": "e"}, b"\x89PNG")

    assert {change.kind for change in possible([picture])} == {"status", "header"}


def test_a_change_is_said_in_words() -> None:
    said = [
        str(Change("drop", ("items", ANY, "id"))),
        str(Change("type", ("next",), "x")),
        str(Change("status", (), 404)),
        str(Change("header", ("etag",))),
        str(Change("header", ("etag",), "changed")),
    ]

    assert said == [
        "without `items[*].id`",
        '`next` is `"x"`',
        "status 404",
        "without the header `etag`",
        "the header `etag` is `changed`",
    ]


def test_answers_are_told_apart_by_operation_and_status_not_by_ids() -> None:
    first, second = Answered.by(exchange(), PLAIN), Answered.by(exchange(path="/v1/items/43"), PLAIN)

    assert first == second
    assert str(first) == "GET /v1/items/{id} → 200"


def test_a_seed_draws_the_same_changes_again() -> None:
    answers = {Answered.by(one, PLAIN): [one] for one in (exchange(), exchange(path="/v1/me"))}

    first, again, other = (chosen(answers, 12, seed) for seed in ("1", "1", "2"))

    assert first == again
    assert first != other
    assert len(set(first)) == 12


def test_no_more_changes_are_drawn_than_there_are() -> None:
    answers = {Answered.by(exchange(), PLAIN): [exchange()]}

    assert len(chosen(answers, 1000, "1")) == len(possible([exchange()]))
