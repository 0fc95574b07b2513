"""`python -m scripts.demo`: walk the journey against the hub that runs, or one started for it.

It needs the sandbox: it approves the consent by itself, which no real platform allows.
"""

import sys

import requests

from patchbay import settings
from scripts.demo.hub import Hub, StepFailed, running, signed_in
from scripts.demo.journey import Journey, show_progress


def main() -> int:
    """Exit code 0 when every step went well, else 1."""
    here = settings.load()
    if not here.sandbox:
        print("The demo needs the sandbox: it works on loopback only, with SANDBOX=on.", file=sys.stderr)
        return 1
    with running(here):
        hub = Hub(here.public_url, here.sandbox_url, show_progress)
        journey = Journey(hub)
        try:
            with signed_in(hub):
                journey.walk()
        except (StepFailed, requests.RequestException, LookupError) as error:
            print(f"\n✗ {error}", file=sys.stderr)
            return 1
        journey.print_table()
    return 0


if __name__ == "__main__":
    sys.exit(main())
