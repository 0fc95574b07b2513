"""After a whole journey no token, code, key or password stands in plain text anywhere: files, output, pages, Redis."""

import hashlib
import hmac
import re
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
import requests
from sqlalchemy import select

from patchbay import providers
from patchbay.models import Connection, db
from tests.journeys.hubs import Browser, Hub, Person
from tests.journeys.pictures import mockup_of

ALL: dict[str, dict[str, str]] = {
    "shopify": {"shop": "secretive"},
    "google-drive": {},
    "etsy": {},
    "woocommerce": {"store": "demo-store.example"},
    "figma": {},
    "canva": {},
    "dropbox": {},
    "instagram": {},
    "facebook": {},
}
PLATFORMS_OWN = {"sandbox.sqlite3", "sandbox.sqlite3-wal", "sandbox.sqlite3-shm"}  # the platform knows its own tokens


@dataclass(frozen=True)
class Journey:
    """Who made it, and by name every secret that was handled on it."""

    person: Person
    secrets: dict[str, str] = field(repr=False)


@pytest.fixture(scope="module")
def journey(_running: Hub) -> Journey:
    """A journey over all platforms and through everything that handles secrets, faults included."""
    hub, ada = _running, _running.newcomer()
    hub.sandbox.generate("shopify", count=3, seed=1, shop="secretive")
    browser = Browser(ada)
    found = {"api key": ada.key, "password": ada.password, "csrf": browser.csrf}
    found["session cookie"] = str(browser.cookies["patchbay"])
    found |= {f"secret of the {name} app": f"sandbox-secret-{name}" for name in ALL if name != "woocommerce"}
    for name, values in ALL.items():
        query = hub.sandbox.consent(ada.leave(name, **values))
        found |= {f"{name} {part}": query[part] for part in ("code", "state", "user_id") if part in query}
        assert ada.come_back(query).status_code == 200, name
        found |= _tokens_of(hub, ada, name, "first")
    found |= _derived(hub, found)
    _work_everywhere(ada)
    for name, operation in (("shopify", "get_products"), ("google-drive", "list_folders"), ("canva", "list_designs")):
        hub.sandbox.fault(name, "expired_token")
        assert ada.sync(name, operation).status_code == 200
        found |= _tokens_of(hub, ada, name, "refreshed")
    for name, operation in (("shopify", "get_products"), ("facebook", "list_pages"), ("woocommerce", "get_products")):
        for kind in ("server_error", "malformed", "revoked_grant"):
            hub.sandbox.fault(name, kind, times=4)
            ada.sync(name, operation)
            hub.sandbox.clear_faults(name)
    return Journey(ada, found)


@pytest.fixture
def secrets(journey: Journey) -> dict[str, str]:
    """By name."""
    return journey.secrets


@pytest.fixture
def traveller(journey: Journey) -> Person:
    """Who made the journey."""
    return journey.person


def test_the_journey_handled_tokens_of_every_kind(secrets: dict[str, str]) -> None:
    for name in ("shopify", "google-drive", "canva"):
        assert secrets[f"{name} first access"] != secrets[f"{name} refreshed access"]
        assert secrets[f"{name} first refresh"]
    assert {f"{name} first access" for name in ALL} <= set(secrets)
    assert secrets["woocommerce consumer secret"].startswith("cs_")
    assert all(len(secret) >= 12 for secret in secrets.values())


def test_no_file_of_the_home_holds_a_secret(hub: Hub, secrets: dict[str, str]) -> None:
    files = [path for path in hub.home.rglob("*") if path.is_file() and path.name not in PLATFORMS_OWN]

    holders = [(name, path.name) for path in files for name in _secrets_in(path.read_bytes(), secrets)]

    assert {"patchbay.sqlite3"} <= {path.name for path in files}
    assert holders == []


def test_keys_and_database_are_for_their_owner_alone(hub: Hub, secrets: dict[str, str]) -> None:
    for path in (hub.home, hub.home / "keys", *_files_in(hub.home / "keys")):
        assert path.stat().st_mode & 0o077 == 0, path


def test_no_line_of_output_holds_a_secret(hub: Hub, secrets: dict[str, str]) -> None:
    said = "\n".join(hub.lines).encode()

    assert b"Request answered" in said
    assert _secrets_in(said, secrets) == []


def test_redis_holds_no_secret(hub: Hub, secrets: dict[str, str]) -> None:
    with hub.redis() as redis:
        content = b"".join(key + (redis.dump(key) or b"") for key in redis.scan_iter())

    assert _secrets_in(content, secrets) == []


