"""Choices after connecting: made alone where there is one, open where there are several, never of what is not there."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from flask import Flask
from sqlalchemy import func, select

from patchbay import clock, connections, providers, runs
from patchbay.connections import Caller, Option, Outcome, Returned, choices
from patchbay.errors import Conflict, GrantExpired, Invalid, NetworkError, PatchbayError, ProviderUnavailable
from patchbay.models import (
    AuditEntry,
    Connection,
    ConnectionState,
    Run,
    RunStatus,
    Trigger,
    User,
    db,
    fresh_view,
    new_id,
    transaction,
)
from patchbay.settings import Settings
from patchbay.spec import Action, Api, Field, Pick, Provider
from tests.stage import Queue, Sandbox
from tests.wire import Said, Wire, listening

pytestmark = pytest.mark.usefixtures("context", "_short_pauses")

PAGE = Pick("list_pages", "pages")


@pytest.fixture
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("patchbay.client.retries.FIRST_BACKOFF_S", 0.01)


@pytest.fixture
def connect_as(sandbox: Sandbox) -> Callable[..., Returned]:
    """Connect Facebook by one of the sandbox's accounts: ada has one page there, ben has two."""

    def connect_as(user: User, account: str) -> Returned:
        departure = connections.begin(Caller(user.id), "facebook", {})
        form = requests.get(departure.url, timeout=10).text
        scopes = re.findall(r'name="scope" value="([^"]+)"', form)
        answer = {"decision": "allow", "account": account, "scope": scopes}
        back = requests.post(departure.url, data=answer, allow_redirects=False, timeout=10)
        return connections.come_back(dict(parse_qsl(urlsplit(back.headers["Location"]).query)), Caller(user.id))

    return connect_as


@pytest.fixture
def undecided(ada: User, connect_as: Callable[..., Returned]) -> Connection:
    """Ada's connection, by an account with two pages."""
    assert connect_as(ada, "ben").outcome.is_success
    return connections.connected(ada.id, "facebook")


def reread(connection: Connection) -> Connection:
    fresh_view()
    return db.session.get_one(Connection, connection.id, populate_existing=True)


def open_choices(connection: Connection) -> list[str]:
    return [field.name for field in connections.missing_choices(reread(connection))]


def pages_of(connection: Connection) -> dict[str, str]:
    """The ids of the pages that are offered, by name."""
    return {option.label: option.value for option in connections.offer(connection, PAGE).options}


# -- made or open


def test_what_is_alone_is_chosen_by_itself(ada: User, connect_as: Callable[..., Returned]) -> None:
    returned = connect_as(ada, "ada")

    connection = connections.connected(ada.id, "facebook")
    (label,) = pages_of(connection)
    assert returned.outcome is Outcome.CONNECTED
    assert open_choices(connection) == []
    assert connection.settings["page"] == pages_of(connection)[label]
    assert connection.setting_labels == {"page": label}


def test_of_several_none_is_chosen(undecided: Connection) -> None:
    assert len(pages_of(undecided)) == 2
    assert open_choices(undecided) == ["page"]
    assert reread(undecided).settings.get("page") is None


@pytest.mark.parametrize("operation", ["publish_photo", "list_photos", "import_photos"])
def test_an_open_choice_stops_what_needs_it(undecided: Connection, ada: User, operation: str) -> None:
    with pytest.raises(Conflict) as refused:
        runs.start(ada.id, "facebook", operation, {}, Trigger.API)

    assert refused.value.sentence == "Choose first which part of %(provider)s to work with: open its settings."
    assert refused.value.params == {"provider": "Facebook"}
    assert db.session.scalar(select(func.count()).select_from(Run)) == 0


def test_an_open_choice_stops_questions_too(undecided: Connection, ada: User, sandbox: Sandbox) -> None:
    before = len(sandbox.received("facebook"))

    with pytest.raises(Conflict):
        connections.ask(ada.id, "facebook", "list_photos", {})

    assert len(sandbox.received("facebook")) == before


def test_an_open_choice_does_not_stop_what_it_is_made_from(undecided: Connection, ada: User, queue: Queue) -> None:
    run = runs.start(ada.id, "facebook", "list_pages", {}, Trigger.API)
    queue.run_all()

    assert runs.get(ada.id, run.id).status is RunStatus.SUCCEEDED
    assert len(connections.ask(ada.id, "facebook", "list_pages", {})["pages"]) == 2


