"""A sandbox of the bench's own: its process, its control calls, and connects that walk its real consent.

What does not live here: what is measured on it.
"""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests

from patchbay import connections, providers, settings
from patchbay.connections import Caller
from patchbay.settings import ROOT
from patchbay.spec import Keys


@contextmanager
def serving() -> Iterator[str]:
    """The address of a sandbox process, whose state is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "sandbox", "--port", "0", "--state", f"{folder}/sandbox.sqlite3"]
        sandbox = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        try:
            line = sandbox.stdout.readline() if sandbox.stdout else ""
            if not line.startswith("Sandbox at "):
                raise RuntimeError("the sandbox did not start")
            yield line.removeprefix("Sandbox at ").strip().removesuffix("/_sandbox/")
        finally:
            sandbox.terminate()
            sandbox.wait()


def order(url: str, call: str, **wanted: Any) -> Any:
    """A control call that tells the sandbox to do or give something, with a JSON answer."""
    answer = requests.post(f"{url}/_sandbox/{call}", json=wanted, timeout=60)
    answer.raise_for_status()
    return answer.json()


def take_back(url: str, call: str) -> None:
    """A control call that ends something."""
    requests.delete(f"{url}/_sandbox/{call}", timeout=60).raise_for_status()


def held(url: str, provider: str, collection: str) -> list[dict[str, Any]]:
    """The first 500 entries that a platform holds in a collection."""
    params = {"collection": collection, "limit": "500"}
    answer = requests.get(f"{url}/_sandbox/{provider}/state", params=params, timeout=60)
    answer.raise_for_status()
    found: list[dict[str, Any]] = answer.json()["data"]
    return found


def connect(user_id: str, integration_id: str, fields: dict[str, str]) -> None:
    """Walk a connect as its user would; needs an app context. Raises RuntimeError when it does not succeed."""
    auth, caller = providers.get(integration_id).auth, Caller(user_id)
    if isinstance(auth, Keys):
        given = order(settings.current().sandbox_url, f"{integration_id}/token", shop=next(iter(fields.values())))
        pasted = {field.name: given[field.name] for field in auth.fields}
        returned = connections.connect_with_keys(caller, integration_id, fields, pasted)
    else:
        departure = connections.begin(caller, integration_id, fields)
        consent = {"sandbox_consent": "allow"}
        answer = requests.get(departure.url, params=consent, allow_redirects=False, timeout=10)
        query = dict(parse_qsl(urlsplit(answer.headers["Location"]).query, keep_blank_values=True))
        returned = connections.come_back(query, caller)
    if not returned.outcome.is_success:
        raise RuntimeError(f"connecting {integration_id} ended with {returned.outcome}")
