"""Every address with somebody's id in it, asked for by somebody else: as if there were no such thing."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import requests

from tests.journeys.hubs import Browser, Hub, Person
from tests.journeys.pictures import mockup_of, uploaded_by

PERSONAL = {"run_id", "asset_id", "record_id", "key_id", "user_id", "batch_id"}
OF_ALL = {
    "key",
    "platform",
    "path",
    "token",
    "extension",
}  # names of integrations and files; tokens that nobody can guess
HIDDEN = {403, 404}
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
    ids = {
        "run_id": run["id"],
        "asset_id": mockup["id"],
        "record_id": ada.records()[0]["id"],
        "key_id": key["id"],
        "batch_id": batch["id"],
        "user_id": ada.user_id,
    }
    return Owned(ada, ids, mockup["url"])


def test_every_rule_says_whose_its_parts_are(hub: Hub) -> None:
    parts = {part for rule in hub.app.url_map.iter_rules() for part in rule.arguments}

    assert parts <= PERSONAL | OF_ALL, "a new kind of part: say here whether it names what belongs to one user"
    assert parts >= PERSONAL


def test_a_strangers_key_finds_nothing_at_any_address(hub: Hub, owned: Owned) -> None:
    stranger = hub.newcomer()

    answers = {call: stranger.call(*call) for call in _personal_calls(hub, owned)}

    assert {call: answer.status_code for call, answer in answers.items() if answer.status_code not in HIDDEN} == {}
    assert not any(_tells(answer, owned) for answer in answers.values())
    _assert_untouched(owned)


def test_a_strangers_session_finds_nothing_at_any_address(hub: Hub, owned: Owned) -> None:
    browser = Browser(hub.newcomer())

    answers = {call: browser.call(*call) for call in _personal_calls(hub, owned)}

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


def _tells(answer: requests.Response, owned: Owned) -> bool:
    return owned.person.email in answer.text or "Design no." in answer.text


def _assert_untouched(owned: Owned) -> None:
    ada = owned.person
    assert ada.run(owned.ids["run_id"])["status"] == "succeeded"
    assert len(ada.asked("GET", "/api/runs")["data"]) == 1
    assert [key["revokedAt"] for key in ada.asked("GET", "/api/keys")["data"]] == [None]
    assert len(ada.asked("GET", "/api/assets")["data"]) == 2
    assert ada.card("shopify")["isConnected"] is True


def _taken_apart(address: str) -> tuple[str, str, str]:
    head, _, name = address.rpartition("/")
    token, _, extension = name.rpartition(".")
    return f"{head}/", token, f".{extension}"
