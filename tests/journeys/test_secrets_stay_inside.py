"""After a whole journey no token, code, key or password stands in plain text anywhere: files, output, pages, Redis."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import select

from patchbay.models import Connection, db
from tests.journeys.hubs import Browser, Hub, Person
from tests.journeys.pictures import mockup_of
from tests.journeys.test_strangers import PERSONAL

PLATFORMS_OWN = {"sandbox.sqlite3", "sandbox.sqlite3-wal", "sandbox.sqlite3-shm"}  # the platform knows its own tokens


@dataclass(frozen=True)
class Journey:
    """Who made it, and by name every secret that was handled on it."""

    person: Person
    secrets: dict[str, str] = field(repr=False)


@pytest.fixture(scope="module")
def journey(_running: Hub) -> Journey:
    """A journey through everything that handles secrets, faults included."""
    hub, ada = _running, _running.newcomer()
    hub.sandbox.generate("shopify", count=3, seed=1, shop="secretive")
    browser = Browser(ada)
    found = {"api key": ada.key, "password": ada.password, "csrf": browser.csrf}
    found["session cookie"] = str(browser.cookies["patchbay"])
    found |= {f"secret of the {name} app": f"sandbox-secret-{name}" for name in ("shopify", "google-drive")}
    for name, values in (("shopify", {"shop": "secretive"}), ("google-drive", {})):
        query = hub.sandbox.consent(ada.leave(name, **values))
        found |= {f"{name} {part}": query[part] for part in ("code", "state")}
        assert ada.come_back(query).status_code == 200
        found |= _tokens_of(hub, ada, name, "first")
    ada.ended(ada.start("shopify", "import_products"))
    ada.sync("google-drive", "upload_file", mockupUrls=[mockup_of(ada)["url"]])
    for name, operation in (("shopify", "get_products"), ("google-drive", "list_folders")):
        hub.sandbox.fault(name, "expired_token")
        assert ada.sync(name, operation).status_code == 200
        found |= _tokens_of(hub, ada, name, "refreshed")
    for kind in ("server_error", "malformed", "revoked_grant"):
        hub.sandbox.fault("shopify", kind, times=4)
        ada.sync("shopify", "get_products")
        hub.sandbox.clear_faults("shopify")
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
    for name in ("shopify", "google-drive"):
        assert secrets[f"{name} first access"] != secrets[f"{name} refreshed access"]
        assert secrets[f"{name} first refresh"]
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
        "key": "shopify",
    }
    for rule in hub.app.url_map.iter_rules():
        is_known = rule.arguments <= {*PERSONAL, "key"} and rule.arguments <= set(ids)
        if "GET" in (rule.methods or set()) and is_known and not rule.rule.endswith("/events"):
            yield re.sub(r"<(?:\w+:)?(\w+)>", lambda part: ids[part[1]], rule.rule)


def _secrets_in(content: bytes, secrets: dict[str, str]) -> list[str]:
    return [name for name, secret in secrets.items() if secret.encode() in content]


def _files_in(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_file()]


def _head(headers: object) -> bytes:
    return str(headers).encode()
