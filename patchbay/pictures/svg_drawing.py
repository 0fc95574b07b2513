"""A program: draws the SVG on its standard input as a PNG on its standard output, under limits of memory and time.

What does not live here: the checks of what the SVG may contain (`svg`). It is a process of its own because the
renderer is native code that ends its process when a drawing overruns the stack, and because no thread can be stopped
from outside.
"""

import resource
import sys

import resvg_py

MEMORY_LIMIT_BYTES = 1 << 30
CPU_LIMIT_S = 10


def main(longer: str, box: int) -> None:
    """Read, draw with the `longer` side ("width" or "height") at `box` pixels, write; ends with 0 when all is well."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT_BYTES, MEMORY_LIMIT_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_LIMIT_S, CPU_LIMIT_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    text = sys.stdin.buffer.read().decode("utf-8-sig")
    # The shorter side is left to the renderer: given both, it obeys the width alone.
    width, height = (box, None) if longer == "width" else (None, box)
    png = resvg_py.svg_to_bytes(svg_string=text, width=width, height=height, skip_system_fonts="<text" not in text)
    sys.stdout.buffer.write(png)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
