"""Health where everything runs: what page, metrics and doctor say of a hub with processes of its own."""

import re
import time

import requests

from tests.journeys.hubs import Hub, Person, eventually

STATE = re.compile(r'<tr id="health-shopify">.*?<span class="badge"[^>]*>(?:<svg.*?</svg>)?([^<]+)</span>', re.DOTALL)
SOON_S = 5.0


def state_of(person: Person) -> str:
    """The word on the badge of the shop's row."""
    page = person.call("GET", "/health-dashboard").text
    found = STATE.search(page)
    assert found is not None, page
    return found[1]


def metrics(hub: Hub) -> dict[str, float]:
    """The samples of one reading, by name and labels as they are written."""
    lines = requests.get(f"{hub.url}/metrics", timeout=10).text.splitlines()
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if not line.startswith("#")}


def test_what_a_job_counts_is_told_by_another_process(hub: Hub, ada: Person) -> None:
    ada.connect("shopify", shop="demo-shop")

    ended = ada.ended(ada.start("shopify", "import_products"))

    samples = metrics(hub)
    assert ended["status"] == "succeeded"
    assert samples['patchbay_runs_total{outcome="run_succeeded",provider="shopify"}'] == 1
    assert samples['patchbay_calls_total{outcome="ok",provider="shopify"}'] >= 1
    assert samples['patchbay_heartbeat_age_seconds{process="clock"}'] < 20
    assert state_of(ada) == "Working"


def test_within_five_seconds_of_a_call_a_revoked_grant_waits_for_its_owner(hub: Hub, ada: Person) -> None:
    ada.connect("shopify", shop="another-shop")
    before = state_of(ada)
    hub.sandbox.fault("shopify", "revoked_grant")
    began = time.monotonic()

    ada.start("shopify", "import_products")

    eventually(lambda: state_of(ada) == "Waiting for you", within_s=SOON_S)
    assert (before, time.monotonic() - began < SOON_S) == ("Working", True)


def test_the_doctor_finds_a_running_hub_sound(hub: Hub) -> None:
    done = hub.flask("doctor")

    assert done.returncode == 0, done.stdout
    assert f"Patchbay answers on port {hub.port}" in done.stdout
    assert "workers and clock give signs of life" in done.stdout


def test_the_doctor_says_what_does_not_work_and_what_to_do(hub: Hub) -> None:
    key = hub.home / "keys" / "secret_key"
    key.chmod(0o644)

    done = hub.flask("doctor")
    key.chmod(0o600)

    assert done.returncode == 1
    assert f"→ chmod 600 {key}" in done.stdout


def test_a_setting_that_cannot_work_is_told_in_one_line(hub: Hub) -> None:
    done = hub.flask("doctor", PORT="abc")

    assert done.returncode == 1
    assert done.stderr == "Error: PORT must be a whole number from 1 to 65535, not 'abc'.\n"
