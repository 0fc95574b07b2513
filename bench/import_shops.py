"""10,000 products or listings from each shop of the sandbox, beside a bare loop over the same pages, storing nothing.

Here the platforms are the limit, by their own pace or by the limits that they set: how fast Patchbay could be is what
`import_products` measures.
"""

import json
from dataclasses import dataclass
from typing import Any

from bench import figures, installation, sandboxed
from bench.figures import RUNS, Row, median

MANY = 10_000
TIMES_BARE = 1.3
READERS = ("bare", "patchbay")


@dataclass(frozen=True)
class Shop:
    """What is filled and read; at a limit that takes minutes one run must do."""

    key: str
    name: str
    fields: dict[str, str]
    operation: str = "import_products"
    runs: int = RUNS


SHOPS = (
    Shop("shopify", "bench.myshopify.com", {"shop": "bench"}, runs=1),
    Shop("etsy", "", {}, "import_listings"),
    Shop("woocommerce", "bench.example", {"store": "bench.example"}),
)


def main() -> list[Row]:
    """Measure, keep, compare with the target."""
    began_under = figures.load()
    read: dict[str, list[dict[str, Any]]] = {}
    for shop in SHOPS:
        with sandboxed.serving() as url:
            sandboxed.order(
                url, f"{shop.key}/generate", count=MANY, seed=7, **({"shop": shop.name} if shop.name else {})
            )
            read[shop.key] = [_both(url, shop) for _ in range(shop.runs)]
    figures.keep("import_shops", began_under, {"many": MANY, "read": read})
    return [row for shop in SHOPS for row in _rows(shop, read[shop.key])]


def _both(url: str, shop: Shop) -> dict[str, Any]:
    """The loop, then Patchbay in a fresh home."""
    with installation.home(SANDBOX="on", SANDBOX_URL=url) as env:
        bare = _last(installation.run(env, "-m", "bench.loops", url, shop.key, shop.name))
        installation.run(env, "-m", "bench.one_run", "connect", shop.key, json.dumps(shop.fields))
        ours = _last(installation.run(env, "-m", "bench.one_run", "run", shop.key, shop.operation, "{}"))
    del ours["result"]
    if (bare["found"], ours["counts"]["created"]) != (MANY, MANY):
        raise RuntimeError(f"{shop.key}: {bare['found']} and {ours['counts']} came in where {MANY} were to")
    return dict(zip(READERS, (bare, ours), strict=True))


def _rows(shop: Shop, read: list[dict[str, Any]]) -> list[Row]:
    bare, ours = (median([run[reader]["seconds"] for run in read]) for reader in READERS)
    answers, times = read[0]["bare"]["answers"], ours / bare
    return [
        Row(f"{MANY:,} of {shop.key}: Patchbay", f"{ours:.1f} s", f"bare loop {bare:.1f} s, {answers:,} answers"),
        Row(f"{MANY:,} of {shop.key}: times the bare loop", f"{times:.2f}", f"≤ {TIMES_BARE}", times <= TIMES_BARE),
    ]


def _last(printed: str) -> dict[str, Any]:
    """The JSON on the last line; what comes before are log lines."""
    found: dict[str, Any] = json.loads(printed.strip().splitlines()[-1])
    return found
