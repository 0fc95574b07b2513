"""`make demo`: the product's main job without a browser, over the JSON API, against the hub that runs or one it starts.

It needs the sandbox: it approves the consent by itself, which no real platform allows.
"""

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import requests

from patchbay import settings
from patchbay.settings import ROOT, Settings

DEMO_EMAIL = "demo@patchbay.local"
KEY_NAME = "make demo"
START_WITHIN_S = 90
POLL_S = 0.3
BLANK = " " * 60  # wipes the progress line


class StepFailed(Exception):
    """What went wrong, in the hub's own words."""


@dataclass
class Hub:
    """A running hub, spoken to with an API key."""

    address: str
    session: requests.Session = field(default_factory=requests.Session)

    def call(self, method: str, path: str, **options: Any) -> Any:
        """The JSON answer. Raises StepFailed for every error."""
        answer = self.session.request(method, f"{self.address}{path}", timeout=90, **options)
        body = answer.json() if answer.content else {}
        if answer.status_code >= 400:
            bare = path.partition("?")[0]  # a callback's query holds code and state
            raise StepFailed(f"{method} {bare} answered {answer.status_code}: {body.get('userMessage', body)}")
        return body

    def connect(self, integration: str, **values: str) -> str:
        """Walk the real OAuth flow; the consent is given by the sandbox's shortcut."""
        begun = self.call("POST", "/api/integrations/connect", json={"integrationId": integration, "settings": values})
        address = begun["authUrl"]
        consent = requests.get(f"{address}&sandbox_consent=allow", allow_redirects=False, timeout=30)
        back = urlsplit(consent.headers["Location"])
        self.call("GET", f"{back.path}?{back.query}", headers={"Accept": "application/json"})
        return f"connected at {urlsplit(address).path.split('/')[1]}"

    def run(self, integration: str, operation: str, **values: Any) -> dict[str, Any]:
        """Start an operation and follow it to its end; the answer's `data`."""
        body = {"integrationId": integration, "operation": operation, "data": values, "wait": 0}
        run_id = self.call("POST", "/api/integrations/sync", json=body)["runId"]
        while True:
            run = self.call("GET", f"/api/runs/{run_id}")
            _show_progress(operation, run["progress"])
            if run["status"] == "succeeded":
                data: dict[str, Any] = run["data"]
                return data
            if run["status"] in {"failed", "cancelled"}:
                raise StepFailed(f"{operation} {run['status']}: {(run.get('error') or {}).get('userMessage', '')}")
            time.sleep(POLL_S)


@dataclass
class Journey:
    """The steps, what each came to, and how long it took."""

    hub: Hub
    rows: list[tuple[str, str, float]] = field(default_factory=list)

    def step(self, title: str, do: Callable[[], str]) -> None:
        """Do one step and print it."""
        begun = time.monotonic()
        print(f"… {title}", flush=True)
        result = do()
        took_s = time.monotonic() - begun
        self.rows.append((title, result, took_s))
        print(f"\r{BLANK}\r✓ {title}: {result}", flush=True)

    def walk(self) -> None:
        """Connect, import, make a mockup, publish it, save it, disconnect."""
        hub = self.hub
        kept: dict[str, Any] = {}
        self.step("Connect Shopify", lambda: hub.connect("shopify", shop="demo-shop"))
        self.step("Connect Google Drive", lambda: hub.connect("google-drive"))
        self.step("Import the catalogue", lambda: _import(hub, kept))
        self.step("Upload a design", lambda: _upload(hub, kept))
        self.step("Make a mockup", lambda: _make(hub, kept))
        self.step("Publish it to a product", lambda: _publish(hub, kept))
        self.step("Save it to Drive", lambda: _save(hub, kept))
        self.step("Disconnect Google Drive", lambda: _disconnect(hub, "google-drive"))
        self.step("Disconnect Shopify", lambda: _disconnect(hub, "shopify"))

    def print_table(self) -> None:
        """All steps with results and times."""
        width = max(len(title) for title, _, _ in self.rows)
        print(f"\n{'Step':<{width}}  {'Took':>7}  Result")
        for title, result, took_s in self.rows:
            print(f"{title:<{width}}  {took_s:6.2f}s  {result}")


def main() -> int:
    """Exit code 0 when every step went well, else 1."""
    here = settings.load()
    if not here.sandbox:
        print("The demo needs the sandbox: it works on loopback only, with SANDBOX=on.", file=sys.stderr)
        return 1
    with _running_hub(here):
        hub = Hub(here.public_url)
        hub.session.headers["Authorization"] = f"Bearer {_api_key()}"
        journey = Journey(hub)
        try:
            journey.walk()
        except (StepFailed, requests.RequestException, KeyError) as error:
            print(f"\n✗ {error}", file=sys.stderr)
            return 1
        _revoke_key(hub)
        journey.print_table()
    return 0


