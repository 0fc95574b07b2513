"""Requests: which answers come back to the provider that sent them, whatever its fault rules say."""

import pytest

from patchbay.spec import Answer, Request


def answered(status: int, body: bytes = b"{}") -> Answer:
    return Answer(status, {}, body, "https://api.example.com/")


def says_conflict(answer: Answer) -> bool:
    return bool(answer.at("error") == "conflict")


def test_nothing_but_success_is_accepted_unasked() -> None:
    request = Request("POST", "https://api.example.com/")

    assert not request.accepts(answered(409))


def test_a_named_status_is_accepted() -> None:
    request = Request("POST", "https://api.example.com/", accept=(404, 409))

    assert request.accepts(answered(409))
    assert not request.accepts(answered(500))


@pytest.mark.parametrize(("body", "is_accepted"), [(b'{"error": "conflict"}', True), (b'{"error": "full"}', False)])
def test_what_an_answer_says_may_decide(body: bytes, is_accepted: bool) -> None:
    request = Request("POST", "https://api.example.com/", accept_if=says_conflict)

    assert request.accepts(answered(409, body)) is is_accepted
