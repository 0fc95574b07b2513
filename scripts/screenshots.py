"""`make screenshots`: the pictures of README.md and the documents, drawn by Chromium from a hub of its own.

It starts the hub in a home that is thrown away, brings everything in over the JSON API as the demo does, and takes each
page on a phone and on a desk, by day and by night.
"""

import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from io import BytesIO
from typing import Any

import requests
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from patchbay import settings
from patchbay.settings import ROOT
from scripts.demo.hub import Hub, StepFailed, running, signed_in
from scripts.demo.journey import ASKED_BEFORE, FIGMA_LINKS, NAMES, NO_SUCH_PRODUCT

PICTURES = ROOT / "docs" / "pictures"
SIZES = {360: 1240, 1440: 1080}  # width: height, pixels
THEMES = ("light", "dark")
COLOURS = 224  # enough for pages of few colours, and a third of the bytes
PATIENCE_MS = 60_000
NOT_YET = "canva"  # stays unconnected, so that a card shows that too


def main() -> int:
    """Draw all pictures; returns the exit status."""
    chromium = os.environ.get("PATCHBAY_CHROMIUM") or shutil.which("chromium")
    if not chromium:
        print("Set PATCHBAY_CHROMIUM to the path of a Chromium.", file=sys.stderr)
        return 1
    shutil.rmtree(PICTURES, ignore_errors=True)
    PICTURES.mkdir(parents=True)
    with _filled_hub() as (address, paths), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for width, height in SIZES.items():
            for theme in THEMES:
                page = _signed_in(browser, address, width, height, theme)
                for name, path in paths.items():
                    page.goto(f"{address}{path}")
                    _take(page, f"{name}-{width}-{theme}")
                page.context.close()
        browser.close()
    return 0


@contextmanager
def _filled_hub() -> Iterator[tuple[str, Mapping[str, str]]]:
    """A hub with something of everything: its address, and where each picture is taken."""
    with tempfile.TemporaryDirectory() as home:
        where = {"PATCHBAY_HOME": home, "PORT": str(_free_port()), "SANDBOX_PORT": str(_free_port()), "SANDBOX": "on"}
        os.environ.update({"HOST": "127.0.0.1", "PUBLIC_URL": "", "SANDBOX_URL": "", "WORKERS": "2", **where})
        here = settings.load()
        with running(here):
            hub = Hub(here.public_url, here.sandbox_url, lambda _text: None)
            with signed_in(hub):
                paths = _fill(hub)
            yield here.public_url, paths


def _fill(hub: Hub) -> Mapping[str, str]:
    """Connect, import, draw mockups and send one everywhere, with one part that cannot go well."""
    for key in NAMES:
        if key != NOT_YET:
            hub.connect(key, **ASKED_BEFORE.get(key, {}))
    hub.choose("figma", links="\n".join(FIGMA_LINKS))
    hub.choose("facebook", page=hub.run("facebook", "list_pages")["pages"][0]["id"])
    products = hub.run("shopify", "import_products")["products"]
    hub.run("etsy", "import_listings")
    mockups = list(_mockups(hub))
    hub.batch(f"{mockups[0]['name']} to several places", _parts(hub, mockups[0], products[0]["id"]))
    batch_id = hub.call("GET", "/api/batches")["data"][0]["id"]
    lost = _lose_a_grant(hub)
    run_id = hub.call("GET", "/api/runs?integrationId=shopify&status=succeeded")["data"][-1]["id"]
    product = f"productId={products[2]['id']}&productId.label={products[2]['title']}"
    return {
        "catalogue": "/integrations",
        "detail": "/integrations/shopify",
        "operation": f"/integrations/shopify/do/publish_mockup?{product}&mockupUrls={mockups[1]['id']}",
        "mockups": "/mockups",
        "places": f"/mockups/{mockups[0]['id']}/send?place=shopify&place=google-drive&place=instagram",
        "batch": f"/batches/{batch_id}",
        "setup": "/admin/credentials/figma",
        "health": "/health-dashboard",
        "alerts": "/alerts",
        "repair": f"/integrations/{lost}/health",
        "run": f"/runs/{run_id}",
        "requests": f"/runs/{run_id}/requests",
    }


def _lose_a_grant(hub: Hub) -> str:
    """Let a platform end what it has granted, and find out by asking it; which one it was."""
    ended = {"kind": "revoked_grant"}
    requests.post(f"{hub.sandbox}/_sandbox/dropbox/faults", json=ended, timeout=30).raise_for_status()
    with suppress(StepFailed):
        hub.run("dropbox", "list_folders")
    return "dropbox"


def _mockups(hub: Hub) -> Iterator[dict[str, Any]]:
    """Two frames of a Figma file, each on a product."""
    file_id = hub.run("figma", "list_files")["files"][0]["key"]
    frames = hub.run("figma", "list_frames", fileId=file_id)["frames"]
    templates = hub.call("GET", "/api/templates")["data"]
    for frame, template in zip(frames, (templates[1], templates[2]), strict=False):
        design = hub.run("figma", "import_design", fileId=file_id, nodeId=frame["id"])
        body = {"designId": design["assetId"], "templateId": template["id"]}
        made: dict[str, Any] = hub.call("POST", "/api/mockups", json=body)
        yield made


def _parts(hub: Hub, mockup: Mapping[str, Any], product_id: str) -> list[dict[str, Any]]:
    listing = hub.run("etsy", "get_listings", limit=1)["listings"][0]
    asked: Mapping[str, tuple[str, dict[str, str]]] = {
        "shopify": ("publish_mockup", {"productId": product_id}),
        "etsy": ("publish_mockup", {"listingId": listing["id"]}),
        "woocommerce": ("publish_mockup", {"productId": NO_SUCH_PRODUCT}),
        "google-drive": ("upload_file", {}),
        "dropbox": ("upload_file", {}),
        "instagram": ("publish_photo", {"caption": "Fresh from the harbour"}),
        "facebook": ("publish_photo", {"caption": "Fresh from the harbour"}),
    }
    return [
        {"integrationId": key, "operation": operation, "data": {**values, "mockupUrls": [mockup["url"]]}}
        for key, (operation, values) in asked.items()
    ]


def _signed_in(browser: Browser, address: str, width: int, height: int, theme: str) -> Page:
    """A page of the demo user's, who may set things up."""
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if theme == "dark" else "light",
        reduced_motion="reduce",
    )
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto(f"{address}/login")
    page.get_by_role("button", name="Continue as the demo user").click()
    page.wait_for_url("**/integrations")
    return page


def _take(page: Page, name: str) -> None:
    """Write what the window shows, in few colours."""
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(300)
    taken = Image.open(BytesIO(page.screenshot())).convert("RGB")
    few = taken.quantize(COLOURS, dither=Image.Dither.NONE).convert("RGB")
    path = PICTURES / f"{name}.webp"
    few.save(path, "WEBP", lossless=True, quality=100, method=6)
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size // 1000} KB")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    sys.exit(main())
