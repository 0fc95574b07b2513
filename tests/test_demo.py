"""`make demo` as a test: the journey over all platforms, against a hub that runs and one that it starts itself."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from patchbay.settings import ROOT
from scripts.demo.hub import DEMO_EMAIL
from tests.journeys.hubs import Hub, Person, bare_environment, eventually
from tests.servers import free_port

NAMES = ["Shopify", "Google Drive", "Etsy", "WooCommerce", "Figma", "Canva", "Dropbox", "Instagram", "Facebook"]
STEPS = [
    *(f"Connect {name}" for name in NAMES),
    "Say which Figma files", "Choose a Facebook page", "Import the catalogue", "Upload a design",
    "Import a Figma frame", "Make a mockup", "Publish it to a product", "Save it to Drive",
    "Publish it to three shops", "Save it to three places", "Post it to two feeds", "One failure stops no other",
    "Import from three shops",
    *(f"Disconnect {name}" for name in reversed(NAMES)),
]  # fmt: skip
DEMO = [sys.executable, "-m", "scripts.demo"]


def test_the_demo_does_the_whole_job_again_and_again_on_the_hub_that_runs(tmp_path: Path) -> None:
    hub = Hub(tmp_path / "home")
    try:
        hub.start()
        demo = _with_another_shop(hub)

        first = _demo(hub.environment)

        _assert_done(first)
        assert f"Using the hub at {hub.url}." in first.stdout
        assert "demo-shop.myshopify.com, in the place of another account" in first.stdout
        assert "12 products read, 12 new, 0 unchanged" in first.stdout
        assert [row["status"] for row in hub.sandbox.received("google-drive", path="/revoke")] == [200]
        _assert_arrived(hub)

        second = _demo(hub.environment)

        _assert_done(second)
        assert "in the place of another account" not in second.stdout
        assert len(demo.records(integrationId="shopify")) == 12
        assert [key["name"] for key in demo.asked("GET", "/api/keys")["data"] if not key["revokedAt"]] == ["a test"]
        assert eventually(hub.is_healthy)

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

    _assert_done(done)
    assert "No hub runs here; starting one." in done.stdout
    assert "12 products read, 12 new, 0 unchanged" in done.stdout
    assert Hub.living_on(tmp_path / "home") == []


@pytest.mark.parametrize("setting", [{"SANDBOX": "off"}, {"PUBLIC_URL": "https://patchbay.example.org"}])
def test_without_the_sandbox_the_demo_says_so(tmp_path: Path, setting: dict[str, str]) -> None:
    done = _demo({**bare_environment(), "PATCHBAY_HOME": str(tmp_path / "home"), **setting})

    assert done.returncode == 1
    assert done.stderr.startswith("The demo needs the sandbox")
    assert done.stderr.count("\n") == 1


def _with_another_shop(hub: Hub) -> Person:
    """The demo user, with a key of the test's, after an import from a shop that is not the demo's."""
    made = hub.flask("keys", "create", "--email", DEMO_EMAIL, "--scopes", "*", "--name", "a test")
    demo = Person(hub, DEMO_EMAIL, "", made.stdout.strip(), "")
    hub.sandbox.generate("shopify", count=3, seed=1, shop="northwind")
    demo.connect("shopify", shop="northwind")
    demo.ended(demo.start("shopify", "import_products"))
    return demo


def _assert_done(demo: "subprocess.CompletedProcess[str]") -> None:
    """It says of each step that it went well, and nothing secret."""
    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert _table_of(demo.stdout) == STEPS
    assert "pb_" not in demo.stdout + demo.stderr


def _assert_arrived(hub: Hub) -> None:
    """The platforms themselves hold what the demo says it sent."""
    sandbox = hub.sandbox
    assert len(sandbox.received("shopify", operation="productUpdate")) == 3
    assert [each["state"] for each in sandbox.state("etsy", "listings") if each["title"] == "Mug from the demo"] == [
        "draft"
    ]
    for platform, collection in (("google-drive", "files"), ("dropbox", "entries")):
        names = [file["name"] for file in sandbox.state(platform, collection)]
        assert any(name.startswith("Harbour sun") for name in names), platform
    for platform, collection in (("instagram", "media"), ("facebook", "photos")):
        assert "Made with Patchbay" in str(sandbox.state(platform, collection)), platform


def _demo(environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        DEMO,
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def _table_of(printed: str) -> list[str]:
    """The steps of the final table."""
    rows = printed.partition("\nStep ")[2].splitlines()[1:]
    return [re.split(r"  +", row)[0] for row in rows if re.search(r" \d+\.\d\ds  \S", row)]