def test_no_page_and_no_answer_shows_a_secret(hub: Hub, secrets: dict[str, str], traveller: Person) -> None:
    browser = Browser(traveller)
    shown = {name: secret for name, secret in secrets.items() if name != "csrf"}

    answers = {path: browser.call("GET", path) for path in _readable(hub, traveller)}
    answers |= {f"key: {path}": traveller.call("GET", path) for path in _readable(hub, traveller)}

    assert sum(answer.status_code == 200 for answer in answers.values()) >= 30
    assert {path: answer.status_code for path, answer in answers.items() if answer.status_code >= 500} == {}
    leaks = {path: _secrets_in(answer.content + _head(answer.headers), shown) for path, answer in answers.items()}
    assert {path: names for path, names in leaks.items() if names} == {}


def _work_everywhere(ada: Person) -> None:
    """An import, and a batch that sends a mockup to all that take one."""
    ada.ended(ada.start("shopify", "import_products"))
    pictures = {"mockupUrls": [mockup_of(ada)["url"]]}
    product = ada.asked("GET", "/api/records")["data"][0]["externalId"]
    parts = [
        {"integrationId": "shopify", "operation": "publish_mockup", "data": {**pictures, "productId": product}},
        {"integrationId": "woocommerce", "operation": "publish_mockup", "data": {**pictures, "productId": "1"}},
        *(
            {"integrationId": name, "operation": "upload_file", "data": pictures}
            for name in ("google-drive", "dropbox")
        ),
        {"integrationId": "canva", "operation": "upload_asset", "data": pictures},
        *(
            {"integrationId": name, "operation": "publish_photo", "data": pictures}
            for name in ("instagram", "facebook")
        ),
    ]
    batch = ada.asked("POST", "/api/batches", json={"parts": parts})
    ended = [ada.ended(part["runId"])["status"] for part in batch["parts"]]
    assert ended == ["succeeded", "failed", *["succeeded"] * 5]


def _derived(hub: Hub, found: dict[str, str]) -> dict[str, str]:
    """What follows from the tokens: halves and forms of a pair of keys, Meta's proof, the token of a page."""
    key, secret = found["woocommerce first access"].split(":")
    token = found["facebook first access"]
    proof = hmac.new(b"sandbox-secret-facebook", token.encode(), hashlib.sha256).hexdigest()
    pages = requests.get(
        f"{hub.sandbox.url}/graph.facebook.com/v26.0/me/accounts",
        params={"access_token": token, "appsecret_proof": proof, "fields": "access_token"},
        timeout=30,
    ).json()["data"]
    return {
        "woocommerce consumer key": key,
        "woocommerce consumer secret": secret,
        "woocommerce header": b64encode(f"{key}:{secret}".encode()).decode(),
        "facebook proof": proof,
        "facebook page token": pages[0]["access_token"],
    }


def _tokens_of(hub: Hub, person: Person, integration: str, when: str) -> dict[str, str]:
    """The connection's tokens as the vault opens them."""
    with hub.app.app_context():
        connection = db.session.scalars(
            select(Connection).where(Connection.user_id == person.user_id, Connection.integration_id == integration)
        ).one()
        tokens = {"access": connection.access_token, "refresh": connection.refresh_token}
    return {f"{integration} {when} {kind}": token for kind, token in tokens.items() if token}


def _readable(hub: Hub, person: Person) -> Iterator[str]:
    """Every address that is read with GET, the person's own ids filled in."""
    ids = {
        "run_id": person.asked("GET", "/api/runs")["data"][0]["id"],
        "asset_id": person.asked("GET", "/api/assets")["data"][0]["id"],
        "record_id": person.records()[0]["id"],
        "batch_id": person.asked("GET", "/api/batches")["data"][0]["id"],
    }
    for rule in hub.app.url_map.iter_rules():
        if "GET" not in (rule.methods or set()) or rule.rule.endswith("/events"):
            continue
        for names in _named(rule.arguments):
            known = {**ids, **names}
            if rule.arguments <= set(known):
                yield re.sub(r"<(?:\w+:)?(\w+)>", partial(_filled_in, known), rule.rule)


def _filled_in(known: dict[str, str], part: re.Match[str]) -> str:
    return known[part[1]]


def _named(arguments: set[str]) -> list[dict[str, str]]:
    """Integrations and their operations, for a rule that has such parts."""
    if "name" in arguments:
        return [{"key": name, "name": one.name} for name in ALL for one in providers.get(name).operations]
    return [{"key": name} for name in ALL] if "key" in arguments else [{}]


def _secrets_in(content: bytes, secrets: dict[str, str]) -> list[str]:
    return [name for name, secret in secrets.items() if secret.encode() in content]


def _files_in(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_file()]


def _head(headers: object) -> bytes:
    return str(headers).encode()
