"""The sandbox as a process and as a server: addresses, keep-alive, endings."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
import requests

from launch.group import STOP_WITHIN_S
from sandbox import running
from tests.servers import free_port

ROOT = Path(__file__).parents[2]


@pytest.fixture
def process() -> Iterator[tuple[subprocess.Popen[str], int]]:
    port = free_port()
    with subprocess.Popen(
        [sys.executable, "-m", "sandbox", "--port", str(port)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as started:
        assert started.stdout is not None
        assert started.stdout.readline() == f"Sandbox at http://localhost:{port}/_sandbox/\n"
        yield started, port
        started.kill()


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_both_loopback_addresses_answer(url: str, host: str) -> None:
    port = urlsplit(url).port

    assert requests.get(f"http://{host}:{port}/_sandbox/google-drive/state", timeout=10).status_code == 200


def test_one_connection_serves_many_requests(url: str) -> None:
    connection = HTTPConnection("127.0.0.1", urlsplit(url).port or 0, timeout=10)
    connection.connect()
    opened = connection.sock
    statuses = []

    for _ in range(3):
        connection.request("POST", "/www.googleapis.com/drive/v3/files", b'{"name": "x"}')
        answer = connection.getresponse()
        answer.read()
        statuses.append(answer.status)

    assert statuses == [401, 401, 401]
    assert connection.sock is opened
    connection.close()


def test_chunked_body_is_read_whole(url: str) -> None:
    connection = HTTPConnection("127.0.0.1", urlsplit(url).port or 0, timeout=10)

    connection.request(
        "POST",
        "/_sandbox/reset",
        iter([b'{"provider": ', b'"google-drive"}']),
        {"Content-Type": "application/json"},
        encode_chunked=True,
    )

    assert connection.getresponse().read() == b'{"reset":["google-drive"]}'
    connection.close()


@pytest.mark.parametrize("head", [b"Content-Length: many", b"Content-Length: -1", b"Transfer-Encoding: chunked"])
def test_broken_framing_is_refused(url: str, head: bytes) -> None:
    with socket.create_connection(("127.0.0.1", urlsplit(url).port or 0), 10) as connection:
        connection.sendall(b"POST /_sandbox/reset HTTP/1.1\r\nHost: localhost\r\n" + head + b"\r\n\r\nzz\r\n")

        assert connection.recv(100).startswith(b"HTTP/1.1 400 ")


def test_body_too_large_is_refused_before_it_is_read(url: str) -> None:
    with socket.create_connection(("127.0.0.1", urlsplit(url).port or 0), 10) as connection:
        connection.sendall(b"POST /_sandbox/reset HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n")

        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


def test_taken_port_is_one_clear_line(url: str) -> None:
    port = urlsplit(url).port

    ended = subprocess.run(
        [sys.executable, "-m", "sandbox", "--port", str(port)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr == f"The sandbox cannot listen on port {port}: Address already in use\n"


def test_unusable_state_file_is_one_clear_line(tmp_path: Path) -> None:
    path = tmp_path / "state"
    path.write_text("no database at all, but long enough to be taken for one" * 50)

    ended = subprocess.run(
        [sys.executable, "-m", "sandbox", "--port", str(free_port()), "--state", str(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert ended.returncode == 1
    assert ended.stderr == f"The sandbox cannot use the state file {path}: file is not a database\n"


def test_signal_ends_it_before_the_launcher_would_kill_it_with_connections_open(
    process: tuple[subprocess.Popen[str], int],
) -> None:
    started, port = process
    order = {"kind": "hang", "seconds": 60}
    requests.post(f"http://localhost:{port}/_sandbox/google-drive/faults", json=order, timeout=10)
    with socket.create_connection(("127.0.0.1", port), 10) as hanging:
        hanging.sendall(b"GET /www.googleapis.com/drive/v3/files HTTP/1.1\r\nHost: localhost\r\n\r\n")
        time.sleep(0.2)
        begun = time.monotonic()

        started.send_signal(signal.SIGTERM)

        assert started.wait(60) == 0
        assert time.monotonic() - begun < STOP_WITHIN_S


def test_idle_process_stays_under_sixty_megabytes(process: tuple[subprocess.Popen[str], int]) -> None:
    started, port = process
    requests.get(f"http://localhost:{port}/_sandbox/", timeout=10)

    used = psutil.Process(started.pid).memory_full_info().uss

    assert used < 60 * 1024 * 1024


def test_port_is_free_again_after_the_end() -> None:
    port = free_port()
    with running(port):
        pass

    with running(port) as url:
        assert requests.get(f"{url}/_sandbox/", timeout=10).status_code == 200
