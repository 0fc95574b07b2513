"""Times a 1600 × 1600 mockup on every template: in a process that has just started, and in one that has drawn the
plate before.

What does not live here: whether the pictures are right (`tests/patchbay/pictures`). Five runs each, the median
counts; the raw figures go to `bench/results/mockup.json`.
"""

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw

from patchbay.pictures import render, templates

RUNS = 5
RESULTS = Path(__file__).parent / "results" / "mockup.json"
LIMIT_MS = 1000

_COLD = (
    "import sys, time; started = time.perf_counter();"
    "from patchbay.pictures import render; render.make_mockup(sys.stdin.buffer.read(), sys.argv[1]);"
    "print((time.perf_counter() - started) * 1000)"
)


def main() -> int:
    """Print the table, keep the figures; 1 when a median is above the limit."""
    design = _design()
    measured = {template.id: _measure(design, template.id) for template in templates.all()}
    print(f"{'template':20} {'new process':>12} {'first':>10} {'again':>10}   median of {RUNS}, ms")
    for template_id, figures in measured.items():
        cold, first, again = (statistics.median(figures[kind]) for kind in ("cold_ms", "first_ms", "again_ms"))
        print(f"{template_id:20} {cold:12.0f} {first:10.0f} {again:10.0f}")
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(
        json.dumps({"hardware": _hardware(), "limit_ms": LIMIT_MS, "templates": measured}, indent=2) + "\n"
    )
    slowest = max(statistics.median(figures["cold_ms"]) for figures in measured.values())
    print(f"slowest: {slowest:.0f} ms, limit {LIMIT_MS} ms")
    return 0 if slowest <= LIMIT_MS else 1


def _measure(design: bytes, template_id: str) -> dict[str, list[float]]:
    figures: dict[str, list[float]] = {"cold_ms": [], "first_ms": [], "again_ms": []}
    for _ in range(RUNS):
        figures["cold_ms"].append(_in_new_process(design, template_id))
        templates.plate_of.cache_clear()
        figures["first_ms"].append(_timed(design, template_id))
        figures["again_ms"].append(_timed(design, template_id))
    return figures


def _in_new_process(design: bytes, template_id: str) -> float:
    command = [sys.executable, "-c", _COLD, template_id]
    return float(subprocess.run(command, input=design, capture_output=True, check=True).stdout)


def _timed(design: bytes, template_id: str) -> float:
    started = time.perf_counter()
    render.make_mockup(design, template_id)
    return (time.perf_counter() - started) * 1000


def _design() -> bytes:
    """A PNG of 3000 × 3000 pixels with transparency, as people upload for print."""
    picture = Image.new("RGBA", (3000, 3000))
    pen = ImageDraw.Draw(picture)
    for ring in range(12):
        inset = 100 + ring * 115
        pen.ellipse(
            (inset, inset, 3000 - inset, 3000 - inset), fill=(20 * ring, 90, 220 - 15 * ring, 255 if ring % 3 else 160)
        )
    encoded = BytesIO()
    picture.save(encoded, "PNG")
    return encoded.getvalue()


def _hardware() -> dict[str, str | int | None]:
    return {"machine": platform.machine(), "cores": os.cpu_count(), "python": platform.python_version()}


if __name__ == "__main__":
    raise SystemExit(main())
