"""The second yardstick: dlt's REST API source into SQLite, merged by id, over the same pages. Runs in .venv/dlt.

Nested lists stay JSON, as in the other two readers. Prints JSON: seconds of `pipeline.run` (and of processor time),
and how many rows there are.
"""

import json
import sqlite3
import sys
import time
from pathlib import Path
from typing import Any

import dlt
from dlt.sources.rest_api import rest_api_source


def main(url: str, folder: str) -> None:
    """Load all pages into `folder`/bench.db."""
    file = Path(folder) / "bench.db"
    pipeline = dlt.pipeline(
        pipeline_name="bench",
        pipelines_dir=f"{folder}/pipelines",
        destination=dlt.destinations.sqlalchemy(f"sqlite:///{file}", create_primary_keys=True),
        dataset_name="main",
    )
    source = rest_api_source(_declared(url))
    source.max_table_nesting = 0
    started, cpu_started = time.perf_counter(), time.process_time()
    pipeline.run(source).raise_on_failed_jobs()
    seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu_started
    with sqlite3.connect(file) as database:
        rows = database.execute("SELECT count(*) FROM products").fetchone()[0]
    print(json.dumps({"seconds": seconds, "cpu_seconds": cpu_seconds, "rows": rows}))


def _declared(url: str) -> Any:
    base, _, path = url.rpartition("/")
    paginator = {
        "type": "cursor",
        "cursor_path": "data.products.pageInfo.endCursor",
        "cursor_body_path": "variables.after",
        "has_more_path": "data.products.pageInfo.hasNextPage",
    }
    products = {
        "name": "products",
        "primary_key": "id",
        "write_disposition": "merge",  # by deleting and inserting: dlt offers no upsert into SQLite
        "endpoint": {
            "path": path,
            "method": "POST",
            "json": {"variables": {"first": 250, "after": None}},  # the server of the pages looks at the cursor alone
            "data_selector": "data.products.nodes",
            "paginator": paginator,
        },
    }
    return {"client": {"base_url": base}, "resources": [products]}


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
