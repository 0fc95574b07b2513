"""The Test button: a wrong secret told from a wrong redirect URI, wherever the platform lets one tell."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from flask import Flask

from patchbay import providers, rehearsal
from patchbay.errors import Conflict, Invalid, NetworkError, ProviderUnavailable
from patchbay.rehearsal import Finding, Verdict
from patchbay.settings import Settings
from patchbay.spec import OAuth2, Provider, Status
from tests.stage import Sandbox, in_context
from tests.wire import Said, listening

SPEAKING = [one for one in providers.all() if one.status is Status.ACTIVE and isinstance(one.auth, OAuth2)]
each = pytest.mark.parametrize("provider", SPEAKING, ids=lambda one: one.key)


@dataclass(frozen=True)
class Here:
    """Makes installations whose app at a platform is one of those that the sandbox knows, with what is said of it."""

    settings_for: Callable[..., Settings]
    app_for: Callable[[Settings], Flask]
    sandbox: Sandbox

    def verdict(self, provider: Provider, **said: str) -> Verdict:
        name = provider.credentials_name
        known = {
            f"{name}_CLIENT_ID": f"sandbox-{provider.key}",
            f"{name}_CLIENT_SECRET": f"sandbox-secret-{provider.key}",
        }
        given = known | {f"{name}_{key.upper()}": value for key, value in said.items()}
        with in_context(self.app_for(self.settings_for(SANDBOX_URL=self.sandbox.url, **given))):
            values = {field.name: field.placeholder for field in rehearsal.fields(provider)}
            return rehearsal.rehearse(provider, values)


@pytest.fixture
def here(settings_for: Callable[..., Settings], app_for: Callable[[Settings], Flask], sandbox: Sandbox) -> Here:
    return Here(settings_for, app_for, sandbox)


@each
def test_a_right_setup_is_called_right(here: Here, provider: Provider) -> None:
    found = here.verdict(provider)

    assert found.app is Finding.RIGHT
    assert found.redirect is not Finding.WRONG


@each
def test_a_wrong_secret_is_told(here: Here, provider: Provider) -> None:
    found = here.verdict(provider, client_secret="not-the-secret")

    assert found.app is Finding.WRONG
    assert "not-the-secret" not in found.detail


@each
def test_a_wrong_redirect_uri_is_told_from_a_wrong_secret(here: Here, provider: Provider) -> None:
    assert isinstance(provider.auth, OAuth2)

    found = here.verdict(provider, redirect_uri="https://elsewhere.example.org/callback")

    assert found.app is Finding.RIGHT
    assert found.redirect is (Finding.WRONG if provider.auth.tells_redirect else Finding.NOT_TOLD)


@each
def test_nobody_is_connected_and_no_code_is_spent(here: Here, provider: Provider) -> None:
    here.verdict(provider)

    granted = here.sandbox.received(provider.key, grantType="authorization_code", status=200)
    assert granted == []


def test_a_platform_that_does_not_answer_leaves_it_open(here: Here, sandbox: Sandbox) -> None:
    sandbox.fault("google-drive", "server_error", times=0)

    with pytest.raises((NetworkError, ProviderUnavailable)):
        here.verdict(providers.get("google-drive"))


@pytest.mark.usefixtures("context")
def test_what_the_address_holds_must_be_given() -> None:
    with pytest.raises(Invalid):
        rehearsal.rehearse(providers.get("shopify"), {"shop": "not a shop"})


def test_without_credentials_there_is_nothing_to_test(
    settings_for: Callable[..., Settings], app_for: Callable[[Settings], Flask]
) -> None:
    with in_context(app_for(settings_for(SANDBOX="off"))), pytest.raises(Conflict):
        rehearsal.rehearse(providers.get("google-drive"), {})


# -- pages that keep programs out


@pytest.mark.parametrize(
    ("status", "redirect"),
    [
        (200, Finding.RIGHT), (302, Finding.RIGHT), (400, Finding.WRONG), (404, Finding.WRONG), (403, Finding.NOT_TOLD),
        (408, Finding.NOT_TOLD), (429, Finding.NOT_TOLD), (503, Finding.NOT_TOLD),
    ],
)  # fmt: skip
def test_only_a_page_that_speaks_of_the_request_tells_of_the_redirect_uri(
    settings_for: Callable[..., Settings], app_for: Callable[[Settings], Flask], status: int, redirect: Finding
) -> None:
    with listening() as wire, in_context(app_for(settings_for(SANDBOX_URL=wire.url))):
        wire.say(Said(400, {"error": "invalid_grant"}), Said(status, b"<!doctype html>"))

        found = rehearsal.rehearse(providers.get("dropbox"), {})

    assert (found.app, found.redirect) == (Finding.RIGHT, redirect)
    assert [asked.method for asked in wire.received] == ["POST", "GET"]


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (Said(400, {"error": "invalid_grant"}), Finding.RIGHT),
        (Said(401, {"error": "invalid_client"}), Finding.WRONG),
        (Said(200, {"access_token": "given away"}), Finding.NOT_TOLD),
        (Said(200, b"<!doctype html>"), Finding.NOT_TOLD),
        (Said(400, b"[" * 100_000), Finding.NOT_TOLD),
    ],
)
def test_what_a_token_endpoint_says_of_a_code_that_nobody_has_issued_tells_of_the_app(
    settings_for: Callable[..., Settings], app_for: Callable[[Settings], Flask], answer: Said, found: Finding
) -> None:
    with listening() as wire, in_context(app_for(settings_for(SANDBOX_URL=wire.url))):
        wire.say(answer)

        verdict = rehearsal.rehearse(providers.get("canva"), {})

    assert verdict.app is found
    assert "given away" not in verdict.detail


@pytest.mark.parametrize("answer", [Said(429, {"error": "slow_down"}), Said(503), Said(drop=True)])
def test_a_platform_that_cannot_be_asked_leaves_it_open(
    settings_for: Callable[..., Settings], app_for: Callable[[Settings], Flask], answer: Said
) -> None:
    with listening() as wire, in_context(app_for(settings_for(SANDBOX_URL=wire.url))):
        wire.say(answer)

        with pytest.raises((NetworkError, ProviderUnavailable)):
            rehearsal.rehearse(providers.get("canva"), {})
