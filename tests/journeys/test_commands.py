"""The `flask` commands while the hub runs: what a script wants stands alone on stdout, all else on stderr."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from cryptography.fernet import Fernet

from tests.journeys.hubs import Browser, Hub, Person

KEY = re.compile(r"pb_[A-Za-z0-9_-]{30,}\n")


def test_a_made_password_stands_alone_and_signs_in(hub: Hub) -> None:
    done = hub.flask("users", "create", "grace@example.org")

    assert done.returncode == 0
    assert re.fullmatch(r"\S{12,}\n", done.stdout)
    assert done.stderr == "Made the account grace@example.org.\n"
    assert _signs_in(hub, "grace@example.org", done.stdout.strip())


def test_a_password_from_stdin_is_taken_and_never_shown(hub: Hub) -> None:
    password = "correct horse staple"

    done = hub.flask("users", "create", "joan@example.org", "--admin", "--password-stdin", given=f"{password}\n")

    assert done.returncode == 0
    assert done.stdout == ""
    assert "horse" not in done.stderr
    browser = _signs_in(hub, "joan@example.org", password)
    assert browser
    assert browser.call("GET", "/admin/users").status_code == 200


@pytest.mark.parametrize(
    ("words", "given"),
    [
        (["users", "create", "not an address"], ""),
        (["users", "create", "short@example.org", "--password-stdin"], "short\n"),
        (["users", "create", "empty@example.org", "--password-stdin"], ""),
        (["keys", "create", "--email", "nobody@example.org", "--scopes", "*", "--name", "n"], ""),
        (["keys", "create", "--email", "demo@patchbay.local", "--scopes", "records:read shoes", "--name", "n"], ""),
        (["keys", "create", "--email", "demo@patchbay.local", "--scopes", "", "--name", "n"], ""),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else None,
)
def test_a_wrong_command_ends_with_status_2_and_one_line(hub: Hub, words: list[str], given: str) -> None:
    done = hub.flask(*words, given=given)

    _assert_refused(done)


def test_an_account_is_not_made_twice(hub: Hub) -> None:
    hub.flask("users", "create", "twin@example.org")

    _assert_refused(hub.flask("users", "create", "Twin@Example.org"))


def test_a_key_stands_alone_works_at_once_and_no_further_than_its_scopes(hub: Hub, ada: Person) -> None:
    done = hub.flask("keys", "create", "--email", ada.email, "--scopes", "runs:read records:read", "--name", "A reader")

    assert done.returncode == 0
    assert KEY.fullmatch(done.stdout)
    assert done.stdout.strip() not in done.stderr
    reader = Person(hub, ada.email, ada.user_id, done.stdout.strip(), "")
    assert reader.call("GET", "/api/records").status_code == 200
    lacking = reader.call("GET", "/api/integrations/list")
    assert lacking.status_code == 403
    assert "integrations:read" in lacking.json()["error"]


def test_a_key_for_the_demo_user_is_made_before_anybody_was_there(hub: Hub) -> None:
    done = hub.flask("keys", "create", "--email", "demo@patchbay.local", "--scopes", "*", "--name", "A script")

    assert KEY.fullmatch(done.stdout)
    headers = {"Authorization": f"Bearer {done.stdout.strip()}"}
    assert requests.get(f"{hub.url}/api/integrations/list", headers=headers, timeout=30).status_code == 200


@pytest.fixture
def rotating(tmp_path: Path) -> Iterator[tuple[Hub, str, str]]:
    """A hub whose vault key is set from outside; its present key and the next one."""
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    hub = Hub(tmp_path / "home", VAULT_KEYS=old, WORKERS="1")
    try:
        yield hub.start(), old, new
    finally:
        hub.close()


def test_a_rotated_vault_opens_with_the_new_key_alone(rotating: tuple[Hub, str, str]) -> None:
    hub, old, new = rotating
    ada = hub.newcomer()
    ada.connect("shopify", shop="rotated")
    ada.connect("google-drive")
    hub.stop()
    hub.environment["VAULT_KEYS"] = f"{new},{old}"
    hub.start()

    first, second = hub.flask("vault", "rotate"), hub.flask("vault", "rotate")
    meanwhile = ada.sync("shopify", "get_products", limit=1)
    hub.stop()
    hub.environment["VAULT_KEYS"] = new
    hub.start()
    hub.sandbox.fault("shopify", "expired_token")
    afterwards = [
        ada.sync("shopify", "get_products", limit=1),  # the workers have only just begun
        ada.sync("google-drive", "list_folders"),
    ]

    assert (first.returncode, first.stdout) == (0, "")
    assert re.match(r"Sealed [1-9]\d* secrets anew with key \S+\.\n", first.stderr)
    assert second.stderr.startswith("Sealed 0 secrets anew")
    assert not {old, new} & set(re.split(r"\s", first.stderr))
    assert meanwhile.status_code == 200, meanwhile.text
    assert [answer.status_code for answer in afterwards] == [200, 200], [answer.text for answer in afterwards]


def _signs_in(hub: Hub, email: str, password: str) -> Browser | None:
    """A browser in which that account is signed in; None when the form refused."""
    browser = Browser(Person(hub, email, "", "", password))
    return browser if browser.call("GET", "/keys").status_code == 200 else None


def _assert_refused(done: "subprocess.CompletedProcess[str]") -> None:
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert done.stderr.strip().count("\n") == 0
    assert "Traceback" not in done.stderr
