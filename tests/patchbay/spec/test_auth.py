"""Scopes that are asked for, granted and missing; and what carries a token or a pair of keys."""

from base64 import b64decode
from dataclasses import replace

import pytest

from patchbay.spec import Field, Keys, OAuth2, Scope

READ, WRITE = Scope("read", "Read", "to read"), Scope("write", "Write", "to write")
TEAM = Scope("team", "See the team", "to list it", is_optional=True, asked_with="team")
AUTH = OAuth2("https://acme.example/authorize", "https://acme.example/token", (READ, WRITE, TEAM))
KEYS = Keys((Field("key", "Key"), Field("secret", "Secret")), username="key", password="secret", scopes=(READ, WRITE))


def names(scopes: tuple[Scope, ...]) -> list[str]:
    return [scope.name for scope in scopes]


@pytest.mark.parametrize(
    ("values", "asked"),
    [
        ({}, ["read", "write"]),
        ({"team": ""}, ["read", "write"]),
        ({"team": None}, ["read", "write"]),
        ({"team": "7", "other": "x"}, ["read", "write", "team"]),
    ],
)
def test_a_scope_may_be_asked_for_with_a_field_alone(values: dict[str, object], asked: list[str]) -> None:
    assert names(AUTH.asked(values)) == asked


def test_what_was_not_asked_for_is_not_missing() -> None:
    granted = frozenset({"read", "write"})

    assert AUTH.missing(granted, {}) == ()
    assert names(AUTH.missing(granted, {"team": "7"})) == ["team"]


def test_a_scope_covers_what_it_implies() -> None:
    implying = replace(AUTH, implies={"write": ("read",)})

    assert names(implying.missing(frozenset({"write"}), {})) == []
    assert names(implying.missing(frozenset({"read"}), {})) == ["write"]
    assert names(AUTH.missing(frozenset({"write", "unheard-of"}), {})) == ["read"]


def test_keys_are_asked_for_as_a_whole() -> None:
    assert names(KEYS.asked({})) == ["read", "write"]
    assert names(KEYS.missing(frozenset({"read"}), {})) == ["write"]


def test_a_token_goes_into_the_header_that_the_platform_reads() -> None:
    other = replace(AUTH, token_header="X-Token", token_prefix="")

    assert AUTH.headers("t", client_id="id", client_secret="s") == {"Authorization": "Bearer t"}
    assert other.headers("t", client_id="id", client_secret="s") == {"X-Token": "t"}


def test_the_apps_headers_are_filled_and_what_fills_them_is_not_read_as_places() -> None:
    auth = replace(AUTH, app_headers={"x-api-key": "{client_id}:{client_secret}"})

    headers = auth.headers("t", client_id="{client_secret}", client_secret="{0}{}")

    assert headers["x-api-key"] == "{client_secret}:{0}{}"


def test_keys_are_sent_as_a_pair() -> None:
    secret = KEYS.secret({"key": "ck_1", "secret": "cs_ü:2"})

    header = KEYS.headers(secret, client_id="", client_secret="")["Authorization"]

    assert header.startswith("Basic ")
    assert b64decode(header.removeprefix("Basic ")).decode() == "ck_1:cs_ü:2"
