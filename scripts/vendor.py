"""Fill static/vendor with the front-end files that are served, copied from their locked npm packages.

What is locked stands in package.json and package-lock.json; how pages use the files is the templates' matter.
"""

import hashlib
import json
import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))  # `python scripts/vendor.py` starts with scripts/ alone on the path

from patchbay import providers  # noqa: E402 - needs the line above
from scripts import npm  # noqa: E402 - needs it too

NODE_MODULES = ROOT / "node_modules"
VENDOR = ROOT / "static" / "vendor"
SVG = "http://www.w3.org/2000/svg"
FILES = {
    "htmx.min.js": "htmx.org/dist/htmx.min.js",
    "hx-sse.min.js": "htmx.org/dist/ext/hx-sse.min.js",
    "pico.min.css": "@picocss/pico/css/pico.min.css",
}


class VendorError(Exception):
    """Why static/vendor could not be filled, as one line."""


@dataclass(frozen=True)
class VendoredFile:
    """A file of static/vendor and the package it was copied from."""

    path: Path
    package: str
    version: str
    licence: str


def main() -> int:
    """Install the packages when the lock changed, then copy; returns the exit status."""
    try:
        npm.install(ROOT)
        vendored = copy_all(VENDOR, logos_named())
    except (npm.NpmError, VendorError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"static/vendor holds {len(vendored)} files")
    return 0


def logos_named() -> list[str]:
    """The simple-icons names of all platforms that Patchbay knows."""
    return sorted({one.logo for one in providers.all() if one.logo})


def copy_all(target: Path, logos: Sequence[str]) -> list[VendoredFile]:
    """Fill `target` afresh with FILES, the `logos` (simple-icons names), one sprite of them and a README.

    A logo that simple-icons lacks is left out: its card shows a letter. Raises VendorError.
    """
    shutil.rmtree(target, ignore_errors=True)
    (target / "logos").mkdir(parents=True)
    vendored = [_copy(target / name, source) for name, source in FILES.items()]
    vendored += [
        _copy(target / "logos" / f"{name}.svg", f"simple-icons/icons/{name}.svg") for name in logos if has_logo(name)
    ]
    drawn = [one.path for one in vendored if one.path.suffix == ".svg"]
    (target / "logos.svg").write_text(sprite(drawn), encoding="utf-8")
    vendored.append(VendoredFile(target / "logos.svg", *_package("simple-icons")))
    (target / "README.md").write_text(_readme(target, vendored), encoding="utf-8")
    return vendored


def has_logo(logo: str) -> bool:
    """Whether simple-icons draws it: brands that object are not in it."""
    return (NODE_MODULES / "simple-icons" / "icons" / f"{logo}.svg").is_file()


def sprite(icons: Iterable[Path]) -> str:
    """All `icons` as the symbols of one SVG, each under its file's name; they take the colour of the text around."""
    symbols = []
    for icon in icons:
        drawing = ET.parse(icon).getroot()  # noqa: S314 - a file of a package whose hash is locked
        paths = "".join(f'<path d="{path.attrib["d"]}"/>' for path in drawing.iter(f"{{{SVG}}}path"))
        symbols.append(
            f'<symbol id="{icon.stem}" viewBox="{drawing.attrib["viewBox"]}" fill="currentColor">{paths}</symbol>'
        )
    return f'<svg xmlns="{SVG}">{"".join(symbols)}</svg>\n'


def _copy(path: Path, source: str) -> VendoredFile:
    try:
        shutil.copyfile(NODE_MODULES / source, path)
    except OSError as error:
        raise VendorError(f"The npm package lacks {source}: {error.strerror}.") from error
    parts = source.split("/")
    return VendoredFile(path, *_package("/".join(parts[:2]) if source.startswith("@") else parts[0]))


def _package(name: str) -> tuple[str, str, str]:
    manifest = json.loads((NODE_MODULES / name / "package.json").read_text(encoding="utf-8"))
    return name, manifest["version"], manifest["license"]


def _readme(target: Path, vendored: Iterable[VendoredFile]) -> str:
    lines = [
        "# Files of other projects",
        "",
        "Copied from npm packages by scripts/vendor.py; not kept in git. `logos.svg` is made of the files in `logos/`.",
        "Trademarks stay with their owners.",
        "",
        "| file | package | version | licence | sha256 |",
        "| --- | --- | --- | --- | --- |",
    ]
    for one in vendored:
        digest = hashlib.sha256(one.path.read_bytes()).hexdigest()
        name = one.path.relative_to(target).as_posix()
        lines.append(f"| {name} | {one.package} | {one.version} | {one.licence} | {digest} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