def test_a_choice_that_was_made_lets_work_go_on(undecided: Connection, ada: User, queue: Queue) -> None:
    label, value = next(iter(pages_of(undecided).items()))

    kept = connections.change_settings(ada.id, "facebook", {"page": value})
    run = runs.start(ada.id, "facebook", "list_photos", {}, Trigger.API)
    queue.run_all()

    assert (kept.settings["page"], kept.setting_labels) == (value, {"page": label})
    assert open_choices(undecided) == []
    assert runs.get(ada.id, run.id).status is RunStatus.SUCCEEDED


@pytest.mark.parametrize("kind", ["server_error", "reset", "malformed", "rate_limit"])
def test_a_platform_that_is_down_while_connecting_leaves_the_connection_and_the_choice_open(
    ada: User, connect_as: Callable[..., Returned], sandbox: Sandbox, kind: str
) -> None:
    sandbox.fault("facebook", kind, match="accounts", times=0, seconds=60)

    returned = connect_as(ada, "ada")
    sandbox.clear_faults("facebook")

    connection = connections.connected(ada.id, "facebook")
    assert returned.outcome is Outcome.CONNECTED
    assert connection.is_connected
    assert open_choices(connection) == ["page"]


def test_connecting_again_makes_the_choice_that_stayed_open(
    ada: User, connect_as: Callable[..., Returned], sandbox: Sandbox
) -> None:
    sandbox.fault("facebook", "server_error", match="accounts", times=0)
    connect_as(ada, "ada")
    sandbox.clear_faults("facebook")
    db.session.remove()

    connect_as(ada, "ada")

    assert open_choices(connections.connected(ada.id, "facebook")) == []


def test_connecting_again_keeps_the_choice(
    undecided: Connection, ada: User, connect_as: Callable[..., Returned]
) -> None:
    label, value = list(pages_of(undecided).items())[1]
    connections.change_settings(ada.id, "facebook", {"page": value})
    db.session.remove()

    connect_as(ada, "ben")

    connection = connections.connected(ada.id, "facebook")
    assert connection.settings["page"] == value
    assert connection.setting_labels == {"page": label}


def test_another_account_has_choices_of_its_own(
    undecided: Connection, ada: User, connect_as: Callable[..., Returned]
) -> None:
    before = next(iter(pages_of(undecided).values()))
    connections.change_settings(ada.id, "facebook", {"page": before})

    returned = connect_as(ada, "ada")
    connection = connections.replace_account(ada.id, "facebook", keep=False)

    (label,) = pages_of(connection)
    assert returned.outcome is Outcome.OTHER_ACCOUNT
    assert connection.settings["page"] == pages_of(connection)[label] != before
    assert connection.setting_labels == {"page": label}


def test_keeping_the_account_keeps_its_choices(
    undecided: Connection, ada: User, connect_as: Callable[..., Returned]
) -> None:
    label, value = next(iter(pages_of(undecided).items()))
    connections.change_settings(ada.id, "facebook", {"page": value})
    connect_as(ada, "ada")

    connections.replace_account(ada.id, "facebook", keep=True)

    assert reread(undecided).settings["page"] == value
    assert reread(undecided).setting_labels == {"page": label}


# -- what may be chosen


@pytest.mark.parametrize("value", ["1", "99999999999999999999"])
def test_a_value_that_is_not_offered_is_refused(undecided: Connection, ada: User, value: str) -> None:
    with pytest.raises(Invalid) as refused:
        connections.change_settings(ada.id, "facebook", {"page": value})

    assert refused.value.fields == {"page": "This is not one of the choices."}
    assert open_choices(undecided) == ["page"]


def test_the_page_of_another_account_is_refused(
    undecided: Connection, ada: User, cleo: User, connect_as: Callable[..., Returned]
) -> None:
    connect_as(cleo, "ada")
    theirs = connections.connected(cleo.id, "facebook").settings["page"]

    with pytest.raises(Invalid):
        connections.change_settings(ada.id, "facebook", {"page": theirs})


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({}, "page"), ({"page": ""}, "page"), ({"page": None}, "page"), ({"page": 7}, "page"), ({"page": "me"}, "page"),
        ({"page": "../me"}, "page"), ({"page": ["1"]}, "page"), ({"page": "1", "token": "x"}, "token"),
    ],
)  # fmt: skip
def test_what_cannot_be_a_value_is_refused_without_a_question(
    undecided: Connection, ada: User, sandbox: Sandbox, values: dict[str, Any], field: str
) -> None:
    before = len(sandbox.received("facebook"))

    with pytest.raises(Invalid) as refused:
        connections.change_settings(ada.id, "facebook", values)

    assert field in refused.value.fields
    assert len(sandbox.received("facebook")) == before


