"""The process group from outside, with real processes on homes and ports of their own: start, watch, stop, survive.

What the processes do is tested in the rooms they come from.
"""

import contextlib
import os
import re
import secrets
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import IO, TypeVar

import psutil
import pytest

from patchbay.settings import ROOT

T = TypeVar("T")
PROCESSES = [("web", "granian"), ("workers", "flask"), ("redis", "redis-server"), ("sandbox", "sandbox")]
LAUNCH = [sys.executable, "-m", "launch"]
PATIENCE_S = 120.0  # with what no test is about: machines that run tests are busy


@dataclass
class Hub:
    """One `python -m launch` (or make around it), the lines it printed, and how to end it."""

    home: Path
    port: int
    sandbox_port: int
    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)

    def said(self, pattern: str, within_s: float = PATIENCE_S) -> str:
        """The first line that matches, waited for."""
        found = _eventually(lambda: next((line for line in [*self.lines] if re.search(pattern, line)), None), within_s)
        assert found, f"no line {pattern!r} in:\n" + "\n".join(self.lines)
        return found

    def ready(self) -> "Hub":
        self.said(r"^Patchbay is ready at ")
        return self

    def status_of_health(self) -> int:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        with contextlib.closing(connection):
            try:
                connection.request("GET", "/health")
                return connection.getresponse().status
            except OSError:
                return 0

    def processes(self) -> list[psutil.Process]:
        return _living_on(self.home)

    def started(self, word: str) -> set[int]:
        """The processes that the launcher itself started whose command line holds `word`."""
        return {child.pid for child in psutil.Process(self.launcher).children() if word in " ".join(child.cmdline())}

    @property
    def launcher(self) -> int:
        """Its process id, from the lock that it holds."""
        return int((self.home / "run" / "launch.lock").read_text())


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Hub]]:
    """Starts hubs that are gone after the test."""
    hubs: list[Hub] = []

    def begin(command: list[str] = LAUNCH, **environment: str) -> Hub:
        hub = _begin(tmp_path / "home", command, environment)
        hubs.append(hub)
        return hub

    yield begin
    for hub in hubs:
        for process in hub.processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        hub.process.wait(PATIENCE_S)


def test_readiness_is_one_plain_line_after_the_address_and_the_account(start: Callable[..., Hub]) -> None:
    hub = start(DEMO_PASSWORD="open sesame").ready()

    assert hub.status_of_health() == 200
    assert f"Patchbay is ready at http://127.0.0.1:{hub.port}" in hub.lines
    block = "\n".join(hub.lines[: hub.lines.index(f"Patchbay is ready at http://127.0.0.1:{hub.port}")])
    assert f"http://127.0.0.1:{hub.port}" in block
    assert "demo@patchbay.local, password open sesame" in block
    assert "Ctrl+C" in block


def test_without_the_sandbox_no_demo_account_is_shown(start: Callable[..., Hub]) -> None:
    hub = start(SANDBOX="off").ready()

    assert "demo@patchbay.local" not in "\n".join(hub.lines)
    assert not _listens(hub.sandbox_port)


def test_the_host_may_be_a_name(start: Callable[..., Hub]) -> None:
    hub = start(HOST="localhost", SANDBOX="off").ready()

    assert hub.said("^Patchbay is ready") == f"Patchbay is ready at http://localhost:{hub.port}"
    assert hub.status_of_health() == 200


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_all_within_ten_seconds_though_a_request_is_open(start: Callable[..., Hub], number: int) -> None:
    hub = start().ready()

    with _unfinished_request(hub.port):
        asked_at = time.monotonic()
        hub.process.send_signal(number)
        status = hub.process.wait(PATIENCE_S)

    assert time.monotonic() - asked_at < 10
    assert status == 0
    assert hub.processes() == []
    assert not _listens(hub.port)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_signal_to_make_alone_stops_all(start: Callable[..., Hub], tmp_path: Path, number: int) -> None:
    makefile = tmp_path / "Makefile"
    makefile.write_text(f"run:\n\t@exec {' '.join(LAUNCH)} --with-parent\n", encoding="utf-8")
    hub = start(["make", "--no-print-directory", "-C", str(ROOT), "-f", str(makefile), "run"]).ready()

    hub.process.send_signal(number)

    assert _eventually(lambda: not hub.processes())


