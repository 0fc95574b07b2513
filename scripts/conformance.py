"""`make conformance`: what outside clients and specifications say of the sandbox and of our requests, as a table.

The witnesses are tests under tests/conformance, each file with its declaration; this finds them, runs them and reads
their report. `--write` keeps what they said in docs/conformance.md.
"""

import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from textwrap import fill
from types import ModuleType
from xml.etree import ElementTree as ET

from patchbay import providers
from patchbay.spec import Status
from tests.conformance.witness import Witness

ROOT = Path(__file__).resolve().parent.parent
FOLDER = "tests/conformance"
TESTS = ROOT / FOLDER
DOCUMENT = ROOT / "docs" / "conformance.md"
WIDTH = 100
TITLE = "# What outside sources say"
MUTATION = "## Which mistakes they would notice"
NOBODY = "Nothing of it: no outside source is asked."


@dataclass(frozen=True)
class Declared:
    """What the files under tests/conformance declare, by platform: witnesses with their files' names, and gaps."""

    witnesses: Mapping[Witness, tuple[str, ...]]
    unwitnessed: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Finding:
    """What one witness said: the operations it met, how many checks there were, and what did not fit."""

    witness: Witness
    operations: tuple[str, ...]
    checks: int
    mismatches: tuple[str, ...]


@dataclass(frozen=True)
class Case:
    """A test that was run: its file from the root on, and what it failed of, None when it passed."""

    path: str
    name: str
    properties: tuple[tuple[str, str], ...]
    cause: str | None


class NoReport(Exception):
    """The witnesses could not be asked; the text is what pytest said."""


def main(arguments: Sequence[str]) -> int:
    """Ask all witnesses and print what they say; 1 when something does not fit, 2 for an unknown argument."""
    if not set(arguments) <= {"--write"}:
        print("usage: python -m scripts.conformance [--write]", file=sys.stderr)
        return 2
    try:
        findings = ask(declared().witnesses)
    except NoReport as failure:
        print(failure, file=sys.stderr)
        return 1
    return tell(findings, is_kept=bool(arguments))


def tell(findings: Sequence[Finding], *, is_kept: bool) -> int:
    """Print the findings, write them to the document when they are to be kept and all fits; the exit status."""
    print(table(findings))
    if any(finding.mismatches for finding in findings):
        return 1
    if is_kept:
        keep_part(TITLE, document(findings))
    return 0


@cache
def declared() -> Declared:
    """Read the declarations of all files. Raises NoReport for a file that stands for nothing."""
    witnesses: dict[Witness, tuple[str, ...]] = {}
    gaps: dict[str, tuple[str, ...]] = {}
    for path in sorted(TESTS.glob("test_*.py")):
        module = import_module(f"tests.conformance.{path.stem}")
        witness: Witness | None = getattr(module, "WITNESS", None)
        unwitnessed: tuple[str, ...] = getattr(module, "UNWITNESSED", ())
        if witness is not None:
            witnesses[witness] = (*witnesses.get(witness, ()), path.name)
        if unwitnessed:
            platform = witness.platform if witness else _platform_of(module)
            gaps[platform] = tuple(dict.fromkeys((*gaps.get(platform, ()), *unwitnessed)))
    seen = {witness.platform for witness in witnesses} | set(gaps)
    gaps |= {one.name: (NOBODY,) for one in providers.all() if one.status is Status.ACTIVE and one.name not in seen}
    in_order = dict(sorted(witnesses.items(), key=lambda row: (row[0].platform, row[1])))
    return Declared(in_order, dict(sorted(gaps.items())))


def ask(witnesses: Mapping[Witness, Sequence[str]]) -> list[Finding]:
    """Run the tests of the witnesses. Raises NoReport when pytest does not come to an end, or a witness is silent."""
    return heard(told_by(*(f"{FOLDER}/{name}" for names in witnesses.values() for name in names)), witnesses)