def test_a_value_that_was_chosen_is_not_asked_about_again(undecided: Connection, ada: User, sandbox: Sandbox) -> None:
    value = next(iter(pages_of(undecided).values()))
    connections.change_settings(ada.id, "facebook", {"page": value})
    before = len(sandbox.received("facebook"))

    connections.change_settings(ada.id, "facebook", {"page": value})

    assert len(sandbox.received("facebook")) == before


@pytest.mark.parametrize(("kind", "error"), [("server_error", ProviderUnavailable), ("reset", NetworkError)])
def test_a_platform_that_cannot_be_asked_changes_no_choice(
    undecided: Connection, ada: User, sandbox: Sandbox, kind: str, error: type[PatchbayError]
) -> None:
    first, second = pages_of(undecided).values()
    connections.change_settings(ada.id, "facebook", {"page": first})
    sandbox.fault("facebook", kind, match="accounts", times=0)

    with pytest.raises(error):
        connections.change_settings(ada.id, "facebook", {"page": second})

    assert reread(undecided).settings["page"] == first


def test_choices_are_those_of_the_owner_and_of_a_connection_that_works(
    undecided: Connection, ada: User, cleo: User
) -> None:
    value = next(iter(pages_of(undecided).values()))

    with pytest.raises(Conflict):
        connections.change_settings(cleo.id, "facebook", {"page": value})
    with transaction():
        undecided.state = ConnectionState.RECONNECT_NEEDED
    with pytest.raises(GrantExpired):
        connections.change_settings(ada.id, "facebook", {"page": value})


def test_a_change_is_noted(undecided: Connection, ada: User) -> None:
    connections.change_settings(ada.id, "facebook", {"page": next(iter(pages_of(undecided).values()))})

    deeds = list(db.session.scalars(select(AuditEntry.action).where(AuditEntry.user_id == ada.id)))
    assert deeds[-1] == "settings_changed"


# -- lists that go on


@pytest.fixture
def wire(settings_for: Callable[..., Settings], app_for: Callable[[Settings], Flask]) -> Iterator[Wire]:
    """A platform that says what it is told."""
    with listening() as wire:
        app_for(settings_for(SANDBOX_URL=wire.url))
        yield wire


@pytest.fixture
def told(wire: Wire, ada: User) -> Connection:
    """Ada's connection to that platform."""
    return stored(ada, "facebook")


def stored(user: User, integration_id: str, **settings: str) -> Connection:
    now = clock.now()
    connection = Connection(
        id=new_id("con"), user_id=user.id, integration_id=integration_id, state=ConnectionState.CONNECTED,
        account_id="1", account_label="ada", scopes=[], is_sandbox=True, settings=settings, setting_labels={},
        token_version=1, connected_at=now, created_at=now, updated_at=now,
    )  # fmt: skip
    connection.access_token = "the-token"
    with transaction() as session:
        session.add(connection)
    return connection


def some_pages(*numbers: int, after: str | None = None) -> Said:
    paging = {"cursors": {"after": after}, "next": "https://graph.facebook.com/more"} if after else {}
    nodes = [{"id": str(number), "name": f"Page {number}", "tasks": ["CREATE_CONTENT"]} for number in numbers]
    return Said(body={"data": nodes, "paging": paging})


def cursors_in(wire: Wire) -> list[str | None]:
    return [dict(parse_qsl(urlsplit(asked.path).query)).get("after") for asked in wire.received]


def test_options_come_page_by_page(told: Connection, wire: Wire) -> None:
    wire.say(some_pages(1, 2, after="two"), some_pages(3))

    first = connections.offer(told, PAGE)
    second = connections.offer(told, PAGE, cursor=first.next_cursor)

    assert first.options == (Option("1", "Page 1"), Option("2", "Page 2"))
    assert (first.next_cursor, second.next_cursor) == ("two", None)
    assert [option.value for option in second.options] == ["3"]
    assert cursors_in(wire) == [None, "two"]


def test_a_value_is_looked_for_on_all_pages(told: Connection, wire: Wire, ada: User) -> None:
    wire.say(some_pages(1, after="one"), some_pages(after="none"), some_pages(3))

    connections.change_settings(ada.id, "facebook", {"page": "3"})

    assert reread(told).setting_labels == {"page": "Page 3"}
    assert cursors_in(wire) == [None, "one", "none"]


