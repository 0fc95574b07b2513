"""How fast a catalogue of 50,000 products comes in, first and again, beside a bare loop and dlt; in how much memory.

What does not live here: the pages (`pages`) and the three that read them (`reader_…`), each in a process of its own.
"""

import json
import tempfile
from typing import Any

from bench import figures, installation
from bench.figures import RUNS, Row, median
from bench.pages import PATH, serving
from patchbay.settings import ROOT

PRODUCTS, FEW = 50_000, 1_000
GROWTH_MB, SHARE_OF_BARE = 30.0, 0.4
READERS, TIMES = ("bare", "patchbay", "dlt"), ("first", "again")
DLT_PYTHON = ROOT / ".venv" / "dlt" / "bin" / "python"

Figures = dict[str, dict[str, list[dict[str, Any]]]]


def main() -> list[Row]:
    """Measure, keep, and say how it compares."""
    began_under = figures.load()
    peaks = {FEW: _peaks(FEW), PRODUCTS: _peaks(PRODUCTS)}
    read: Figures = {reader: {time: [] for time in TIMES} for reader in READERS}
    with serving(PRODUCTS) as url:
        for _ in range(RUNS):
            _read_all(url, read)
    figures.keep("import_products", began_under, {"products": PRODUCTS, "peak_mb": peaks, "readers": read})
    growth = median(peaks[PRODUCTS]) - median(peaks[FEW])
    memory = Row(
        "import: memory of 50,000 products over 1,000", f"{growth:.1f} MB", f"< {GROWTH_MB:.0f} MB", growth < GROWTH_MB
    )
    return [memory, *(row for time in TIMES for row in _rows(read, time))]


def _peaks(products: int) -> list[float]:
    """Peak memory of a first import, in MB."""
    with serving(products) as url:
        return [_first_peak(url, products) for _ in range(RUNS)]


def _first_peak(url: str, products: int) -> float:
    with installation.home(SANDBOX="on", SANDBOX_URL=url) as env:
        installation.run(env, "-m", "bench.reader_patchbay", "connect")
        read = _measured(installation.run(env, "-m", "bench.reader_patchbay"))
    _expect(read["counts"]["created"], products)
    return float(read["peak_mb"])


def _read_all(url: str, read: Figures) -> None:
    """All three readers in turn, then all again, so that a change of the machine's load meets each of them."""
    with installation.home(SANDBOX="on", SANDBOX_URL=url) as env, tempfile.TemporaryDirectory() as folder:
        installation.run(env, "-m", "bench.reader_patchbay", "connect")
        for time in TIMES:
            bare = _measured(installation.run(env, "-m", "bench.reader_bare", url + PATH, f"{folder}/bare.sqlite3"))
            _expect(bare["rows"], PRODUCTS)
            ours = _measured(installation.run(env, "-m", "bench.reader_patchbay"))
            _expect(ours["counts"]["created" if time == "first" else "unchanged"], PRODUCTS)
            dlt = _measured(_dlt(env, url + PATH, folder))
            _expect(dlt["rows"], PRODUCTS)
            for reader, measured in zip(READERS, (bare, ours, dlt), strict=True):
                read[reader][time].append(measured)


def _dlt(env: dict[str, str], url: str, folder: str) -> str:
    if not DLT_PYTHON.exists():
        raise RuntimeError("dlt is not installed in .venv/dlt: run `make bench`")
    quiet = {**env, "RUNTIME__DLTHUB_TELEMETRY": "false"}
    return installation.run(quiet, "bench/reader_dlt.py", url, folder, python=str(DLT_PYTHON))


def _rows(read: Figures, time: str) -> list[Row]:
    rates = {reader: PRODUCTS / median([one["seconds"] for one in read[reader][time]]) for reader in READERS}
    share, times_dlt = rates["patchbay"] / rates["bare"], rates["patchbay"] / rates["dlt"]
    beside_bare = f"≥ {SHARE_OF_BARE} of {rates['bare']:,.0f}/s"
    what = "first import" if time == "first" else "import again, nothing changed"
    return [
        Row(f"{what}: Patchbay", f"{rates['patchbay']:,.0f}/s"),
        Row(f"{what}: share of a bare loop", f"{share:.2f}", beside_bare, share >= SHARE_OF_BARE),
        Row(f"{what}: times dlt", f"{times_dlt:.1f}", f"> 1 of {rates['dlt']:,.0f}/s", times_dlt > 1),
    ]


def _measured(printed: str) -> dict[str, Any]:
    """The JSON on the last line; what comes before are log lines."""
    found: dict[str, Any] = json.loads(printed.strip().splitlines()[-1])
    return found


def _expect(found: int, wanted: int) -> None:
    if found != wanted:
        raise RuntimeError(f"{found} products came in where {wanted} were to")
