"""Every address with somebody's id in it, asked for by somebody else: as if there were no such thing."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import requests
from sqlalchemy import select

from patchbay import alerts, clock
from patchbay.models import Alert, Clash, Export, ExportState, Winner, WireEntry, new_id, transaction
from tests.journeys.hubs import Browser, Hub, Person
from tests.journeys.pictures import mockup_of, uploaded_by

PERSONAL = {
    *("run_id", "asset_id", "record_id", "key_id", "user_id", "batch_id"),
    *("schedule_id", "alert_id", "export_id", "clash_id", "entry_id"),
}
OF_ALL = {"key", "platform", "name", "path", "token", "extension", "stream"}
# names of integrations, of what they can do, and of files; tokens that nobody can guess
SAID = {"/snooze": {"for": "hour"}, "/clashes/": {"winner": "local"}, "/api/records/rec_": {"data": {"title": "x"}}}
"""What is asked for in earnest, so that no form is refused before it is looked whose the thing is."""
HIDDEN = {403, 404}
DAILY = {"integrationId": "shopify", "operation": "import_products", "repeat": "hours", "every": 24}
ADAS_PAGE, BENS_PAGE = "104857201948377", "109314470083526"
SHUT = {401, 403, 404}


@dataclass(frozen=True)
class Owned:
    """Ada, and the ids of what is hers."""

    person: Person
    ids: dict[str, str]
    mockup_url: str


@pytest.fixture
def owned(hub: Hub) -> Owned:
    """Somebody with a connection, a run, records, pictures and keys."""
    ada = hub.newcomer()
    shop = f"owned-{ada.user_id[-8:].lower()}"
    ada.connect("shopify", shop=shop)
    hub.sandbox.generate("shopify", count=3, seed=1, shop=shop)
    run = ada.ended(ada.start("shopify", "import_products"))
    mockup = mockup_of(ada)
    (key,) = ada.asked("GET", "/api/keys")["data"]
    part = {"integrationId": "shopify", "operation": "get_products"}
    batch = ada.asked("POST", "/api/batches", json={"parts": [part]})
    ada.ended(batch["parts"][0]["runId"])
    ids = {
        "run_id": run["id"],
        "asset_id": mockup["id"],
        "record_id": ada.records()[0]["id"],
        "key_id": key["id"],
        "batch_id": batch["id"],
        "user_id": ada.user_id,
        "schedule_id": ada.asked("POST", "/api/schedules", json=DAILY)["id"],
        **_planted(hub, ada, run["id"], ada.records()[0]["id"]),
    }
    return Owned(ada, ids, mockup["url"])


def _planted(hub: Hub, ada: Person, run_id: str, record_id: str) -> dict[str, str]:
    """The ids of what comes about by accident or with time: an alert, an archive, a clash, a request."""
    now = clock.now()
    values = {"field": "title", "local_value": "x", "remote_value": "y", "winner": Winner.OPEN, "created_at": now}
    clash = Clash(id=new_id("cla"), user_id=ada.user_id, record_id=record_id, run_id=run_id, **values)
    state = {"state": ExportState.FAILED, "created_at": now, "expires_at": now + timedelta(days=7)}
    export = Export(id=new_id("exp"), user_id=ada.user_id, **state)
    with hub.app.app_context(), transaction() as session:
        session.add_all([clash, export])
        alerts.raise_alert(alerts.Kind.RUN_STUCK, user_id=ada.user_id, subject_id=run_id)
        session.flush()  # the alert is looked for
        alert_id = session.scalars(select(Alert.id).where(Alert.user_id == ada.user_id)).one()
        entry_id = session.scalars(select(WireEntry.id).where(WireEntry.user_id == ada.user_id)).first()
    return {"alert_id": alert_id, "export_id": export.id, "clash_id": clash.id, "entry_id": str(entry_id)}


def test_every_rule_says_whose_its_parts_are(hub: Hub) -> None:
    parts = {part for rule in hub.app.url_map.iter_rules() for part in rule.arguments}

    assert parts <= PERSONAL | OF_ALL, "a new kind of part: say here whether it names what belongs to one user"
    assert parts >= PERSONAL


def test_a_strangers_key_finds_nothing_at_any_address(hub: Hub, owned: Owned) -> None:
    stranger = hub.newcomer()

    answers = {call: stranger.call(*call, **_said(*call)) for call in _personal_calls(hub, owned)}

    assert {call: answer.status_code for call, answer in answers.items() if answer.status_code not in HIDDEN} == {}
    assert not any(_tells(answer, owned) for answer in answers.values())
    _assert_untouched(owned)


def test_a_strangers_session_finds_nothing_at_any_address(hub: Hub, owned: Owned) -> None:
    browser = Browser(hub.newcomer())

    answers = {call: browser.call(*call, **_said(*call)) for call in _personal_calls(hub, owned)}

    assert {call: answer.status_code for call, answer in answers.items() if answer.status_code not in HIDDEN} == {}
    assert not any(_tells(answer, owned) for answer in answers.values())
    _assert_untouched(owned)


def test_nobody_gets_in_at_any_address(hub: Hub, owned: Owned) -> None:
    answers = {
        call: requests.request(call[0], hub.url + call[1], allow_redirects=False, timeout=30)
        for call in _personal_calls(hub, owned)
    }

    for call, answer in answers.items():
        is_sent_to_sign_in = answer.status_code in {302, 303} and "/login" in answer.headers["Location"]
        assert is_sent_to_sign_in or answer.status_code in SHUT, f"{call}: {answer.status_code}"
    _assert_untouched(owned)


def test_an_id_in_a_body_or_a_query_does_not_open_what_is_anothers(hub: Hub, owned: Owned) -> None:
    stranger = hub.newcomer()
    design, template = uploaded_by(owned.person), stranger.asked("GET", "/api/templates")["data"][0]

    made = stranger.call("POST", "/api/mockups", json={"designId": design["id"], "templateId": template["id"]})
    as_other = stranger.call("POST", "/api/integrations/list", json={"userId": owned.person.user_id})
    synced = stranger.sync("shopify", "import_products", wait=0)

    assert made.status_code in {404, 422}
    assert as_other.status_code == 403
    assert synced.status_code == 409
    assert stranger.records(integrationId="shopify") == []
    assert stranger.asked("GET", "/api/runs")["data"] == []
    assert stranger.asked("GET", "/api/assets")["data"] == []


def test_anothers_pictures_go_nowhere_by_their_ids_or_their_addresses(hub: Hub, owned: Owned) -> None:
    stranger = hub.newcomer()
    stranger.connect("google-drive")
    browser, asset_id = Browser(stranger), owned.ids["asset_id"]
    by_id = {"do": "now", "mockupUrls": asset_id}
    by_address = {
        "integrationId": "google-drive",
        "operation": "upload_file",
        "data": {"mockupUrls": [owned.mockup_url]},
    }

    answers = [
        browser.call("POST", "/integrations/google-drive/do/upload_file", data=by_id),
        browser.call("POST", f"/mockups/{asset_id}/send", data={"do": "now", "place": "google-drive"}),
        stranger.sync("google-drive", "upload_file", mockupUrls=[owned.mockup_url]),
    ]
    batch = stranger.asked("POST", "/api/batches", json={"parts": [by_address]})

    assert [answer.status_code for answer in answers] == [422, 404, 422]
    assert not any(_tells(answer, owned) for answer in answers)
    assert [part["status"] for part in batch["parts"]] == ["failed"]
    assert stranger.asked("GET", "/api/runs")["data"] == []
    assert not any("Design" in file["name"] for file in hub.sandbox.state("google-drive", "files"))


def test_a_choice_must_be_among_what_the_own_account_has(hub: Hub) -> None:
    stranger = hub.newcomer()
    unconnected = _chosen(stranger, BENS_PAGE)
    stranger.connect("facebook")

    foreign = _chosen(stranger, BENS_PAGE)

    assert unconnected.status_code == 409
    assert foreign.status_code == 422
    assert set(foreign.json()["fields"]) == {"page"}
    assert _chosen(stranger, ADAS_PAGE).status_code == 200


def test_a_signed_address_with_one_character_changed_opens_nothing(hub: Hub, owned: Owned) -> None:
    address = owned.mockup_url
    head, token, extension = _taken_apart(address)

    good = requests.get(address, timeout=30)
    for changed in (token[:-1] + ("A" if token[-1] != "A" else "B"), token[1:], token[::-1], "x"):
        assert requests.get(f"{head}{changed}{extension}", timeout=30).status_code in {403, 404, 410}

    assert good.status_code == 200
    assert good.headers["Content-Type"].startswith("image/")


def _personal_calls(hub: Hub, owned: Owned) -> Iterator[tuple[str, str]]:
    """Method and path of each rule that names something of one user's, with Ada's ids."""
    for rule in hub.app.url_map.iter_rules():
        if rule.arguments & PERSONAL:
            path = re.sub(r"<(?:\w+:)?(\w+)>", lambda part: owned.ids[part[1]], rule.rule)
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield method, path


def _said(method: str, path: str) -> dict[str, Any]:
    words = next((words for part, words in SAID.items() if part in path and method in {"POST", "PATCH"}), None)
    return {} if words is None else {"json" if path.startswith("/api/") else "data": words}


def _chosen(person: Person, page: str) -> requests.Response:
    body = {"integrationId": "facebook", "settings": {"page": page}}
    return person.call("POST", "/api/integrations/settings", json=body)


def _tells(answer: requests.Response, owned: Owned) -> bool:
    return owned.person.email in answer.text or "Design no." in answer.text


def _assert_untouched(owned: Owned) -> None:
    ada = owned.person
    assert ada.run(owned.ids["run_id"])["status"] == "succeeded"
    assert len(ada.asked("GET", "/api/runs")["data"]) == 2
    assert [key["revokedAt"] for key in ada.asked("GET", "/api/keys")["data"]] == [None]
    assert len(ada.asked("GET", "/api/assets")["data"]) == 2
    assert ada.card("shopify")["isConnected"] is True


def _taken_apart(address: str) -> tuple[str, str, str]:
    head, _, name = address.rpartition("/")
    token, _, extension = name.rpartition(".")
    return f"{head}/", token, f".{extension}"
