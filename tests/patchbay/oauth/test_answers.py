"""Token endpoints' answers in all their dialects: the grant in them, or the word for why there is none."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from patchbay.errors import ConnectionFailed
from patchbay.oauth.answers import LONGEST_LIFETIME_S, Refusal, grant_of, refusal_in, token_object
from patchbay.spec import OAuth2, TokenCall
from tests.stage import FrozenClock

PLAIN = OAuth2("https://acme.example/authorize", "https://acme.example/token", ())
WRAPPED = replace(PLAIN, answer_root=("data", 0))
RENEWED = replace(PLAIN, renewal=TokenCall("https://acme.example/renew", {"token": "{token}"}))
TOKEN = {"access_token": "a-token"}


# -- refusals


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        ({"error": "invalid_grant", "error_description": "Code was used."}, "invalid_grant", "Code was used."),
        ({"error": "invalid_grant"}, "invalid_grant", ""),
        ({"error": {"code": 190, "message": "It has expired.", "type": "OAuthException"}}, "190", "It has expired."),
        ({"error": {"type": "OAuthException"}}, "OAuthException", ""),
        ({"error": {}}, "400", ""),
        ({"code": "invalid_client", "message": "No such client."}, "invalid_client", "No such client."),
        ({"code": 400, "error_type": "OAuthException", "error_message": "No app."}, "OAuthException", "No app."),
        ({"error": True, "status": 400, "message": "Invalid refresh token"}, "Invalid refresh token", ""),
        ({"error": None, "message": "Gone."}, "HTTP 400", "Gone."),
        ({"error": ["a", "b"]}, "HTTP 400", ""),
        ({}, "HTTP 400", ""),
        ([], "HTTP 400", ""),
        (["no"], "HTTP 400", ""),
        ("no", "HTTP 400", ""),
        (None, "HTTP 400", ""),
        (7, "HTTP 400", ""),
    ],
)
def test_a_refusal_is_found_in_every_dialect(body: Any, code: str, words: str) -> None:
    found = refusal_in(body, 400)

    assert found is not None
    assert found.code == code
    assert words in found.words


@pytest.mark.parametrize("body", [{"error": "invalid_grant"}, {"error": {"code": 190}}, {"error": True, "message": ""}])
def test_a_refusal_inside_a_success_is_one_too(body: Any) -> None:
    assert refusal_in(body, 200) is not None


@pytest.mark.parametrize("body", [TOKEN, {**TOKEN, "error": None}, {**TOKEN, "error": False}, {**TOKEN, "code": 200}])
def test_an_answer_with_a_token_is_no_refusal(body: Any) -> None:
    assert refusal_in(body, 200) is None


def test_a_refusal_is_known_by_its_code_or_by_a_sentence_in_its_words() -> None:
    refusal = Refusal("OAuthException", "Error validating client secret.")

    assert refusal.is_one_of(frozenset({"OAuthException"}))
    assert refusal.is_one_of(frozenset({"Error validating client secret"}))
    assert not refusal.is_one_of(frozenset({"client"}))
    assert not refusal.is_one_of(frozenset())


# -- what wraps a token


@pytest.mark.parametrize("body", [{"data": [TOKEN]}, TOKEN, {**TOKEN, "data": []}, {**TOKEN, "data": {"0": 1}}])
def test_a_token_is_found_in_its_wrapping_and_without_it(body: Any) -> None:
    assert token_object(WRAPPED, body)["access_token"] == "a-token"


@pytest.mark.parametrize("body", [[], "a-token", 7, None, {"data": ["a-token"]}, {"data": [None]}])
def test_what_wraps_no_object_gives_no_token(body: Any) -> None:
    with pytest.raises(ConnectionFailed):
        token_object(WRAPPED, body)


# -- the token


@pytest.mark.parametrize("token", [None, "", 7, True, ["a"], {"a": 1}])
def test_without_a_token_in_text_there_is_no_grant(token: Any) -> None:
    with pytest.raises(ConnectionFailed):
        grant_of(PLAIN, {"access_token": token})


@pytest.mark.parametrize("token", [7, True, ["a"], {"a": 1}])
def test_a_refresh_token_that_is_no_text_makes_no_grant(token: Any) -> None:
    with pytest.raises(ConnectionFailed):
        grant_of(PLAIN, {**TOKEN, "refresh_token": token})


@pytest.mark.parametrize("answer", [TOKEN, {**TOKEN, "refresh_token": None}, {**TOKEN, "refresh_token": ""}])
def test_an_absent_refresh_token_is_none(answer: dict[str, Any]) -> None:
    assert grant_of(PLAIN, answer).refresh_token is None


def test_a_token_that_renews_itself_is_its_own_refresh_token() -> None:
    assert grant_of(RENEWED, TOKEN).refresh_token == "a-token"


def test_a_grant_shows_no_token() -> None:
    shown = repr(grant_of(PLAIN, {**TOKEN, "refresh_token": "another-token"}))

    assert "a-token" not in shown
    assert "another-token" not in shown


# -- how long it lives


@pytest.mark.parametrize(
    ("lifetime", "seconds"), [(3600, 3600), ("3600", 3600), (3600.9, 3600), (LONGEST_LIFETIME_S, LONGEST_LIFETIME_S)]
)
def test_a_lifetime_may_be_told_in_many_ways(frozen_clock: FrozenClock, lifetime: Any, seconds: int) -> None:
    grant = grant_of(PLAIN, {**TOKEN, "expires_in": lifetime})

    assert grant.expires_at == frozen_clock.now() + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "lifetime",
    [
        None, "", "soon", "1h", 0, -1, "-5", LONGEST_LIFETIME_S + 1, 10**30, float("inf"), float("-inf"), float("nan"),
        [3600], {"seconds": 3600}, "9" * 5000,
    ],
)  # fmt: skip
@pytest.mark.parametrize(("assumed_s", "is_known"), [(None, False), (7200, True)])
def test_a_lifetime_that_makes_no_sense_counts_as_untold(
    frozen_clock: FrozenClock, lifetime: Any, assumed_s: int | None, is_known: bool
) -> None:
    grant = grant_of(replace(PLAIN, access_lifetime_s=assumed_s), {**TOKEN, "expires_in": lifetime})

    assert grant.expires_at == (frozen_clock.now() + timedelta(hours=2) if is_known else None)


def test_a_refresh_token_may_end_too(frozen_clock: FrozenClock) -> None:
    grant = grant_of(PLAIN, {**TOKEN, "refresh_token": "r", "refresh_token_expires_in": 60})

    assert grant.refresh_expires_at == frozen_clock.now() + timedelta(minutes=1)
    assert grant_of(PLAIN, {**TOKEN, "refresh_token": "r"}).refresh_expires_at is None


# -- what was granted


@pytest.mark.parametrize(
    ("named", "scopes"),
    [
        ("read write", ("read", "write")), ("read,write", ("read", "write")), ("read, write ", ("read", "write")),
        (["read", "write"], ("read", "write")), ([], ()), ("", ()), (None, None), (7, None), ({"read": True}, None),
    ],
)  # fmt: skip
def test_scopes_come_as_text_or_as_a_list(named: Any, scopes: tuple[str, ...] | None) -> None:
    assert grant_of(PLAIN, {**TOKEN, "scope": named}).scopes == scopes


def test_scopes_stand_under_the_name_that_the_platform_uses() -> None:
    auth = replace(PLAIN, scope_key="permissions")

    assert grant_of(auth, {**TOKEN, "permissions": "read", "scope": "write"}).scopes == ("read",)
