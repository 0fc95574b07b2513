"""`make screenshots`: the pictures of README.md and the documents, drawn by Chromium from a hub of its own.

It starts the hub in a home that is thrown away, connects the sandbox's shop, and walks the pages as a person would.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import requests
from PIL import Image, ImageDraw
from playwright.sync_api import FilePayload, Page, sync_playwright

from patchbay.settings import ROOT

PICTURES = ROOT / "docs" / "pictures"
WIDE, MIDDLE, NARROW = (1280, 800), (960, 640), (390, 780)
COLOURS = 192  # enough for pages of few colours, and a third of the bytes
READY_WITHIN_S = 60
ENDS_WITHIN_MS = 60_000


def main() -> int:
    """Draw all pictures; returns the exit status."""
    chromium = os.environ.get("PATCHBAY_CHROMIUM") or shutil.which("chromium")
    if not chromium:
        print("Set PATCHBAY_CHROMIUM to the path of a Chromium.", file=sys.stderr)
        return 1
    PICTURES.mkdir(parents=True, exist_ok=True)
    with _hub() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": WIDE[0], "height": WIDE[1]}, reduced_motion="reduce")
        page.set_default_timeout(ENDS_WITHIN_MS)
        _walk(page, address)
        browser.close()
    return 0


def _walk(page: Page, address: str) -> None:
    """Sign in, connect, import, make a mockup, and take a picture at each stop."""
    page.goto(f"{address}/login")
    page.get_by_role("button", name="Continue as the demo user").click()
    page.wait_for_url("**/integrations")
    page.locator("#connect-shopify").click()
    page.get_by_label("Your store").fill("demo-shop")
    _take(page, "connect")
    page.get_by_role("button", name="Continue to Shopify").click()
    page.get_by_role("button", name="Allow").click()
    page.goto(f"{address}/integrations/google-drive/connect")
    page.get_by_role("button", name="Continue to Google Drive").click()
    page.get_by_role("button", name="Allow").click()
    page.wait_for_url(f"{address}/integrations/google-drive**")
    page.goto(f"{address}/integrations")
    page.locator("#sync-shopify button").click()
    page.locator("#card-shopify .meta time").wait_for()
    page.goto(f"{address}/integrations")
    _take(page, "integrations")
    _take(page, "integrations-dark", theme="dark")
    _take(page, "integrations-narrow", size=NARROW)
    page.goto(f"{address}/records")
    page.wait_for_load_state("networkidle")
    _take(page, "records")
    _make_mockup(page, address)
    _take(page, "mockup", size=MIDDLE, is_photographic=True)
    page.goto(f"{address}/runs")
    page.locator("#run-rows a").first.click()
    page.locator("#log li").first.wait_for()
    _take(page, "run")


def _make_mockup(page: Page, address: str) -> None:
    page.goto(f"{address}/mockups")
    design: FilePayload = {"name": "Rising sun.png", "mimeType": "image/png", "buffer": _design()}
    page.get_by_label("Design", exact=True).set_input_files(design)
    page.get_by_role("button", name="Upload").click()
    page.get_by_role("radio", name="Mug", exact=True).check()
    page.get_by_role("button", name="Make the mockup").click()
    page.locator("img.picture").wait_for()
    page.wait_for_load_state("networkidle")


def _take(
    page: Page, name: str, *, theme: str = "light", size: tuple[int, int] = WIDE, is_photographic: bool = False
) -> None:
    """Write the picture that the window shows, in few colours unless it has shades that would break."""
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    page.wait_for_timeout(300)
    taken = Image.open(BytesIO(page.screenshot())).convert("RGB")
    path = PICTURES / f"{name}.png"
    if not is_photographic:
        taken = taken.quantize(COLOURS, dither=Image.Dither.NONE)
    taken.save(path, optimize=True)
    page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})
    page.emulate_media(color_scheme="light")
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size // 1000} KB")


def _design() -> bytes:
    """A small drawing of our own: a sun above waves."""
    picture = Image.new("RGBA", (900, 900))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((230, 130, 670, 570), fill="#e8743b")
    for number, colour in enumerate(("#1f4fa3", "#2f56c8", "#8fb0ff")):
        top = 470 + number * 100
        draw.rounded_rectangle((120, top, 780, top + 70), radius=35, fill=colour)
    buffer = BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


@contextmanager
def _hub() -> Iterator[str]:
    """A hub on free ports and in a home of its own, stopped and thrown away at the end."""
    with tempfile.TemporaryDirectory() as home:
        port, sandbox_port = _free_port(), _free_port()
        where = {"PORT": str(port), "SANDBOX_PORT": str(sandbox_port), "PATCHBAY_HOME": home, "SANDBOX": "on"}
        environment = {**os.environ, "HOST": "127.0.0.1", "PUBLIC_URL": "", "SANDBOX_URL": "", "WORKERS": "1", **where}
        with (Path(home) / "log").open("wb") as log:
            process = subprocess.Popen([sys.executable, "-m", "launch"], cwd=ROOT, env=environment, stdout=log)
        try:
            yield _ready(f"http://127.0.0.1:{port}")
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)


def _ready(address: str) -> str:
    """The address, once /health answers well there. Raises TimeoutError."""
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        try:
            if requests.get(f"{address}/health", timeout=2).ok:
                return address
        except requests.ConnectionError:
            time.sleep(0.3)
    raise TimeoutError(f"no hub came to be at {address}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    sys.exit(main())
