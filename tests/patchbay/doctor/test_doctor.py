"""What the doctor finds where something is wrong: the fault, and what to do about it."""

import socket
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from types import SimpleNamespace

import pytest
import responses
from cryptography.fernet import Fernet
from sqlalchemy import text

from patchbay import clock, doctor, health, vault
from patchbay.doctor import Finding, Level
from patchbay.models import User, db, transaction
from patchbay.settings import LiveCredentials, Settings, use
from patchbay.settings.mail import Mail, MailTls
from tests.servers import RedisServer, free_port
from tests.stage import Walker

DATABASES = ("sqlite",)  # what differs with the database is in `test_isolation` and `test_sound`
pytestmark = pytest.mark.usefixtures("context")


@contextmanager
def listening() -> Iterator[int]:
    """A port that another program listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@contextmanager
def patchbay_on_a_port(status: int, checks: str) -> Iterator[int]:
    """A hub as far as the doctor asks one."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = f'{{"status": "ok", "checks": {checks}}}'.encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Answers)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(name="settings")
def _settings(settings_for: Callable[..., Settings]) -> Settings:
    return settings_for(PORT=str(free_port()), SANDBOX_PORT=str(free_port()))


def found(here: Settings, name: str) -> list[Finding]:
    return [finding for finding in doctor.examine(here) if finding.name == name]


def the(here: Settings, name: str) -> Finding:
    (finding,) = found(here, name)
    return finding


def test_keys_that_others_can_read_are_found(settings: Settings) -> None:
    key = settings.home / "keys" / "vault_keys"
    key.write_text("a key")
    key.chmod(0o644)

    finding = the(settings, "keys")

    assert (finding.level, f"chmod 600 {key}" in finding.advice) == (Level.FAIL, True)


def test_an_empty_key_is_found(settings: Settings) -> None:
    (settings.home / "keys" / "secret_key").touch(mode=0o600)

    assert "is empty" in the(settings, "keys").text


def test_a_home_that_others_can_read_is_doubtful(settings: Settings) -> None:
    settings.home.chmod(0o755)

    assert the(settings, "home").level is Level.WARN


def test_a_full_disk_is_found(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=2**20))

    assert the(settings, "disk").level is Level.FAIL


def test_a_database_without_tables_is_found_and_the_rest_examined(settings: Settings, tmp_path: Path) -> None:
    empty = replace(settings, database_url=f"sqlite:///{tmp_path / 'empty.sqlite3'}")

    assert "holds no tables yet" in the(empty, "schema").text
    assert the(empty, "disk").level is Level.OK


def test_a_database_of_a_later_version_is_found(settings: Settings) -> None:
    with transaction() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    finding = the(settings, "schema")

    assert (finding.level, "newer than this code" in finding.text) == (Level.FAIL, True)


def test_a_row_that_hangs_on_none_is_found(settings: Settings) -> None:
    file = settings.database_url.removeprefix("sqlite:///")
    with sqlite3.connect(file) as connection:
        connection.execute(
            "INSERT INTO contacts (connection_id, operation, user_id) VALUES ('con_gone', 'import', 'usr_gone')"
        )
    connection.close()

    finding = the(settings, "integrity")

    assert (finding.level, "contacts" in finding.text) == (Level.FAIL, True)


def test_a_damaged_file_is_found(settings: Settings) -> None:
    file = Path(settings.database_url.removeprefix("sqlite:///"))
    db.session.remove()
    db.engine.dispose()
    content = bytearray(file.read_bytes())
    content[4096 * 3 : 4096 * 6] = b"\xff" * (4096 * 3)
    file.write_bytes(bytes(content))

    finding = the(settings, "integrity")

    assert finding.level is Level.FAIL


def test_secrets_that_no_key_opens_are_found_without_being_told(settings: Settings, connect: Walker, ada: User) -> None:
    connect(ada, "google-drive")
    well = the(settings, "secrets")
    vault.use(vault.Vault([Fernet.generate_key().decode()]))

    finding = the(settings, "secrets")

    assert well.level is Level.OK
    assert finding.level is Level.FAIL
    assert "opened by no key, such as user_integrations." in finding.text
    assert "gAAAA" not in finding.text


def test_secrets_of_an_older_key_are_doubtful(settings: Settings, connect: Walker, ada: User) -> None:
    connect(ada, "google-drive")
    vault.use(vault.Vault([Fernet.generate_key().decode(), *settings.vault_keys]))

    finding = the(settings, "secrets")

    assert (finding.level, "flask vault rotate" in finding.advice) == (Level.WARN, True)


