"""Figma's webhooks as the sandbox makes and delivers them."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests import wire
from tests.stage import wait_until
from tests.wire import Said, Wire

HARBOUR = "fKsq1Harbour8RdTz3Wm0x"
PASSCODE = "a passcode of the receiver's own"


@pytest.fixture
def receiver() -> Iterator[Wire]:
    with wire.listening() as listening:
        listening.say(Said(200))
        yield listening


class Hooks:
    """The webhook calls, as Ada."""

    def __init__(self, url: str, scopes: str = "webhooks:read webhooks:write") -> None:
        self._url = url
        answer = requests.post(f"{url}/_sandbox/figma/token", json={"scopes": scopes}, timeout=10)
        self._headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}

    def call(self, method: str, path: str = "", **named: Any) -> requests.Response:
        address = f"{self._url}/api.figma.com/v2/webhooks{path}"
        return requests.request(method, address, headers=self._headers, timeout=10, **named)

    def make(self, endpoint: str, **changed: Any) -> requests.Response:
        body = {
            "event_type": "FILE_UPDATE",
            "context": "file",
            "context_id": HARBOUR,
            "endpoint": endpoint,
            "passcode": PASSCODE,
        }
        return self.call("POST", json=body | changed)

    def announce(self) -> int:
        wanted = {"event": "FILE_UPDATE", "file": HARBOUR}
        told: int = requests.post(f"{self._url}/_sandbox/figma/events", json=wanted, timeout=10).json()["told"]
        return told


def bodies(receiver: Wire) -> list[dict[str, Any]]:
    return [json.loads(received.body) for received in receiver.received]


def test_a_new_webhook_is_pinged_with_its_passcode(url: str, receiver: Wire) -> None:
    made = Hooks(url).make(f"{receiver.url}/in").json()

    wait_until(lambda: len(receiver.received) == 1)
    (ping,) = bodies(receiver)
    assert (ping["event_type"], ping["passcode"], ping["webhook_id"]) == ("PING", PASSCODE, made["id"])
    assert made["passcode"] == ""


def test_a_paused_one_is_not(url: str, receiver: Wire) -> None:
    hooks = Hooks(url)
    hooks.make(f"{receiver.url}/in", status="PAUSED")

    assert hooks.announce() == 0
    assert receiver.received == []


@pytest.mark.parametrize(
    ("context", "context_id"), [("file", HARBOUR), ("project", "58210044"), ("team", "1204879330016258113")]
)
def test_an_event_reaches_file_project_and_team(url: str, receiver: Wire, context: str, context_id: str) -> None:
    hooks = Hooks(url)
    hooks.make(f"{receiver.url}/in", context=context, context_id=context_id)
    wait_until(lambda: len(receiver.received) == 1)

    told = hooks.announce()

    update = bodies(receiver)[-1]
    assert told == 1
    assert (update["event_type"], update["file_key"], update["passcode"]) == ("FILE_UPDATE", HARBOUR, PASSCODE)


def test_answering_400_stops_it(url: str, receiver: Wire) -> None:
    hooks = Hooks(url)
    made = hooks.make(f"{receiver.url}/in").json()
    wait_until(lambda: len(receiver.received) == 1)
    receiver.say(Said(400))

    told = [hooks.announce(), hooks.announce()]

    assert told == [1, 0]
    assert hooks.call("GET", f"/{made['id']}").json()["status"] == "PAUSED"


def test_deliveries_of_the_last_time_can_be_read(url: str, receiver: Wire) -> None:
    hooks = Hooks(url)
    made = hooks.make(f"{receiver.url}/in").json()
    wait_until(lambda: len(hooks.call("GET", f"/{made['id']}/requests").json()["requests"]) == 1)
    receiver.say(Said(drop=True))
    hooks.announce()

    ping, update = hooks.call("GET", f"/{made['id']}/requests").json()["requests"]

    assert (ping["response_info"]["status"], ping["error_msg"]) == ("200", None)
    assert (update["response_info"], update["request_info"]["payload"]["event_type"]) == (None, "FILE_UPDATE")
    assert update["error_msg"]
    assert PASSCODE not in json.dumps([ping, update])


def test_a_webhook_can_be_listed_changed_and_deleted(url: str, receiver: Wire) -> None:
    hooks = Hooks(url)
    made = hooks.make(f"{receiver.url}/in", status="PAUSED").json()
    place = {"context": "file", "context_id": HARBOUR}

    changed = hooks.call("PUT", f"/{made['id']}", json={"description": "for mockups"}).json()
    listed = hooks.call("GET", params=place).json()["webhooks"]
    hooks.call("DELETE", f"/{made['id']}")

    assert listed == [changed]
    assert changed["description"] == "for mockups"
    assert hooks.call("GET", f"/{made['id']}").status_code == 404
    assert hooks.call("GET", params=place).json()["webhooks"] == []


def test_the_state_tells_no_passcode(url: str, receiver: Wire) -> None:
    Hooks(url).make(f"{receiver.url}/in", status="PAUSED")

    state = requests.get(f"{url}/_sandbox/figma/state", params={"collection": "webhooks"}, timeout=10)

    assert state.json()["total"] == 1
    assert PASSCODE not in state.text


def test_a_file_takes_three(url: str, receiver: Wire) -> None:
    hooks = Hooks(url)

    statuses = [hooks.make(f"{receiver.url}/in", status="PAUSED").status_code for _ in range(4)]

    assert statuses == [200, 200, 200, 400]


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"event_type": "RAIN"}, 400),
        ({"context": "planet"}, 400),
        ({"passcode": ""}, 400),
        ({"passcode": "p" * 101}, 400),
        ({"endpoint": "https://elsewhere.example/"}, 400),
        ({"status": "ASLEEP"}, 400),
        ({"context_id": "NoSuchFile"}, 403),
    ],
)
def test_a_senseless_webhook_is_refused(url: str, changed: dict[str, str], status: int) -> None:
    assert Hooks(url).make(changed.pop("endpoint", "http://127.0.0.1:9/in"), **changed).status_code == status


def test_making_wants_another_scope_than_reading(url: str) -> None:
    answer = Hooks(url, "webhooks:read").make("http://127.0.0.1:9/in")

    assert answer.status_code == 403
    assert answer.json()["err"].endswith("requires the webhooks:write scope")


def test_a_list_wants_a_place(url: str) -> None:
    answer = Hooks(url).call("GET")

    assert (answer.status_code, answer.json()["error"]) == (400, True)


def test_a_body_that_is_no_json_is_refused(url: str) -> None:
    assert Hooks(url).call("POST", data=b"{").status_code == 400
