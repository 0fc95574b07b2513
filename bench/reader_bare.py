"""The first yardstick: the loop that anybody would write over the same pages, with nothing around it.

requests, JSON, an upsert by external id with a commit per page; durable as Patchbay is (WAL, synchronous=FULL).
Prints JSON: seconds (and of processor time), and how many rows there are.
"""

import json
import sqlite3
import sys
import time

import requests

from patchbay.providers.shopify.catalogue import PAGE, PRODUCTS

UPSERT = """INSERT INTO products (external_id, title, data) VALUES (?, ?, ?)
ON CONFLICT (external_id) DO UPDATE SET title = excluded.title, data = excluded.data"""


def main(url: str, file: str) -> None:
    """Read all pages into the file."""
    database = sqlite3.connect(file, isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute(
        "CREATE TABLE IF NOT EXISTS products (external_id TEXT PRIMARY KEY, title TEXT NOT NULL, data TEXT NOT NULL)"
    )
    started, cpu_started = time.perf_counter(), time.process_time()
    _read(url, database)
    seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu_started
    rows = database.execute("SELECT count(*) FROM products").fetchone()[0]
    print(json.dumps({"seconds": seconds, "cpu_seconds": cpu_seconds, "rows": rows}))


def _read(url: str, database: sqlite3.Connection) -> None:
    session, after, has_more = requests.Session(), None, True
    while has_more:
        body = {"query": PRODUCTS, "variables": {"first": PAGE, "after": after}}
        products = session.post(url, json=body, timeout=30).json()["data"]["products"]
        rows = [(node["id"], node["title"], json.dumps(node)) for node in products["nodes"]]
        database.execute("BEGIN")
        database.executemany(UPSERT, rows)
        database.execute("COMMIT")
        after, has_more = products["pageInfo"]["endCursor"], products["pageInfo"]["hasNextPage"]


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
