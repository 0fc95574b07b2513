"""`python -m sandbox --port 8001 [--state FILE]`: serves the sandbox until a signal ends it.

All else is in the modules beside it.
"""

import argparse
import signal
import sqlite3
import sys
import threading
from pathlib import Path

from sandbox.server import serve


def main() -> int:
    """Exit status 0 after a signal, 1 with one line when the port or the file cannot be had."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="Stand-ins of all platforms, on loopback.")
    parser.add_argument("--port", type=int, default=8001)
    parser.add_argument("--state", type=Path, help="file that keeps the state over a restart")
    wanted = parser.parse_args()
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    try:
        with serve(wanted.port, wanted.state) as port:
            sys.stdout.write(f"Sandbox at http://localhost:{port}/_sandbox/\n")
            sys.stdout.flush()
            ended.wait()
    except OSError as error:
        sys.stderr.write(f"The sandbox cannot listen on port {wanted.port}: {error.strerror}\n")
        return 1
    except sqlite3.Error as error:
        sys.stderr.write(f"The sandbox cannot use the state file {wanted.state}: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
