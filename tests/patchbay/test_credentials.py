"""Our apps at the platforms: who set them, and that the sandbox and the platforms never see what is the other's."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask

from patchbay import connections, credentials, net, oauth, providers, rehearsal
from patchbay.connections import Caller
from patchbay.credentials import AppCredentials
from patchbay.errors import Conflict, NetworkError, NotFound, PatchbayError
from patchbay.models import User
from patchbay.net import Net
from patchbay.settings import Settings
from patchbay.spec import Keys, OAuth2, Provider, Status
from tests.stage import Sandbox, in_context
from tests.wire import Said, Wire, listening

ACTIVE = [provider for provider in providers.all() if provider.status is Status.ACTIVE]
WITH_APPS = [provider for provider in ACTIVE if isinstance(provider.auth, OAuth2)]
each = pytest.mark.parametrize("provider", WITH_APPS, ids=lambda provider: provider.key)


@dataclass
class Nowhere:
    """A resolver that knows no name, and notes which ones were asked for."""

    asked: list[str] = field(default_factory=list)

    def __call__(self, host: str, _timeout_s: float) -> list[str]:
        self.asked.append(host)
        raise NetworkError(f"{host}: name not found")


@dataclass(frozen=True)
class Here:
    """Makes installations whose sandbox is a wire, and whose internet is nowhere."""

    settings_for: Callable[..., Settings]
    app_for: Callable[[Settings], Flask]
    wire: Wire
    internet: Nowhere

    def installed(self, **environment: str) -> Any:
        """An app context of an installation with that environment."""
        here = self.settings_for(**{"SANDBOX_URL": self.wire.url, **environment})
        app = self.app_for(here)
        net.use(Net(here.sandbox_url if here.sandbox else None, "Patchbay", resolve=self.internet))
        return in_context(app)


@pytest.fixture
def here(
    settings_for: Callable[..., Settings], app_for: Callable[[Settings], Flask], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Here]:
    monkeypatch.setattr("patchbay.client.retries.FIRST_BACKOFF_S", 0.01)
    with listening() as wire:
        wire.say(Said(body={"access_token": "a-token"}))
        yield Here(settings_for, app_for, wire, Nowhere())


def app_of(provider: Provider, **values: str) -> AppCredentials:
    found = credentials.find(provider, values)
    assert found is not None
    return found


def live(provider: Provider, client_id: str = "live-id") -> dict[str, str]:
    name = provider.credentials_name
    return {f"{name}_CLIENT_ID": client_id, f"{name}_CLIENT_SECRET": "live-secret"}


# -- who set it


@pytest.mark.usefixtures("context")
def test_the_environment_wins_over_an_administrator_and_both_over_the_sandbox(here: Here) -> None:
    provider = providers.get("dropbox")
    with here.installed():
        by_sandbox = app_of(provider)
        credentials.enter("dropbox", "entered-id", "entered-secret", None)
        entered = app_of(provider)
    with here.installed(**live(provider)):
        by_environment = app_of(provider)

    assert [by_sandbox.origin, entered.origin, by_environment.origin] == ["sandbox", "admin", "environment"]
    assert [by_sandbox.is_sandbox, entered.is_sandbox, by_environment.is_sandbox] == [True, False, False]
    assert (entered.client_id, entered.client_secret) == ("entered-id", "entered-secret")


def test_a_secret_that_is_left_out_stays(here: Here) -> None:
    with here.installed():
        credentials.enter("dropbox", "one", "the-secret", None)
        credentials.enter("dropbox", "other", None, "https://hub.example.org/back")

        found = app_of(providers.get("dropbox"))

    assert (found.client_id, found.client_secret) == ("other", "the-secret")
    assert found.redirect_uri == "https://hub.example.org/back"


def test_what_an_administrator_forgets_is_gone(here: Here) -> None:
    with here.installed(SANDBOX="off"):
        credentials.enter("dropbox", "one", "the-secret", None)
        before = credentials.find(providers.get("dropbox"))
        credentials.forget("dropbox")

        assert before is not None
        assert credentials.find(providers.get("dropbox")) is None
        with pytest.raises(NotFound):
            credentials.enter("nowhere", "one", "two", None)


@each
def test_without_the_sandbox_nothing_is_set_up_by_itself(here: Here, provider: Provider) -> None:
    with here.installed(SANDBOX="off"):
        assert credentials.find(provider) is None


# -- the sandbox's own apps


@each
def test_the_sandboxs_own_app_entered_by_hand_is_played_while_the_sandbox_is_on(here: Here, provider: Provider) -> None:
    played = {}
    for switch in ("on", "off"):
        with here.installed(SANDBOX=switch):
            credentials.enter(provider.key, f"sandbox-{provider.key}", "a-secret", None)
            played[switch] = app_of(provider).is_sandbox

    assert played == {"on": True, "off": False}


@pytest.mark.parametrize("client_id", ["sandbox-dropbox ", "SANDBOX-dropbox", "sandbox-etsy", "sandbox-", ""])
def test_whatever_is_not_the_name_of_a_played_app_is_live(here: Here, client_id: str) -> None:
    with here.installed():
        credentials.enter("dropbox", client_id, "a-secret", None)

        assert not app_of(providers.get("dropbox")).is_sandbox


@each
@pytest.mark.parametrize("switch", ["on", "off"])
def test_live_credentials_never_reach_the_sandbox(here: Here, provider: Provider, switch: str, ada: User) -> None:
    values = {field.name: field.placeholder for field in provider.fields if field.required}
    values = {"shop": "demo-shop.myshopify.com"} if values else {}
    with here.installed(SANDBOX=switch, **live(provider)):
        app = app_of(provider)
        departure = oauth.depart(provider, app, values)
        with pytest.raises(PatchbayError):
            oauth.exchange(provider, app, values, code="c0de", code_verifier="v")
        with pytest.raises(PatchbayError):
            oauth.refresh(provider, app, values, "a-token")

    assert here.wire.received == []
    assert here.internet.asked
    assert here.wire.url not in departure.url


def test_with_the_sandbox_off_its_own_app_is_sent_to_the_platform(here: Here) -> None:
    provider = providers.get("dropbox")
    with here.installed(SANDBOX="off", **live(provider, "sandbox-dropbox")), pytest.raises(NetworkError):
        oauth.exchange(provider, app_of(provider), {}, code="c0de", code_verifier="v")

    assert here.wire.received == []
    assert here.internet.asked == ["api.dropboxapi.com"]


# -- where owners bring keys of their own


WOO = providers.get("woocommerce")


@pytest.mark.parametrize(
    ("store", "is_played"),
    [
        ("demo-store.example", True),
        ("demo-store.example/shop", True),
        ("Demo-Store.EXAMPLE", True),
        ("shop.example.org", False),
        ("shop.example.org/demo.example", False),
        ("example", False),
        ("demo-store.example:8443", False),
        ("", False),
    ],
)
def test_the_sandbox_plays_stores_with_reserved_names_alone(here: Here, store: str, is_played: bool) -> None:
    with here.installed():
        assert app_of(WOO, store=store).is_sandbox is is_played
    with here.installed(SANDBOX="off"):
        assert not app_of(WOO, store=store).is_sandbox


def test_before_a_store_is_named_nothing_is_played(here: Here) -> None:
    with here.installed():
        found = app_of(WOO)

    assert (found.origin, found.is_sandbox) == ("owner", False)


PASTED = {"consumer_key": "ck_" + "1" * 40, "consumer_secret": "cs_" + "2" * 40}


@pytest.mark.parametrize(
    ("switch", "store"), [("on", "shop.example.org"), ("on", "demo-store.example:8443"), ("off", "demo-store.example")]
)
def test_keys_for_a_real_store_never_reach_the_sandbox(here: Here, ada: User, switch: str, store: str) -> None:
    with here.installed(SANDBOX=switch), pytest.raises(PatchbayError):
        connections.connect_with_keys(Caller(ada.id), "woocommerce", {"store": store}, PASTED)

    assert here.wire.received == []
    assert set(here.internet.asked) == {store.partition(":")[0]}


@pytest.mark.parametrize(("switch", "begin"), [("on", "http://127.0.0.1"), ("off", "https://demo-store.example/")])
def test_the_owner_is_sent_to_the_sandbox_only_while_it_is_on(here: Here, ada: User, switch: str, begin: str) -> None:
    with here.installed(SANDBOX=switch):
        departure = connections.begin(Caller(ada.id), "woocommerce", {"store": "demo-store.example"})

    assert departure.url.startswith(begin)


@pytest.mark.usefixtures("context")
def test_there_is_no_app_to_test_where_owners_bring_keys(sandbox: Sandbox) -> None:
    assert isinstance(WOO.auth, Keys)
    with pytest.raises(Conflict):
        rehearsal.rehearse(WOO, {})

    assert sandbox.received("woocommerce") == []
