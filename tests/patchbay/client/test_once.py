"""What must not be done twice at a platform: receipts before sending, and a look at the platform before a repeat."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask

from patchbay import clock, providers, tokens
from patchbay.client import Client, Kept, Unwatched
from patchbay.errors import (
    GrantExpired,
    NetworkError,
    OutcomeUnknown,
    PatchbayError,
    PlatformError,
    ProviderUnavailable,
    RateLimited,
)
from patchbay.models import ReceiptState
from patchbay.settings import Settings
from patchbay.spec import Request
from tests.wire import Said, Wire, listening

DATABASES = ("sqlite",)  # receipts are kept in memory here
FILES = "https://www.googleapis.com/drive/v3/files"
MADE = Said(body={"id": "made"})
REFUSED = Said(400, {"error": {"message": "no"}})
THROTTLED = Said(429, headers={"Retry-After": "90"})
BUSY = Said(503, headers={"Retry-After": "90"})
NO_LOOK = [
    ProviderUnavailable("HTTP 503"),
    NetworkError("no answer"),
    RateLimited("HTTP 429", retry_at=clock.now()),
    GrantExpired("the login has ended"),
]


class Killed(BaseException):
    """What a SIGKILL comes to: nothing behind this point happens."""


@dataclass
class Drawer(Unwatched):
    """The watch of a run that keeps its receipts; `dies` when it is to write down an outcome."""

    kept: dict[str, Kept] = field(default_factory=dict)
    dies: bool = False

    def receipt(self, name: str) -> Kept | None:
        return self.kept.get(name)

    def sending(self, name: str, fingerprint: str) -> None:
        assert len(fingerprint) == 64
        self.kept[name] = Kept(ReceiptState.SENT, None)

    def settle(self, name: str, state: ReceiptState, answer: Any = None) -> None:
        if self.dies:
            self.dies = False
            raise Killed
        self.kept[name] = Kept(state, answer)

    def withdraw(self, name: str) -> None:
        del self.kept[name]

    @property
    def state(self) -> ReceiptState | None:
        return self.kept["file"].state if "file" in self.kept else None


def said(what: object) -> str | None:
    """How a test is called after what the platform says."""
    return ("lost" if what.drop else f"{what.status}{''.join(what.headers)}") if isinstance(what, Said) else None


@pytest.fixture
def wire() -> Iterator[Wire]:
    with listening() as wire:
        wire.say(MADE)
        yield wire


@pytest.fixture
def drawer() -> Drawer:
    return Drawer()


@pytest.fixture
def make(
    wire: Wire,
    drawer: Drawer,
    settings_for: Callable[..., Settings],
    app_for: Callable[[Settings], Flask],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Callable[..., str]]:
    """Make a file, once; `there` is what the platform shows when it can be asked, or what comes of asking.

    `looks`: whoever sends it looks for it by themselves when no answer came.
    """
    monkeypatch.setattr("patchbay.client.retries.FIRST_BACKOFF_S", 0.01)
    with app_for(settings_for(SANDBOX_URL=wire.url)).app_context():

        def once(there: str | PatchbayError | None = None, *, can_look: bool = True, looks: bool = False) -> str:
            drive = providers.get("google-drive")
            source = tokens.GivenToken("the-token")
            api = Client(drive, None, {}, is_sandbox=True, source=source, budget_key="con_1", watch=drawer)

            def send() -> str:
                try:
                    return str(api.read(api.send(Request("POST", FILES, json={"name": "a"})), dict[str, str])["id"])
                except (OutcomeUnknown, ProviderUnavailable):
                    if looks and find():
                        return str(there)
                    raise

            def find() -> str | None:
                if isinstance(there, PatchbayError):
                    raise there
                return there

            return api.once("file", send, find if can_look else None)

        yield once


def test_what_was_done_is_not_done_again(make: Callable[..., str], wire: Wire, drawer: Drawer) -> None:
    assert [make(), make()] == ["made", "made"]

    assert len(wire.received) == 1
    assert drawer.state is ReceiptState.DONE


@pytest.mark.parametrize(
    "lost", [Said(drop=True), *map(Said, (500, 502, 503, 504, 520)), Said(body=b'{"id": ')], ids=said
)
def test_after_a_doubtful_answer_the_platform_tells(
    make: Callable[..., str], wire: Wire, drawer: Drawer, lost: Said
) -> None:
    wire.say(lost, MADE)

    assert make(there="found") == "found"

    assert len(wire.received) == 1
    assert drawer.kept["file"] == Kept(ReceiptState.DONE, "found")


@pytest.mark.parametrize("lost", [Said(drop=True), Said(502), Said(504), Said(524)], ids=said)
def test_an_answer_of_nobody_who_knows_is_left_to_the_owner_when_the_platform_shows_nothing(
    make: Callable[..., str], wire: Wire, drawer: Drawer, lost: Said
) -> None:
    wire.say(lost, MADE)

    with pytest.raises(OutcomeUnknown):
        make()

    assert drawer.state is ReceiptState.UNKNOWN
    assert len(wire.received) == 1


@pytest.mark.parametrize("status", [500, 503])
def test_an_error_of_which_the_platform_shows_nothing_passes(
    make: Callable[..., str], wire: Wire, drawer: Drawer, status: int
) -> None:
    wire.say(Said(status), MADE)
    with pytest.raises(ProviderUnavailable):
        make()

    assert make() == "made"
    assert drawer.state is ReceiptState.DONE


@pytest.mark.parametrize(("there", "result", "sent"), [("found", "found", 1), (None, "made", 2)])
def test_after_a_kill_the_platform_is_asked_before_anything_is_sent_again(
    make: Callable[..., str], wire: Wire, drawer: Drawer, there: str | None, result: str, sent: int
) -> None:
    drawer.dies = True
    with pytest.raises(Killed):
        make()

    assert make(there=there) == result
    assert len(wire.received) == sent


def test_after_a_kill_what_cannot_be_looked_up_is_left_to_the_owner(
    make: Callable[..., str], wire: Wire, drawer: Drawer
) -> None:
    drawer.dies = True
    with pytest.raises(Killed):
        make(can_look=False)

    with pytest.raises(OutcomeUnknown):
        make(can_look=False)

    assert len(wire.received) == 1
    assert drawer.state is ReceiptState.UNKNOWN


def test_what_the_owner_wants_again_is_sent_again(make: Callable[..., str], wire: Wire, drawer: Drawer) -> None:
    drawer.kept["file"] = Kept(ReceiptState.ASKED, None)

    assert make(can_look=False) == "made"
    assert len(wire.received) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_an_error_about_what_cannot_be_looked_up_leaves_the_outcome_unknown(
    make: Callable[..., str], wire: Wire, status: int
) -> None:
    wire.say(Said(status))

    with pytest.raises(OutcomeUnknown):
        make(can_look=False)


@pytest.mark.parametrize(
    ("answer", "error"), [(REFUSED, PlatformError), (THROTTLED, RateLimited), (BUSY, ProviderUnavailable)], ids=said
)
def test_what_was_refused_leaves_no_receipt(
    make: Callable[..., str], wire: Wire, drawer: Drawer, answer: Said, error: type[Exception]
) -> None:
    wire.say(answer)

    with pytest.raises(error):
        make(there="of an earlier run")

    assert drawer.kept == {}


@pytest.mark.parametrize("can_look", [True, False])
@pytest.mark.parametrize(
    "answer",
    [Said(408), Said(503, headers={"Retry-After": "0.01"}), Said(429, headers={"Retry-After": "0.01"})],
    ids=said,
)
def test_what_was_refused_before_it_was_begun_is_sent_again(
    make: Callable[..., str], wire: Wire, drawer: Drawer, answer: Said, *, can_look: bool
) -> None:
    wire.say(answer, MADE)

    assert make(there="of an earlier run", can_look=can_look) == "made"
    assert len(wire.received) == 2
    assert drawer.state is ReceiptState.DONE


@pytest.mark.parametrize("answer", [REFUSED, THROTTLED, BUSY], ids=said)
def test_a_refusal_makes_an_earlier_try_no_clearer(
    make: Callable[..., str], wire: Wire, drawer: Drawer, answer: Said
) -> None:
    drawer.kept["file"] = Kept(ReceiptState.SENT, None)
    wire.say(answer, MADE)
    with pytest.raises(PatchbayError):
        make()

    assert make(there="of the earlier try") == "of the earlier try"
    assert len(wire.received) == 1


@pytest.mark.parametrize("looks", [True, False], ids=["looked for by the sender", "looked up"])
@pytest.mark.parametrize("answer", [Said(drop=True), Said(500), Said(504)], ids=said)
@pytest.mark.parametrize("failure", NO_LOOK, ids=lambda error: error.kind)
def test_a_look_that_fails_is_made_again_before_anything_is_sent(
    make: Callable[..., str], wire: Wire, drawer: Drawer, failure: PatchbayError, answer: Said, *, looks: bool
) -> None:
    wire.say(answer, MADE)
    with pytest.raises(type(failure)):
        make(there=failure, looks=looks)
    with pytest.raises(type(failure)):
        make(there=failure, looks=looks)

    assert make(there="found") == "found"
    assert len(wire.received) == 1
    assert drawer.kept["file"] == Kept(ReceiptState.DONE, "found")


def test_what_the_platform_cannot_have_heard_is_tried_again(
    settings_for: Callable[..., Settings],
    app_for: Callable[[Settings], Flask],
    drawer: Drawer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("patchbay.client.retries.FIRST_BACKOFF_S", 0.01)
    with listening() as wire:
        closed = wire.url
    with app_for(settings_for(SANDBOX_URL=closed)).app_context():
        source = tokens.GivenToken("the-token")
        api = Client(providers.get("google-drive"), None, {}, True, source, "con_1", watch=drawer)

        with pytest.raises(NetworkError) as failed:
            api.once("file", lambda: api.send(Request("POST", FILES, json={})).status)

    assert not failed.value.was_sent
    assert drawer.kept == {}
