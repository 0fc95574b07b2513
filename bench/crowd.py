"""A running web server with sixty integrations, fifty of them connected, and a signed-in session.

What does not live here: the application behind it (`crowd_app`), and what is measured on it.
"""

import re
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from bench import crowd_app, installation
from launch.commands import web_command
from patchbay.settings import ROOT, Settings


@dataclass(frozen=True)
class Site:
    """Where the server is, and the session cookie of its demo user."""

    url: str
    cookie_name: str
    cookie: str


@contextmanager
def serving() -> Iterator[Site]:
    """The site, once it answers."""
    with tempfile.TemporaryDirectory() as folder:
        crowd_app.write_providers(Path(folder), [path.stem for path in (ROOT / "static/vendor/logos").glob("*.svg")])
        ports = {"PORT": str(free_port()), "SANDBOX_PORT": str(free_port())}
        with installation.home(BENCH_PROVIDERS=folder, SANDBOX="on", **ports) as env:
            installation.run(env, "-m", "bench.crowd_app")
            settings = installation.settings_of(env)
            command = [word.replace("app:create_app", "bench.crowd_app:create_app") for word in web_command(settings)]
            server = subprocess.Popen(command, env=env, cwd=ROOT, stdout=subprocess.DEVNULL)
            try:
                yield _signed_in(settings)
            finally:
                server.terminate()
                server.wait()


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _signed_in(settings: Settings) -> Site:
    """Through the form, as people do."""
    browser = requests.Session()
    login = f"{settings.public_url}/login"
    _wait_for(login)
    token = re.search(r'name="csrf_token" value="([^"]+)"', browser.get(login, timeout=10).text)
    if token is None:
        raise RuntimeError("the sign-in page has no token")
    answer = browser.post(f"{login}/demo", data={"csrf_token": token[1]}, timeout=10, allow_redirects=False)
    if answer.status_code not in {302, 303}:
        raise RuntimeError(f"signing in answered {answer.status_code}")
    return Site(settings.public_url, settings.cookie_name, browser.cookies[settings.cookie_name])


def _wait_for(url: str) -> None:
    until = time.monotonic() + 30
    while True:
        try:
            requests.get(url, timeout=5)
        except requests.ConnectionError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            return
