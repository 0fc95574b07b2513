"""The command: run all benches, or those that are named, and print one table (`python -m bench [NAME …]`).

Each bench is a file of its own; BENCH_RUNS=1 gives a quick look instead of medians of five.
"""

import importlib
import sys

from bench import figures, mockup
from bench.figures import Row

BENCHES = (
    "import_products",
    "false_deletes",
    "import_shops",
    "large_files",
    "catalogue_page",
    "first_visit",
    "start",
    "mockup",
    "sustained_rate",
    "overhead",
    "refresh_once",
    "refresh_churn",
    "refresh_sweep",
    "month",
)


def main(names: list[str]) -> int:
    """1 when a target was missed or a name is unknown."""
    unknown = [name for name in names if name not in BENCHES]
    if unknown:
        print(f"There is no bench {', '.join(unknown)}; there are {', '.join(BENCHES)}.", file=sys.stderr)
        return 1
    rows: list[Row] = []
    for name in names or BENCHES:
        print(f"{name} …", flush=True)
        rows += [_mockup()] if name == "mockup" else importlib.import_module(f"bench.{name}").main()
    figures.show(rows)
    return int(any(row.is_met is False for row in rows))


def _mockup() -> Row:
    is_met = mockup.main() == 0
    return Row("mockup of 1600 × 1600", "see above", f"≤ {mockup.LIMIT_MS} ms", is_met)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