def told_by(*arguments: str) -> list[Case]:
    """The tests that pytest runs for these arguments. Raises NoReport when it does not come to an end."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        options = ["-p", "no:cacheprovider", "-o", "junit_family=xunit1", f"--junit-xml={report}"]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *options, *arguments],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode not in {0, 1} or not report.is_file():
            raise NoReport(f"The tests could not be run:\n{done.stdout}{done.stderr}")
        return cases(report)


def cases(report: Path) -> list[Case]:
    """The tests of a JUnit report."""
    return [_case(one) for one in ET.parse(report).iter("testcase")]  # noqa: S314 - pytest has just written it


def heard(told: Iterable[Case], witnesses: Mapping[Witness, Sequence[str]]) -> list[Finding]:
    """What each witness said, from the tests that asked it. Raises NoReport for a file that made no check."""
    by_path: dict[str, list[Case]] = defaultdict(list)
    for case in told:
        by_path[case.path].append(case)
    found = {witness: [by_path[f"{FOLDER}/{name}"] for name in names] for witness, names in witnesses.items()}
    silent = [name for names in witnesses.values() for name in names if not by_path[f"{FOLDER}/{name}"]]
    if silent:
        raise NoReport(f"No check was made in {', '.join(silent)}")
    return [_finding(witness, [case for one in of_files for case in one]) for witness, of_files in found.items()]


def table(findings: Iterable[Finding]) -> str:
    """For a terminal: a block for each witness, then what nobody from outside could check."""
    blocks = [_block(finding) for finding in findings]
    for platform, gaps in declared().unwitnessed.items():
        lines = [fill(gap, WIDTH, initial_indent="  - ", subsequent_indent="    ") for gap in gaps]
        blocks.append("\n".join([f"{platform}: what no outside source could check", *lines]))
    return "\n\n".join(blocks)


def keep_part(title: str, text: str) -> None:
    """Put the text in place of the part of docs/conformance.md that begins with this line."""
    parts = kept_parts() | {title: text}
    DOCUMENT.write_text("\n".join(parts[line] for line in (TITLE, MUTATION) if line in parts), encoding="utf-8")
    print(f"\nWritten: {DOCUMENT.relative_to(ROOT)}")


def kept_parts() -> dict[str, str]:
    """The parts of docs/conformance.md by their first lines: what the witnesses say, and which changes are noticed."""
    said, _, noticed = DOCUMENT.read_text("utf-8").partition(f"\n{MUTATION}\n")
    return {TITLE: said} | ({MUTATION: f"{MUTATION}\n{noticed}"} if noticed else {})


def document(findings: Iterable[Finding]) -> str:
    """The part of docs/conformance.md that says what the witnesses say."""
    findings = list(findings)
    rows = [
        f"| {finding.witness.platform} | {finding.witness.title} | {finding.witness.subject} "
        f"| {finding.checks} | {len(finding.mismatches)} |"
        for finding in findings
    ]
    covered = [
        f"- {finding.witness.platform}, {finding.witness.title}: {_listed(finding.operations)}" for finding in findings
    ]
    gaps = [
        line
        for platform, texts in declared().unwitnessed.items()
        for line in ("", f"### {platform}", "", *(f"- {t}" for t in texts))
    ]
    return "\n".join([*_HEAD, *rows, *_COVERED, *covered, *_GAPS, *gaps, ""])


_HEAD = (
    TITLE,
    "",
    "Written by `make conformance`.",
    "",
    "Sandbox and providers are each written from the platforms' documents. The witnesses below come from elsewhere:",
    "official clients that talk to the sandbox, and specifications that requests and answers are held against.",
    "",
    "| platform | what checked it | what was checked | checks | mismatches |",
    "| --- | --- | --- | ---: | ---: |",
)
_COVERED = ("", "## Operations covered", "")
_GAPS = (
    "",
    "## What no outside source could check",
)


def _platform_of(module: ModuleType) -> str:
    """Of a file that asks no witness: the provider that it is named after."""
    name = module.__name__.rpartition(".")[2].removeprefix("test_")
    found = [one.name for one in providers.all() if one.key.replace("-", "_") == name]
    if not found:
        raise NoReport(f"tests/conformance/test_{name}.py has no WITNESS, and no provider is named {name}")
    return found[0]


def _case(element: ET.Element) -> Case:
    failure = element.find("failure")
    failure = failure if failure is not None else element.find("error")
    message = None if failure is None else failure.get("message", "")
    properties = tuple((one.get("name", ""), one.get("value", "")) for one in element.iter("property"))
    path = element.get("classname", "").replace(".", "/") + ".py"
    return Case(path, element.get("name", ""), properties, message)


def _finding(witness: Witness, cases: Sequence[Case]) -> Finding:
    operations = {text for case in cases for _, text in case.properties}
    mismatches = tuple(_reason(case.name, case.cause) for case in cases if case.cause is not None)
    return Finding(witness, tuple(sorted(operations)), len(cases), mismatches)


def _reason(name: str, cause: str) -> str:
    return f"{name}: {cause.splitlines()[0] if cause else 'failed'}"


def _block(finding: Finding) -> str:
    covered = fill(
        ", ".join(finding.operations), WIDTH, initial_indent="  operations  ", subsequent_indent=" " * 14,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
    lines = [
        f"{finding.witness.platform}: {finding.witness.title}",
        f"  checked     {finding.witness.subject}",
        covered,
        f"  mismatches  {len(finding.mismatches)} in {finding.checks} checks",
        *(f"    {mismatch}" for mismatch in finding.mismatches),
    ]
    return "\n".join(lines)


def _listed(operations: Iterable[str]) -> str:
    return ", ".join(f"`{operation}`" for operation in operations)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