def test_a_killed_launcher_leaves_nothing_behind(start: Callable[..., Hub]) -> None:
    hub = start().ready()

    with _unfinished_request(hub.port):
        os.kill(hub.launcher, signal.SIGKILL)

        assert _eventually(lambda: not hub.processes())
    assert not _listens(hub.port)
    assert not _listens(hub.sandbox_port)


def test_a_start_right_after_a_kill_of_launcher_and_keeper_is_ready(start: Callable[..., Hub]) -> None:
    earlier = start().ready()
    before = earlier.processes()

    for process in [*psutil.Process(earlier.launcher).children(), psutil.Process(earlier.launcher)]:
        if "launch" in process.cmdline():
            process.kill()
    later = start(PORT=str(earlier.port), SANDBOX_PORT=str(earlier.sandbox_port)).ready()

    assert later.status_of_health() == 200
    assert [process for process in before if process.is_running() and process.status() != psutil.STATUS_ZOMBIE] == []


def test_a_stale_socket_does_not_block_a_start(start: Callable[..., Hub], tmp_path: Path) -> None:
    run = tmp_path / "home" / "run"
    run.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(run / "redis.sock"))
    (run / "launch.lock").write_text("1\n", encoding="ascii")

    hub = start().ready()

    assert hub.status_of_health() == 200


@pytest.mark.parametrize(("name", "word"), PROCESSES)
def test_a_killed_process_is_started_again_and_said_to_be(start: Callable[..., Hub], name: str, word: str) -> None:
    hub = start().ready()
    (killed,) = hub.started(word)

    os.kill(killed, signal.SIGKILL)

    hub.said(rf"^launch  \| {name} was ended by SIGKILL after \d+ s; it starts again in 0.5 s$")
    assert _eventually(lambda: hub.started(word) - {killed} and hub.status_of_health() == 200)


def test_every_line_of_a_process_stands_behind_its_name(start: Callable[..., Hub]) -> None:
    hub = start().ready()
    hub.process.terminate()
    hub.process.wait(PATIENCE_S)

    after = hub.lines[hub.lines.index(f"Patchbay is ready at http://127.0.0.1:{hub.port}") + 1 :]

    assert after
    assert [line for line in after if not re.match(r"(launch|migrate|redis|web|workers|sandbox) *\| ", line)] == []


def test_a_second_start_on_the_same_home_is_refused_in_one_line(start: Callable[..., Hub]) -> None:
    hub = start().ready()

    refusal = _refused(hub.home)

    assert refusal.startswith(f"Patchbay runs already on {hub.home} (process {hub.launcher}): ")
    assert hub.status_of_health() == 200


