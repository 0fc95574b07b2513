"""The command: read the settings, see that this machine and home are free, run the group.

How the group runs lives in `group`; what an operator can set lives in `patchbay.settings`.
"""

import errno
import fcntl
import os
import socket
import sys
from pathlib import Path

from dotenv import load_dotenv

from launch.group import Group, StartRefusedError
from launch.survivors import end_all, mark_of
from patchbay.errors import SettingsError
from patchbay.settings import ROOT, Settings, load

WITH_PARENT = "--with-parent"  # `make run` says so: a Ctrl+C or a kill that reaches make alone stops Patchbay too


def main(arguments: list[str]) -> int:
    """Run until told to stop; returns the exit status, and says in one line on stderr what keeps it from starting."""
    parent = os.getppid() if WITH_PARENT in arguments else None
    load_dotenv(ROOT / ".env")
    try:
        settings = load()
        held = _hold(settings.home)
        end_all(mark_of(settings.home))
        _refuse_ports_in_use(settings)
        status = Group(settings).run(parent)
    except (SettingsError, StartRefusedError) as refusal:
        sys.stderr.write(f"{refusal}\n")
        return 1
    os.close(held)
    return status


def _hold(home: Path) -> int:
    """Lock `home` for this process; the kernel lets go of it however the process ends. Raises StartRefusedError."""
    held = os.open(home / "run" / "launch.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.read(held, 20).decode().strip()
        raise StartRefusedError(
            f"Patchbay runs already on {home} (process {holder}): stop it, or set PATCHBAY_HOME to another folder."
        ) from error
    os.truncate(held, 0)
    os.write(held, f"{os.getpid()}\n".encode())
    return held


def _refuse_ports_in_use(settings: Settings) -> None:
    _refuse_port_in_use("PORT", settings.host, settings.port)
    if settings.sandbox:
        _refuse_port_in_use("SANDBOX_PORT", "localhost", settings.sandbox_port)


def _refuse_port_in_use(variable: str, host: str, port: int) -> None:
    try:
        addresses = {
            (family, address) for family, *_, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        }
    except OSError as error:
        raise StartRefusedError(f"HOST: {host} is not an address of this machine.") from error
    for family, address in addresses:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(address)
            except OSError as error:
                if error.errno == errno.EADDRNOTAVAIL and len(addresses) > 1:
                    continue  # the name has an address of IPv6, this machine has not
                raise StartRefusedError(_why_not(variable, host, port, error)) from error


def _why_not(variable: str, host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"{variable}: {port} is in use on {host}; stop what listens there, or set {variable} to another port."
    return f"{variable}: cannot listen on {host}, port {port}: {error.strerror}."


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
