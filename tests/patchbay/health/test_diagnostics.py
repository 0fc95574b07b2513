"""The diagnostics file: it tells how things are to whoever is asked for help, and nothing that opens anything."""

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import update

from patchbay import health, runs
from patchbay.models import Connection, LogLevel, Run, RunLog, RunStatus, Trigger, User, db, transaction
from patchbay.settings import LiveCredentials, Settings
from tests.stage import FrozenClock, Queue, Walker

pytestmark = pytest.mark.usefixtures("context")

PLANTED = {
    "METRICS_TOKEN": "planted-metrics-token-4711",
    "DEMO_PASSWORD": "planted-demo-password-4711",
    "ETSY_CLIENT_ID": "planted-client-id-4711",
    "ETSY_CLIENT_SECRET": "planted-client-secret-4711",
    "SMTP_URL": "smtp://hub:planted-mail-password-4711@mail.example.org",
    "MAIL_FROM": "hub@example.org",
}
ACCESS, REFRESH = "shpat_planted0access0token0of0the0shop", "shprt_planted0refresh0token0of0the0shop"


@pytest.fixture(name="settings")
def _settings(settings_for: Callable[..., Settings]) -> Settings:
    return settings_for(**PLANTED)


@pytest.fixture
def shop(frozen_clock: FrozenClock, connect: Walker, ada: User) -> Connection:
    connection = connect(ada, "shopify", shop="demo-shop")
    with transaction() as session:
        row = session.get_one(Connection, connection.id)
        row.access_token, row.refresh_token = ACCESS, REFRESH
    return connection


def files_in(content: bytes) -> dict[str, Any]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: json.loads(archive.read(name)) for name in archive.namelist()}


def planted_run(user: User) -> Run:
    """A run in every text of which somebody left a secret."""
    run = runs.start(user.id, "shopify", "import_products", {}, Trigger.API)
    spilt = f"HTTP 401 Authorization: Bearer {ACCESS}; see https://shop.example/?access_token={REFRESH}"
    with transaction() as session:
        session.execute(
            update(Run)
            .where(Run.id == run.id)
            .values(
                status=RunStatus.FAILED, error_kind="PlatformError", error_detail=spilt, open_key=None,
                memo={"uploadUrl": ACCESS}, input={"note": REFRESH}, result={"token": ACCESS},
            )
        )  # fmt: skip
        session.add(
            RunLog(run_id=run.id, at=run.created_at, level=LogLevel.ERROR, message=spilt, params={"token": ACCESS})
        )
    return runs.get(user.id, run.id)


def test_no_secret_is_in_the_file_wherever_it_was_left(ada: User, shop: Connection, settings: Settings) -> None:
    run = planted_run(ada)
    secrets = [
        *(text for name, text in PLANTED.items() if name not in {"SMTP_URL", "MAIL_FROM", "ETSY_CLIENT_ID"}),
        "planted-mail-password-4711", ACCESS, REFRESH, settings.secret_key, *settings.vault_keys,
        db.session.get_one(Connection, shop.id).access_token_sealed or "",
    ]  # fmt: skip

    for content in (health.bundle(ada), health.bundle(ada, run)):
        text = json.dumps(files_in(content))
        assert [secret for secret in secrets if secret in text] == []


def test_it_does_not_say_whose_accounts_they_are(ada: User, shop: Connection, queue: Queue) -> None:
    runs.start(ada.id, "shopify", "import_products", {}, Trigger.API)
    queue.run_all()

    text = json.dumps(files_in(health.bundle(ada)))

    assert [one for one in (ada.email, shop.account_id, shop.account_label) if one in text] == []


def test_it_tells_how_things_are(ada: User, shop: Connection) -> None:
    run = planted_run(ada)

    files = files_in(health.bundle(ada))

    (connection,) = files["connections.json"]
    assert (connection["connectionState"], connection["health"]) == ("connected", "waiting")
    assert (connection["hasAccess"], connection["canRenew"]) == (True, True)
    assert files["runs.json"][0]["error"] == "PlatformError"
    assert files[f"logs/{run.id}.json"][0]["level"] == "error"
    assert files["checks.json"]["database"] == "ok"
    assert files["about.json"]["database"] in {"sqlite", "postgresql"}


def test_one_run_is_told_alone(ada: User, shop: Connection, queue: Queue) -> None:
    first = planted_run(ada)
    runs.start(ada.id, "shopify", "import_products", {}, Trigger.API)
    queue.run_all()

    files = files_in(health.bundle(ada, first))

    assert [one["id"] for one in files["runs.json"]] == [first.id]
    assert [name for name in files if name.startswith("logs/")] == [f"logs/{first.id}.json"]


def test_settings_are_for_administrators(ada: User, ben: User, settings: Settings) -> None:
    health.beat("clock")

    of_an_admin, of_a_member = files_in(health.bundle(ada)), files_in(health.bundle(ben))

    assert of_an_admin["installation.json"]["settings"]["public_url"] == settings.public_url
    assert "clock" in of_an_admin["installation.json"]["heartbeats"]
    assert "installation.json" not in of_a_member


def test_nothing_of_another_s_is_in_it(cleo: User, ada: User, shop: Connection) -> None:
    run = planted_run(ada)

    text = json.dumps(files_in(health.bundle(cleo)))

    assert shop.id not in text
    assert run.id not in text


def test_credentials_that_are_live_stay_out(settings: Settings, ada: User) -> None:
    assert isinstance(settings.live["etsy"], LiveCredentials)

    told = files_in(health.bundle(ada))["installation.json"]["settings"]

    assert "live" not in told
    assert "secret_key" not in told