def test_a_list_without_end_is_looked_through_for_a_while(told: Connection, wire: Wire, ada: User) -> None:
    wire.say(*(some_pages(number, after=str(number)) for number in range(100)))

    with pytest.raises(Invalid):
        connections.change_settings(ada.id, "facebook", {"page": "99"})

    assert len(wire.received) == choices.PAGES_SEARCHED


@pytest.mark.parametrize(
    ("answer", "chosen"),
    [
        (some_pages(7), "7"),
        (some_pages(7, after="more"), None),
        (some_pages(), None),
        (some_pages(7, 8), None),
        (Said(body={"data": 7}), None),
        (Said(body=b"<!doctype html>"), None),
        (Said(403, {"error": {"code": 200, "message": "no"}}), None),
    ],
)
def test_only_what_is_surely_alone_is_chosen(told: Connection, wire: Wire, answer: Said, chosen: str | None) -> None:
    wire.say(answer)

    connections.choose_what_is_alone(told)

    assert reread(told).settings.get("page") == chosen


# -- a choice that needs another


def shelves(api: Api, values: Mapping[str, Any]) -> dict[str, Any]:
    return {"shelves": [{"id": f"{values['room']}-{number}"} for number in api.settings["counts"][values["room"]]]}


def rooms(api: Api, _values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "rooms": [{"id": room, "name": room.upper(), "pictures": ["https://a", "b"]} for room in api.settings["counts"]]
    }


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Provider:
    """A platform with shelves in rooms: what is in which room stands in the connection's settings (`counts`)."""
    room = Field("room", "Room", pick=Pick("list_rooms", "rooms", picture="pictures"))
    made = replace(
        providers.get("dropbox"),
        settings=(room, Field("shelf", "Shelf", pick=Pick("list_shelves", "shelves", needs=("room",)))),
        operations=(
            Action("list_rooms", "Rooms", rooms, is_read_only=True),
            Action("list_shelves", "Shelves", shelves, (Field("room", "Room"),), is_read_only=True),
            Action("look", "Look", lambda api, _: {"found": api.settings["shelf"]}, is_read_only=True),
        ),
    )
    monkeypatch.setitem(providers._by_key(), "dropbox", made)
    return made


def in_library(user: User, **counts: list[int]) -> Connection:
    connection = stored(user, "dropbox")
    with transaction():
        connection.settings = {"counts": counts}
    return connection


@pytest.mark.usefixtures("library")
def test_a_choice_is_offered_for_the_one_that_it_needs(ada: User) -> None:
    connection = in_library(ada, one=[1, 2], two=[3])
    pick = Pick("list_shelves", "shelves", needs=("room",))

    found = connections.offer(connection, pick, given={"room": "two", "other": "x"})

    assert found.options == (Option("two-3", "two-3"),)
    with pytest.raises(Invalid):
        connections.offer(connection, pick)


@pytest.mark.usefixtures("library")
def test_what_is_alone_behind_what_is_alone_is_chosen_too(ada: User) -> None:
    connection = in_library(ada, one=[1])

    connections.choose_what_is_alone(connection)

    settings = reread(connection).settings
    assert (settings["room"], settings["shelf"]) == ("one", "one-1")
    assert connections.ask(ada.id, "dropbox", "look", {}) == {"found": "one-1"}


@pytest.mark.usefixtures("library")
def test_of_two_choices_the_open_one_still_stops(ada: User) -> None:
    connection = in_library(ada, one=[1, 2])

    connections.choose_what_is_alone(connection)

    assert open_choices(connection) == ["shelf"]
    assert connections.ask(ada.id, "dropbox", "list_rooms", {})["rooms"]
    with pytest.raises(Conflict):
        connections.ask(ada.id, "dropbox", "look", {})


@pytest.mark.usefixtures("library")
def test_a_value_must_go_with_the_one_that_it_needs(ada: User) -> None:
    in_library(ada, one=[1], two=[2])
    connections.change_settings(ada.id, "dropbox", {"room": "one", "shelf": "one-1"})

    with pytest.raises(Invalid) as refused:
        connections.change_settings(ada.id, "dropbox", {"room": "two", "shelf": "one-1"})

    assert set(refused.value.fields) == {"shelf"}
    assert connections.connected(ada.id, "dropbox").settings["room"] == "one"


@pytest.mark.usefixtures("library")
def test_an_option_has_a_label_and_the_first_of_its_pictures(ada: User) -> None:
    connection = in_library(ada, one=[1])

    found = connections.offer(connection, Pick("list_rooms", "rooms", picture="pictures"))

    assert found.options == (Option("one", "ONE", "https://a"),)
