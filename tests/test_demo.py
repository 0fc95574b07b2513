"""`make demo` as a test: the product's main job over the JSON API, against a hub that runs and one it starts itself."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from patchbay.settings import ROOT
from tests.journeys.hubs import Hub, bare_environment
from tests.servers import free_port

STEPS = [
    "Connect Shopify", "Connect Google Drive", "Import the catalogue", "Upload a design", "Make a mockup",
    "Publish it to a product", "Save it to Drive", "Disconnect Google Drive", "Disconnect Shopify",
]  # fmt: skip
DEMO = [sys.executable, "-m", "scripts.demo"]


def test_the_demo_does_the_whole_job_on_the_hub_that_runs(tmp_path: Path) -> None:
    hub = Hub(tmp_path / "home")
    try:
        hub.start()

        done = _demo(hub.environment)

        assert done.returncode == 0, done.stdout + done.stderr
        assert f"Using the hub at {hub.url}." in done.stdout
        assert _table_of(done.stdout) == STEPS
        assert "12 products read, 12 new, 0 unchanged" in done.stdout
        assert "pb_" not in done.stdout + done.stderr
        assert [row["status"] for row in hub.sandbox.received("google-drive", path="/revoke")] == [200]
        assert hub.is_healthy()

        hub.sandbox.fault("google-drive", "server_error", times=0)
        failed = _demo(hub.environment)

        assert failed.returncode == 1
        assert "✗ GET /integrations/callback answered 502" in failed.stderr
        assert "code=" not in failed.stdout + failed.stderr
    finally:
        hub.close()


def test_the_demo_starts_a_hub_where_none_runs_and_stops_it_again(tmp_path: Path) -> None:
    port = free_port()
    where = {"PATCHBAY_HOME": str(tmp_path / "home"), "PORT": str(port), "SANDBOX_PORT": str(free_port())}

    done = _demo({**bare_environment(), **where, "WORKERS": "1"})

    assert done.returncode == 0, done.stdout + done.stderr
    assert "No hub runs here; starting one." in done.stdout
    assert _table_of(done.stdout) == STEPS
    assert Hub.living_on(tmp_path / "home") == []


@pytest.mark.parametrize("setting", [{"SANDBOX": "off"}, {"PUBLIC_URL": "https://patchbay.example.org"}])
def test_without_the_sandbox_the_demo_says_so(tmp_path: Path, setting: dict[str, str]) -> None:
    done = _demo({**bare_environment(), "PATCHBAY_HOME": str(tmp_path / "home"), **setting})

    assert done.returncode == 1
    assert done.stderr.startswith("The demo needs the sandbox")
    assert done.stderr.count("\n") == 1


def _demo(environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        DEMO,
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def _table_of(printed: str) -> list[str]:
    """The steps of the final table."""
    rows = printed.partition("\nStep ")[2].splitlines()[1:]
    return [re.split(r"  +", row)[0] for row in rows if re.search(r" \d+\.\d\ds  \S", row)]
