"""The platforms that are found under `sandbox/hosts`."""

import subprocess
import sys
from pathlib import Path

from sandbox.platform import discover
from sandbox.store import Database

ROOT = Path(__file__).parents[2]


def test_every_host_file_is_found_under_its_key() -> None:
    platforms = discover(Database().store)

    assert "google-drive" in platforms
    assert all(platform.key == key and platform.hosts and platform.name for key, platform in platforms.items())


def test_no_two_platforms_serve_one_host() -> None:
    platforms = list(discover(Database().store).values())
    plain = [host for platform in platforms for host in platform.hosts if "*" not in host]

    assert all(len([platform for platform in platforms if platform.serves(host)]) == 1 for host in plain)


def test_sandbox_shares_no_code_with_the_product() -> None:
    loaded = "[name for name in sys.modules if name.startswith('patchbay')]"
    code = f"import sys, sandbox; sandbox.create_app(); print({loaded})"

    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert found.stdout.strip() == "[]"
