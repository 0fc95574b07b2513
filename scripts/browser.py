"""Find the Chromium that the browser tests drive, or install one, and print its path.

Order: PATCHBAY_CHROMIUM, `chromium` on the path, Debian's package (where apt and root are there), Playwright's own
download. What the browser is asked to do lives in tests/browser.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence

VARIABLE = "PATCHBAY_CHROMIUM"
NAMES = ("chromium", "chromium-browser")


class NoBrowserError(Exception):
    """No Chromium starts here and none could be installed; the text is one line for the person at the keyboard."""


def main() -> int:
    """Print the path of a Chromium that starts; returns the exit status."""
    try:
        print(ensure())
    except NoBrowserError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def ensure() -> str:
    """The path of a Chromium that starts, installed when there is none. Raises NoBrowserError."""
    found = find()
    for install in (_install_from_debian, _install_from_playwright):
        if found:
            break
        install()
        found = find()
    if not found:
        raise NoBrowserError(f"No Chromium starts here and none could be installed: set {VARIABLE} to the path of one.")
    return found


def find() -> str | None:
    """The first Chromium in the order above that starts, or None. Raises NoBrowserError for a wrong variable."""
    chosen = os.environ.get(VARIABLE, "").strip()
    if chosen:
        if not _starts(chosen):
            raise NoBrowserError(f"{VARIABLE}: {chosen} is not a Chromium that starts.")
        return chosen
    candidates: Sequence[Callable[[], str | None]] = [
        *(lambda name=name: shutil.which(name) for name in NAMES),
        _playwrights,
    ]
    return next((path for path in (candidate() for candidate in candidates) if path and _starts(path)), None)


def _starts(path: str) -> bool:
    """Whether `path` runs at all; Ubuntu's `chromium` may be a stub that only names another package."""
    try:
        done = subprocess.run([path, "--version"], capture_output=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _playwrights() -> str | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if os.path.exists(path) else None


def _install_from_debian() -> None:
    if not shutil.which("apt-get") or os.geteuid() != 0:
        return
    print("Installing Debian's chromium package", file=sys.stderr)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"],
    ):
        subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)


def _install_from_playwright() -> None:
    print("Installing Playwright's chromium", file=sys.stderr)
    command = [sys.executable, "-m", "playwright", "install", "chromium"]
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)


if __name__ == "__main__":
    sys.exit(main())