def test_another_program_on_the_port_is_found(settings: Settings) -> None:
    with listening() as port:
        finding = the(replace(settings, port=port), "ports")

    assert (finding.level, "set PORT" in finding.advice) == (Level.FAIL, True)


def test_a_hub_that_runs_is_recognised(settings: Settings) -> None:
    health.beat("worker-1")
    health.beat("clock")
    with patchbay_on_a_port(200, '{"database": "ok", "queue": "ok", "workers": "ok", "scheduler": "ok"}') as port:
        here = replace(settings, port=port)
        ports, workers = the(here, "ports"), the(here, "workers")

    assert (ports.level, workers.level) == (Level.OK, Level.OK)
    assert f"answers on port {port}" in ports.text


def test_a_hub_that_runs_by_half_is_a_fault(settings: Settings) -> None:
    with patchbay_on_a_port(503, '{"workers": "no worker gives signs of life"}') as port:
        here = replace(settings, port=port)
        ports, workers = the(here, "ports"), the(here, "workers")

    assert (ports.level, workers.level) == (Level.FAIL, Level.FAIL)


def test_a_hub_that_is_stopped_is_no_fault(settings: Settings) -> None:
    assert the(settings, "workers").level is Level.WARN
    assert the(settings, "ports").level is Level.WARN


def test_a_redis_that_does_not_answer_is_found(settings: Settings, redis_server: RedisServer) -> None:
    redis_server.stop()

    finding = the(replace(settings, redis_url="redis://elsewhere"), "redis")

    assert (finding.level, "REDIS_URL" in finding.advice) == (Level.FAIL, True)


@pytest.mark.parametrize(
    ("public_url", "levels"),
    [
        ("http://127.0.0.1:8000", [Level.OK]),
        ("http://hub.example.com", [Level.FAIL]),
        ("https://hub.internal", [Level.WARN, Level.WARN]),
        ("https://hub.example.com", [Level.OK, Level.WARN]),
    ],
)
def test_the_public_address_is_judged(settings: Settings, public_url: str, levels: list[Level]) -> None:
    here = replace(settings, public_url=public_url, sandbox=False)

    assert [one.level for one in found(here, "public address")] == levels


def test_a_sandbox_that_others_reach_is_a_fault(settings: Settings) -> None:
    assert the(replace(settings, public_url="https://hub.example.com"), "sandbox").level is Level.FAIL


def test_without_sandbox_and_credentials_there_is_nothing_to_connect(settings: Settings) -> None:
    assert the(replace(settings, sandbox=False), "sandbox").level is Level.WARN


def test_a_redirect_uri_that_leads_elsewhere_is_found(settings: Settings) -> None:
    live = {"etsy": LiveCredentials("id", "secret", "https://old.example.com/integrations/callback")}
    here = replace(settings, live=live)
    use(here)

    finding = the(here, "redirects")

    assert (finding.level, "Etsy: https://old.example.com" in finding.text) == (Level.WARN, True)


def test_a_mail_server_that_does_not_answer_is_found_without_its_password(settings: Settings) -> None:
    server = Mail("127.0.0.1", free_port(), MailTls.NONE, "hub@example.org", "hub", "a mail password")

    finding = the(replace(settings, mail=server), "mail")

    assert (finding.level, "SMTP_URL" in finding.advice) == (Level.FAIL, True)
    assert "a mail password" not in f"{finding}"


@pytest.mark.parametrize(("ahead_s", "level"), [(2, Level.OK), (-90, Level.WARN), (3600, Level.FAIL)])
def test_a_clock_that_goes_wrong_is_found(settings: Settings, ahead_s: int, level: Level) -> None:
    here = replace(settings, live={"etsy": LiveCredentials("id", "secret")})
    theirs = format_datetime(clock.now() - timedelta(seconds=ahead_s), usegmt=True)

    with responses.RequestsMock() as etsy:
        etsy.add("HEAD", "https://api.etsy.com/v3/public/oauth/token", status=405, headers={"Date": theirs})
        finding = the(here, "clock")

    assert finding.level is level


def test_what_breaks_keeps_nothing_else_from_being_examined(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(_: Settings) -> Iterator[Finding]:
        raise RuntimeError("Bearer a-secret-that-nobody-shall-see")
        yield

    others = doctor.EXAMINATIONS[1:]
    monkeypatch.setattr(doctor, "EXAMINATIONS", (("home", break_down), *others))

    findings = list(doctor.examine(settings))

    assert "RuntimeError" in findings[0].text
    assert "a-secret" not in findings[0].text
    assert {one.name for one in findings[1:]} == {name for name, _ in others}
