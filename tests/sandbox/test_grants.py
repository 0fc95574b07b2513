"""Codes and tokens as every OAuth server of the sandbox keeps them."""

from datetime import timedelta

import pytest
import time_machine

from sandbox.grants import Code, Grant, GrantRefused, Grants, challenge_of, is_loopback_redirect
from sandbox.store import Database

REDIRECT = "http://127.0.0.1:8000/integrations/callback"
VERIFIER = "v" * 43


@pytest.fixture
def grants() -> Grants:
    return Grants(Database().store("acme"), "acme")


def code_for(grants: Grants, challenge: str | None = None) -> str:
    return grants.new_code(Code("sandbox-acme", REDIRECT, "ada@example.org", ("read",), challenge, "S256"))


def refresh_token(grants: Grants) -> tuple[Grant, str]:
    grant = grants.new_grant("sandbox-acme", "ada@example.org", ["read"])
    return grant, grants.issue(grant, "refresh", None)


def test_code_gives_its_grant(grants: Grants) -> None:
    grant = grants.redeem(code_for(grants), grants.apps["sandbox-acme"], REDIRECT, None)

    assert (grant.account, grant.scopes) == ("ada@example.org", ("read",))


def test_second_use_of_a_code_is_refused_and_kills_the_grant(grants: Grants) -> None:
    code, app = code_for(grants), grants.apps["sandbox-acme"]
    grant = grants.redeem(code, app, REDIRECT, None)
    access = grants.issue(grant, "access", 60)

    with pytest.raises(GrantRefused, match="invalid_grant"):
        grants.redeem(code, app, REDIRECT, None)

    assert grants.live_access(access) is None


@pytest.mark.parametrize("verifier", [None, "", "w" * 43])
def test_code_wants_its_verifier(grants: Grants, verifier: str | None) -> None:
    code = code_for(grants, challenge_of(VERIFIER, "S256"))

    with pytest.raises(GrantRefused, match="invalid_grant"):
        grants.redeem(code, grants.apps["sandbox-acme"], REDIRECT, verifier)


def test_right_verifier_opens_the_code(grants: Grants) -> None:
    code = code_for(grants, challenge_of(VERIFIER, "S256"))

    assert grants.redeem(code, grants.apps["sandbox-acme"], REDIRECT, VERIFIER).account == "ada@example.org"


def test_code_of_another_app_is_refused(grants: Grants) -> None:
    with pytest.raises(GrantRefused, match="invalid_grant"):
        grants.redeem(code_for(grants), grants.apps["other-acme"], REDIRECT, None)


def test_code_wants_the_redirect_address_it_was_made_for(grants: Grants) -> None:
    with pytest.raises(GrantRefused, match="redirect_uri_mismatch"):
        grants.redeem(code_for(grants), grants.apps["sandbox-acme"], REDIRECT + "/other", None)


def test_code_is_stale_after_ten_minutes(grants: Grants) -> None:
    with time_machine.travel(0, tick=False) as clock:
        code = code_for(grants)
        clock.shift(timedelta(minutes=10))

        with pytest.raises(GrantRefused, match="expired"):
            grants.redeem(code, grants.apps["sandbox-acme"], REDIRECT, None)


def test_code_may_live_shorter(grants: Grants) -> None:
    with time_machine.travel(0, tick=False) as traveller:
        code = grants.new_code(Code("sandbox-acme", REDIRECT, "ada@example.org", ("read",)), lifetime_s=30)
        traveller.shift(timedelta(seconds=31))

        with pytest.raises(GrantRefused, match="expired"):
            grants.redeem(code, grants.apps["sandbox-acme"], REDIRECT, None)


def test_wrong_secret_is_refused(grants: Grants) -> None:
    with pytest.raises(GrantRefused, match="invalid_client"):
        grants.authenticate("sandbox-acme", "sandbox-secret-other")


def test_access_token_dies_with_its_time(grants: Grants) -> None:
    with time_machine.travel(0, tick=False) as clock:
        grant = grants.new_grant("sandbox-acme", "ada@example.org", ["read"])
        access = grants.issue(grant, "access", 60)
        clock.shift(timedelta(seconds=60))

        assert grants.live_access(access) is None


def test_expiring_access_leaves_refresh_tokens(grants: Grants) -> None:
    grant, refresh = refresh_token(grants)
    access = grants.issue(grant, "access", 60)

    grants.expire_access_tokens()

    assert grants.live_access(access) is None
    assert grants.live_refresh(refresh, grants.apps["sandbox-acme"]).grant_id == grant.id


def test_rotated_token_may_be_retried_until_its_replacement_is_used(grants: Grants) -> None:
    app = grants.apps["sandbox-acme"]
    _, first = refresh_token(grants)
    grants.rotate(first, app, None)
    _, second = grants.rotate(first, app, None)
    grants.rotate(second, app, None)

    with pytest.raises(GrantRefused, match="invalid_grant"):
        grants.rotate(first, app, None)


def test_no_token_or_code_is_stored_in_clear() -> None:
    database = Database()
    grants = Grants(database.store("acme"), "acme")
    _, refresh = refresh_token(grants)
    code = code_for(grants)

    dump = "\n".join(database.connection.iterdump())

    assert refresh not in dump
    assert code not in dump


@pytest.mark.parametrize("uri", ["http://localhost:8000/x", "http://127.0.0.1/x", "http://[::1]:8000/x"])
def test_loopback_addresses_may_be_redirected_to(uri: str) -> None:
    assert is_loopback_redirect(uri)


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "https://evil.example/cb",
        "http://localhost@evil.example/",
        "http://localhost.evil.example/",
        "javascript:alert(1)",
        "http://localhost/#x",
        "http://[::1",
        "http://localhost:99999/",
        "http://localhost:port/",
        "http://localhost/\r\nX: y",
    ],
)
def test_other_addresses_may_not_be_redirected_to(uri: str) -> None:
    assert not is_loopback_redirect(uri)