@pytest.mark.parametrize("variable", ["PORT", "SANDBOX_PORT"])
def test_a_port_in_use_is_refused_in_one_line(tmp_path: Path, variable: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        refusal = _refused(tmp_path / "home", **{variable: str(port)})

    assert refusal.startswith(f"{variable}: {port} is in use on ")


def test_a_home_that_cannot_be_written_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    assert _refused(tmp_path / "file" / "home").startswith("PATCHBAY_HOME: cannot write to ")


def test_a_wrong_setting_is_refused_in_one_line(tmp_path: Path) -> None:
    assert _refused(tmp_path / "home", WORKERS="many").startswith("WORKERS must be a whole number")


def test_an_address_of_another_machine_is_refused_in_one_line(tmp_path: Path) -> None:
    assert _refused(tmp_path / "home", HOST="192.0.2.1").startswith("PORT: cannot listen on 192.0.2.1")


def test_a_database_newer_than_the_code_is_refused_in_one_line(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    with contextlib.closing(sqlite3.connect(home / "patchbay.sqlite3")) as database:
        database.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        database.execute("INSERT INTO alembic_version VALUES ('from_the_future')")
        database.commit()

    refusal = _refused(home)

    assert "newer" in refusal
    assert _living_on(home) == []


def test_a_reader_that_stops_reading_does_not_stop_the_writer() -> None:
    program = "from launch.output import Output\nout = Output()\nfor _ in range(2000): out.say('web', 'x' * 500)"
    with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE) as writer:
        assert writer.wait(PATIENCE_S) == 0


def test_lines_that_nobody_read_are_counted() -> None:
    program = (
        "import sys\nfrom launch.output import Output\nout = Output()\n"
        "for _ in range(2000): out.say('web', 'x' * 500)\n"
        "sys.stderr.write('full\\n'); sys.stdin.readline(); out.say('web', 'the end')"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as writer:  # fmt: skip
        assert writer.stdin
        assert writer.stdout
        assert writer.stderr
        writer.stderr.readline()
        shown = [writer.stdout.readline() for _ in range(50)]
        writer.stdin.write("\n")
        writer.stdin.flush()
        rest = writer.stdout.read()

    assert all(line.startswith("web     | x") for line in shown)
    assert re.search(r"^launch  \| \d+ lines were dropped: nobody read them\nweb     \| the end\n$", rest, re.MULTILINE)


def _begin(home: Path, command: list[str], settings: dict[str, str]) -> Hub:
    environment = _environment(home, settings)
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, text=True, start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    hub = Hub(home, int(environment["PORT"]), int(environment["SANDBOX_PORT"]), process)
    assert process.stdout
    threading.Thread(target=_collect, args=(process.stdout, hub.lines), daemon=True).start()
    return hub


def _collect(stream: IO[str], lines: list[str]) -> None:
    with stream:
        lines.extend(line.rstrip("\n") for line in stream)


def _refused(home: Path, **settings: str) -> str:
    """What a start that is refused prints: one line, with status 1."""
    done = subprocess.run(
        LAUNCH,
        cwd=ROOT,
        env=_environment(home, settings),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    return done.stderr.strip()


def _environment(home: Path, settings: dict[str, str]) -> dict[str, str]:
    """Settings of the test and none of the developer's own; an empty value also hides what a .env says."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    hidden = dict.fromkeys(("PUBLIC_URL", "DATABASE_URL", "REDIS_URL", "SANDBOX", "SANDBOX_URL", "DEMO_PASSWORD"), "")
    ports = {"HOST": "127.0.0.1", "PORT": str(_free_port()), "SANDBOX_PORT": str(_free_port()), "WORKERS": "1"}
    return {**inherited, **hidden, **ports, "PATCHBAY_HOME": str(home), **settings}


def _free_port() -> int:
    """From below the ports that the system hands to clients, so that no connection takes it before the hub does."""
    while True:
        port = 10_000 + secrets.randbelow(20_000)
        if not _listens(port):
            return port


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@contextlib.contextmanager
def _unfinished_request(port: int) -> Iterator[None]:
    """A request that keeps a thread busy, as an event stream does: its body never comes."""
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(
            f"POST /login HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: 100\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\n\r\nemail=".encode("ascii")
        )
        time.sleep(0.3)
        yield


def _living_on(home: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.status() != psutil.STATUS_ZOMBIE and process.environ().get("PATCHBAY_HOME") == str(home):
                found.append(process)
    return found


def _eventually(ask: Callable[[], T], within_s: float = PATIENCE_S) -> T:
    """What `ask` answers, once that is true, else its last answer."""
    deadline = time.monotonic() + within_s
    while not (answer := ask()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return answer
