"""What a file of tests beside this one declares: which witness it asks, and how its exchanges are read.

What the witnesses said is read from the tests' report by `scripts.conformance`.
"""

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from tests.conformance.recording import Exchange

NODE_MODULES = Path(__file__).parent / "node_modules"
_ID = re.compile(r"/(?=[^/]*\d)(?:\d+|[^/]{12,})(?=/|$)")


@dataclass(frozen=True)
class Witness:
    """Something from outside that a file's tests ask, of a provider by its name.

    `package` is what carries it: a Python package, or one of the npm packages that tests/conformance/package.json
    names. `subject` says what it is held against. Files that declare the same witness share a row. `is_general`: it
    knows a protocol such as OAuth, but not this platform, and so does not count for the ladder of quality.
    """

    platform: str
    name: str
    package: str
    subject: str
    is_general: bool = False

    @property
    def title(self) -> str:
        """The name with the version that was asked. Raises PackageNotFoundError when it is not installed."""
        return f"{self.name} ({self.package} {version_of(self.package)})"


@dataclass(frozen=True)
class Reading:
    """How a file reads what went over the wire.

    `operations` names what an exchange that went well carried out, in the words of the witness. `misfits` says, each as
    a sentence, where an exchange differs from a specification; it is asked about every exchange of every test.
    """

    operations: Callable[[Exchange], Iterable[str]]
    misfits: Callable[[Exchange], Iterable[str]] = lambda _exchange: ()


def version_of(package: str) -> str:
    """The installed version of an npm or Python package. Raises PackageNotFoundError."""
    manifest = NODE_MODULES / package / "package.json"
    if manifest.is_file():
        return str(json.loads(manifest.read_text("utf-8"))["version"])
    return version(package)


def by_address(exchange: Exchange) -> tuple[str, ...]:
    """The reading of a file that declares none: method and path, with `{id}` for what looks like one."""
    return (f"{exchange.method} {_ID.sub('/{id}', exchange.path)}",)


PLAIN = Reading(by_address)