def _import(hub: Hub, kept: dict[str, Any]) -> str:
    data = hub.run("shopify", "import_products")
    kept["product"] = data["products"][0]
    counts = data["counts"]
    return f"{counts['read']} products read, {counts['created']} new, {counts['unchanged']} unchanged"


def _upload(hub: Hub, kept: dict[str, Any]) -> str:
    files = {"file": ("Demo design.png", _design(), "image/png")}
    kept["design"] = hub.call("POST", "/api/assets", files=files)
    return f"{kept['design']['width']} × {kept['design']['height']} pixels"


def _make(hub: Hub, kept: dict[str, Any]) -> str:
    template = hub.call("GET", "/api/templates")["data"][0]
    body = {"designId": kept["design"]["id"], "templateId": template["id"]}
    kept["mockup"] = hub.call("POST", "/api/mockups", json=body)
    return f"{template['name']}, {kept['mockup']['sizeBytes'] // 1000} KB"


def _publish(hub: Hub, kept: dict[str, Any]) -> str:
    product, mockup = kept["product"], kept["mockup"]
    data = hub.run("shopify", "publish_mockup", productId=product["id"], mockupUrls=[mockup["url"]])
    return str(data["publishedUrl"])


def _save(hub: Hub, kept: dict[str, Any]) -> str:
    folder = hub.run("google-drive", "create_folder", folderName="Patchbay demo")
    data = hub.run("google-drive", "upload_file", folderId=folder["folderId"], mockupUrls=[kept["mockup"]["url"]])
    return str(data["fileUrls"][0])


def _disconnect(hub: Hub, integration: str) -> str:
    answer = hub.call("POST", "/api/integrations/disconnect", json={"integrationId": integration})
    return "revoked at the platform" if answer["revoked"] else "tokens deleted here; the app stays installed there"


def _design() -> bytes:
    """A small design of our own: a sun over a hill, on nothing."""
    from PIL import Image, ImageDraw

    picture = Image.new("RGBA", (1200, 1200), (0, 0, 0, 0))
    pen = ImageDraw.Draw(picture)
    pen.ellipse((350, 180, 850, 680), fill=(242, 150, 60, 255))
    pen.pieslice((50, 520, 1150, 1620), 180, 360, fill=(38, 70, 83, 255))
    content = io.BytesIO()
    picture.save(content, "PNG")
    return content.getvalue()


def _show_progress(operation: str, progress: dict[str, int | None]) -> None:
    if progress["total"]:
        print(f"\r  {operation}: {progress['done']} of {progress['total']}", end="", flush=True)


def _api_key() -> str:
    """A fresh key of the demo user."""
    flask = [sys.executable, "-m", "flask", "--app", "app"]
    create = [*flask, "keys", "create", "--email", DEMO_EMAIL, "--scopes", "*", "--name", KEY_NAME]
    return subprocess.run(create, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()


def _revoke_key(hub: Hub) -> None:
    """The key was for this journey alone; with it gone nothing of the demo can act any more."""
    mine = [key for key in hub.call("GET", "/api/keys")["data"] if key["name"] == KEY_NAME and not key["revokedAt"]]
    for key in mine:
        hub.call("DELETE", f"/api/keys/{key['id']}")


@contextmanager
def _running_hub(here: Settings) -> Iterator[None]:
    """The hub that runs at PUBLIC_URL, or one started for the demo and stopped after it."""
    if _is_ready(here.public_url):
        print(f"Using the hub at {here.public_url}.")
        yield
        return
    print("No hub runs here; starting one.")
    hub = subprocess.Popen([sys.executable, "-m", "launch"], cwd=ROOT, stdout=subprocess.DEVNULL, env=os.environ)
    try:
        _await_ready(hub, here.public_url)
        yield
    finally:
        hub.send_signal(signal.SIGTERM)
        hub.wait(timeout=15)


def _await_ready(hub: subprocess.Popen[bytes], address: str) -> None:
    until = time.monotonic() + START_WITHIN_S
    while not _is_ready(address):
        if hub.poll() is not None or time.monotonic() > until:
            raise SystemExit("The hub did not start; `make run` says why.")
        time.sleep(POLL_S)


def _is_ready(address: str) -> bool:
    try:
        return requests.get(f"{address}/health", timeout=2).status_code == 200
    except requests.RequestException:
        return False


if __name__ == "__main__":
    sys.exit(main())
