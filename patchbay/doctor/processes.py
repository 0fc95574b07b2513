"""What runs: who listens on the ports, whether Redis answers, when the processes last gave a sign of life.

A Patchbay that is stopped is no fault; one that runs by half is.
"""

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import closing, suppress
from urllib.parse import urlsplit

from redis.exceptions import RedisError

from patchbay import health, queue
from patchbay.doctor.finding import Finding, broken, doubtful, well
from patchbay.settings import Settings

PATIENCE_S = 3.0
WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - nothing is bound here: where to knock
START = "start it with `make run`"


def listening(here: Settings) -> Iterator[Finding]:
    """Whether the port of web is Patchbay's, or free; and that of the sandbox, where there is one."""
    answer = answers_health(here)
    if answer is not None:
        status, checks = answer
        wrong = [f"{name}: {said}" for name, said in checks.items() if said != "ok"]
        if status == 200:
            yield well(f"Patchbay answers on port {here.port}")
        else:
            yield broken(f"Patchbay answers on port {here.port}: {'; '.join(wrong) or status}", "see the lines below")
    elif _is_taken(here.host, here.port):
        yield broken(f"another program listens on port {here.port}", "stop it, or set PORT to another")
    else:
        yield doubtful(f"Patchbay does not run; port {here.port} is free", START)
    if here.sandbox and answer is None and _is_taken("localhost", here.sandbox_port):
        yield broken(f"another program listens on port {here.sandbox_port}", "stop it, or set SANDBOX_PORT to another")


def redis(here: Settings) -> Iterator[Finding]:
    """Whether Redis answers. The embedded one runs with Patchbay."""
    try:
        queue.redis().ping()
    except RedisError as error:
        if here.embedded_redis and answers_health(here) is None:
            yield doubtful("the embedded Redis does not run", START)
            return
        advice = f"see {here.home / 'logs' / 'redis.log'}" if here.embedded_redis else "see REDIS_URL and that server"
        yield broken(f"does not answer ({type(error).__name__})", advice)
        return
    yield well(f"answers; {queue.depth() or 0} hints wait for a worker")


def signs_of_life(here: Settings) -> Iterator[Finding]:
    """Workers and clock."""
    checks = health.checks()
    silent = [name for name in ("workers", "scheduler") if checks[name] != "ok"]
    if not silent:
        yield well("workers and clock give signs of life")
    elif answers_health(here) is None:
        yield doubtful("no worker and no clock, as Patchbay does not run", START)
    else:
        yield broken("; ".join(checks[name] for name in silent), "restart Patchbay, and see what `workers` says")


def answers_health(here: Settings) -> tuple[int, dict[str, str]] | None:
    """Status and checks of the Patchbay that listens on our port; None when none does."""
    host = WILDCARDS.get(here.host, here.host)
    with suppress(OSError, http.client.HTTPException, ValueError):
        connection = http.client.HTTPConnection(host, here.port, timeout=PATIENCE_S)
        with closing(connection):
            connection.request("GET", "/health", headers={"Host": urlsplit(here.public_url).netloc})
            answer = connection.getresponse()
            said = json.loads(answer.read(65536))
            if isinstance(said, dict) and isinstance(said.get("checks"), dict):
                return answer.status, {str(name): str(state) for name, state in said["checks"].items()}
    return None


def _is_taken(host: str, port: int) -> bool:
    with suppress(OSError):
        socket.create_connection((WILDCARDS.get(host, host), port), timeout=PATIENCE_S).close()
        return True
    return False
