"""`make new-provider NAME=acme`: writes the files of a new provider, an example that works against the sandbox.

Their texts lie in scripts/skeleton; what is to be done with them stands in docs/adding-a-provider.md.
"""

import keyword
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template

from patchbay import providers

ROOT = Path(__file__).resolve().parent.parent
SKELETON = Path(__file__).resolve().parent / "skeleton"
KEY = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
LONGEST = 30
FILES = {
    "patchbay/providers/$module.py": "provider.py.txt",
    "sandbox/hosts/$module.py": "host.py.txt",
    "tests/providers/test_$module.py": "test.py.txt",
    "tests/providers/fixtures/$module/items.json": "items.json.txt",
}


class NameRefused(Exception):
    """Why no provider can be made under a name, as one line."""


@dataclass(frozen=True)
class Name:
    """The forms that one key is written in: `acme-print`, `acme_print`, `AcmePrint`, `ACME_PRINT`, `Acme Print`."""

    key: str

    @property
    def words(self) -> Mapping[str, str]:
        """What stands in the skeleton for each form."""
        parts = self.key.split("-")
        return {
            "key": self.key,
            "module": "_".join(parts),
            "slug": "".join(parts),
            "class_name": "".join(part.capitalize() for part in parts),
            "constant": "_".join(parts).upper(),
            "name": " ".join(part.capitalize() for part in parts),
        }

    def fill(self, text: str) -> str:
        """The text with each form in its places."""
        return Template(text).substitute(self.words)


def main(arguments: Sequence[str]) -> int:
    """Write the files and say what to do next; 1 when the name cannot be taken, with nothing written."""
    try:
        if len(arguments) != 1:
            raise NameRefused("Say which: make new-provider NAME=acme")
        written = write(arguments[0], ROOT)
    except NameRefused as refusal:
        print(refusal, file=sys.stderr)
        return 1
    subprocess.run([sys.executable, "-m", "scripts.integration_docs"], cwd=ROOT, check=True)
    for path in written:
        print(f"written  {path.relative_to(ROOT)}")
    print(f"Next: docs/adding-a-provider.md, and .venv/bin/python -m pytest {written[2].relative_to(ROOT)}")
    return 0


def write(key: str, root: Path) -> list[Path]:
    """Write the files below `root` and return their paths. Raises NameRefused before anything is written."""
    name = checked(key, root)
    paths = [root / name.fill(path) for path in FILES]
    for path, skeleton in zip(paths, FILES.values(), strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name.fill((SKELETON / skeleton).read_text("utf-8")), encoding="utf-8")
    return paths


def checked(key: str, root: Path) -> Name:
    """The name, when it is one and free. Raises NameRefused."""
    if not KEY.fullmatch(key) or len(key) > LONGEST:
        raise NameRefused(
            f"{key[:60]!r} is not a provider's key: up to {LONGEST} small letters and digits, a letter first, "
            "words parted by single hyphens."
        )
    name = Name(key)
    module = name.words["module"]
    for file in FILES:
        path = root / name.fill(file)
        for taken in (path, path.with_suffix("")):  # a provider that grew is a folder
            if taken.exists():
                raise NameRefused(f"{key} exists already: {taken.relative_to(root)}")
    if keyword.iskeyword(module) or hasattr(providers, module):
        raise NameRefused(f"{key} cannot be a provider's key: Python or patchbay.providers uses the name.")
    return name


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
