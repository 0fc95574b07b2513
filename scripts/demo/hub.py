"""A hub that the demo speaks to over its JSON API: the one that runs, or one started for the demo and stopped after it.

What is asked of it is in `journey`.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import requests

from patchbay.settings import ROOT, Settings

DEMO_EMAIL = "demo@patchbay.local"
KEY_NAME = "make demo"
START_WITHIN_S = 90
POLL_S = 0.3
ENDED = {"succeeded", "failed", "cancelled"}


class StepFailed(Exception):
    """What went wrong, in the hub's own words."""


@dataclass
class Hub:
    """A running hub, spoken to with an API key; `show_progress` is told what a line about it may say."""

    address: str
    sandbox: str
    show_progress: Callable[[str], None]
    session: requests.Session = field(default_factory=requests.Session)

    def call(self, method: str, path: str, **options: Any) -> Any:
        """The JSON answer. Raises StepFailed for every error."""
        answer = self.session.request(method, f"{self.address}{path}", timeout=90, **options)
        is_json = answer.headers.get("Content-Type", "").startswith("application/json")
        body = answer.json() if is_json else {}
        if answer.status_code >= 400:
            bare = path.partition("?")[0]  # a callback's query holds code and state
            raise StepFailed(f"{method} {bare} answered {answer.status_code}: {body.get('userMessage', '')}")
        return body

    def connect(self, integration: str, **values: str) -> str:
        """Walk the real flow; the consent is given by the sandbox's shortcut.

        Where the demo user has what another account brought in, that gives way to the demo's own account.
        """
        begun = self.call("POST", "/api/integrations/connect", json={"integrationId": integration, "settings": values})
        address = begun["authUrl"]
        if not address.startswith(f"{self.sandbox}/"):
            raise StepFailed(f"{integration} has live credentials here; the demo needs the sandbox's.")
        consent = requests.get(f"{address}&sandbox_consent=allow", allow_redirects=False, timeout=30)
        if "Location" not in consent.headers:
            raise StepFailed(f"{integration} did not send the browser back: HTTP {consent.status_code}")
        back = urlsplit(consent.headers["Location"])
        replaced = ""
        try:
            self.call("GET", f"{back.path}?{back.query}", headers={"Accept": "application/json"})
        except StepFailed:
            if not self._replaces(integration):
                raise
            replaced = ", in the place of another account"
        return f"connected as {self._account(integration)}{replaced}"

    def choose(self, integration: str, **values: str) -> Any:
        """Fill in what is asked after connecting; the labels of what was picked."""
        body = {"integrationId": integration, "settings": values}
        return self.call("POST", "/api/integrations/settings", json=body)["labels"]

    def run(self, integration: str, operation: str, **values: Any) -> dict[str, Any]:
        """Start an operation and follow it to its end; the answer's `data`."""
        body = {"integrationId": integration, "operation": operation, "data": values, "wait": 0}
        run_id = self.call("POST", "/api/integrations/sync", json=body)["runId"]
        while True:
            run = self.call("GET", f"/api/runs/{run_id}")
            if run["progress"]["total"]:
                self.show_progress(f"{operation}: {run['progress']['done']} of {run['progress']['total']}")
            if run["status"] == "succeeded":
                data: dict[str, Any] = run["data"]
                return data
            if run["status"] in ENDED:
                raise StepFailed(f"{operation} {run['status']}: {(run.get('error') or {}).get('userMessage', '')}")
            time.sleep(POLL_S)

    def batch(self, title: str, parts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Start several operations in one go and follow them to their ends; the parts, in the order given."""
        batch_id = self.call("POST", "/api/batches", json={"title": title, "parts": parts})["id"]
        while True:
            batch = self.call("GET", f"/api/batches/{batch_id}")
            found: list[dict[str, Any]] = batch["parts"]
            self.show_progress(f"{sum(part['status'] in ENDED for part in found)} of {len(found)} done")
            if batch["status"] == "ended":
                return found
            time.sleep(POLL_S)

    def disconnect(self, integration: str) -> str:
        """Disconnect; what became of the grant."""
        answer = self.call("POST", "/api/integrations/disconnect", json={"integrationId": integration})
        return "revoked at the platform" if answer["revoked"] else "tokens deleted here; access stays allowed there"

    def _replaces(self, integration: str) -> bool:
        """Let the account that has just come back replace the one of before; False when that was not the matter."""
        path = f"/integrations/{integration}/replace"
        decided = self.session.post(
            f"{self.address}{path}", data={"choice": "replace"}, allow_redirects=False, timeout=30
        )
        return decided.status_code == 303

    def _account(self, integration: str) -> str:
        listed = self.call("GET", "/api/integrations/list")["integrations"]
        return str(next(entry["account"] for entry in listed if entry["id"] == integration))


@contextmanager
def running(here: Settings) -> Iterator[None]:
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


@contextmanager
def signed_in(hub: Hub) -> Iterator[None]:
    """A key of the demo user's for the journey alone: with it gone, nothing of the demo can act any more."""
    flask = [sys.executable, "-m", "flask", "--app", "app"]
    create = [*flask, "keys", "create", "--email", DEMO_EMAIL, "--scopes", "*", "--name", KEY_NAME]
    key = subprocess.run(create, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()
    hub.session.headers["Authorization"] = f"Bearer {key}"
    try:
        yield
    finally:
        for known in hub.call("GET", "/api/keys")["data"]:
            if known["name"] == KEY_NAME and known["tail"] == key[-4:] and not known["revokedAt"]:
                hub.call("DELETE", f"/api/keys/{known['id']}")


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
