"""Patchbay as a reader of the pages: the real execution of an import run, one process per run.

Prints JSON: what `one_run` measures.
"""

import json
import sys

from app import create_app
from bench import installation, one_run
from bench.pages import SHOP
from patchbay import accounts, clock, tenancy
from patchbay.models import transaction


def connect() -> None:
    """Make the connection; in a process of its own, because hashing a password takes 64 MB for a moment."""
    with create_app().app_context(), tenancy.everyone():
        user_id = accounts.demo_user().id
        with transaction() as session:
            session.add(
                installation.connection(
                    user_id, "shopify", clock.now(), settings={"shop": SHOP}, scopes=["read_products", "write_products"]
                )
            )


def read() -> None:
    """Import, say what it took."""
    with create_app().app_context(), tenancy.everyone():
        measured = one_run.carried_out("shopify", "import_products", {})
        print(json.dumps({name: value for name, value in measured.items() if name != "result"}))


if __name__ == "__main__":
    connect() if sys.argv[1:] == ["connect"] else read()
