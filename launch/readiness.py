"""Ask the group's processes whether they are ready, with a few bytes over a socket.

No HTTP library is loaded for it: this process lives as long as Patchbay and stays small.
"""

import socket
from pathlib import Path
from urllib.parse import urlsplit

from launch.commands import address
from patchbay.settings import Settings

WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - nothing is bound here: where to knock when web listens everywhere


def answers_ping(path: Path) -> bool:
    """Whether a Redis answers on the Unix socket `path`."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as redis:
        redis.settimeout(1.0)
        try:
            redis.connect(str(path))
            redis.sendall(b"PING\r\n")
            return redis.recv(16).startswith(b"+PONG")
        except OSError:
            return False


def health(settings: Settings) -> tuple[int, str]:
    """Status and body of GET /health; (0, "") while nothing answers."""
    name = urlsplit(settings.public_url).netloc
    request = f"GET /health HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n"
    try:
        with socket.create_connection(
            (WILDCARDS.get(host := address(settings.host), host), settings.port), timeout=2.0
        ) as web:
            web.sendall(request.encode("ascii"))
            answer = b"".join(iter(lambda: web.recv(65536), b""))
    except OSError:
        return 0, ""
    head, _, body = answer.partition(b"\r\n\r\n")
    words = head.split(maxsplit=2)
    is_answer = len(words) > 1 and words[0].startswith(b"HTTP/") and words[1].isdigit()
    return (int(words[1]), body.decode(errors="replace").strip()) if is_answer else (0, "")
