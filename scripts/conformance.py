"""`make conformance`: what outside clients and specifications say of the sandbox and of our requests, as a table.

The witnesses are tests under tests/conformance; this runs them and reads their report. `--write` keeps what they said
in docs/conformance.md.
"""

import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from textwrap import fill
from xml.etree import ElementTree as ET

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs" / "conformance.md"
WIDTH = 100


@dataclass(frozen=True)
class Witness:
    """Something from outside that can be asked: `tests` is its file under tests/conformance."""

    platform: str
    name: str
    package: str
    subject: str
    tests: str

    @property
    def title(self) -> str:
        """The name with the version that was asked."""
        return f"{self.name} ({self.package} {version(self.package)})"


@dataclass(frozen=True)
class Finding:
    """What one witness said: the operations it met, how many checks there were, and what did not fit."""

    witness: Witness
    operations: tuple[str, ...]
    checks: int
    mismatches: tuple[str, ...]


WITNESSES = (
    Witness(
        "Google Drive",
        "Google's Python client and the discovery document it brings",
        "google-api-python-client",
        "the sandbox's answers",
        "test_google_drive.py",
    ),
    Witness(
        "Google Drive",
        "the discovery document drive.v3",
        "google-api-python-client",
        "Patchbay's requests, the sandbox's answers to them",
        "test_requests_to_drive.py",
    ),
    Witness(
        "Shopify",
        "Shopify's Python client",
        "ShopifyAPI",
        "the sandbox's OAuth, REST and GraphQL answers",
        "test_shopify.py",
    ),
    Witness(
        "Shopify",
        "graphql-core's validation by the sandbox's schema",
        "graphql-core",
        "Patchbay's GraphQL documents and variables",
        "test_queries_to_shopify.py",
    ),
)

UNWITNESSED = {
    "Google Drive": (
        "The consent page, its redirect and PKCE: no installed client walks them. The client does refresh tokens.",
        "Revocation (`/revoke`), and the errors of the token endpoint.",
        "Bodies of errors: the discovery document has no schema for them. The client reads status and reason.",
        "The chunks of an upload session as Patchbay sends them: the document names their address alone. The sandbox's "
        "side of it is what the client uploads to.",
        "Which values `q` and `orderBy` may have: to the document they are text.",
        "When Drive throttles.",
    ),
    "Shopify": (
        "The GraphQL schema: no installed package carries Shopify's own, and the client has no query in it. The "
        "sandbox's schema is written by hand from the reference of 2026-10, so that a document which passes here is "
        "right as far as that reading is. The client carries queries and answers without looking into them.",
        "Query costs and the bucket of the GraphQL API. The client reads the REST limit.",
        "The form that a staged upload takes, and what becomes of media after it.",
        "Expiring offline tokens and their rotation: the client knows only tokens without an end.",
        "Bodies of errors: the client reads the status alone.",
    ),
}


class NoReport(Exception):
    """The witnesses could not be asked; the text is what pytest said."""


def main(arguments: Sequence[str]) -> int:
    """Ask all witnesses and print what they say; 1 when something does not fit, 2 for an unknown argument."""
    if not set(arguments) <= {"--write"}:
        print("usage: python -m scripts.conformance [--write]", file=sys.stderr)
        return 2
    try:
        findings = ask(WITNESSES)
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
        DOCUMENT.write_text(document(findings), encoding="utf-8")
        print(f"\nWritten: {DOCUMENT.relative_to(ROOT)}")
    return 0


def ask(witnesses: Sequence[Witness]) -> list[Finding]:
    """Run the tests of the witnesses. Raises NoReport when pytest does not come to an end, or a witness is silent."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        files = [f"tests/conformance/{witness.tests}" for witness in witnesses]
        options = ["-p", "no:cacheprovider", "-o", "junit_family=xunit1", f"--junit-xml={report}"]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *options, *files], cwd=ROOT, capture_output=True, text=True, check=False
        )
        if done.returncode not in {0, 1} or not report.is_file():
            raise NoReport(f"The witnesses could not be asked:\n{done.stdout}{done.stderr}")
        return read(report, witnesses)


def read(report: Path, witnesses: Sequence[Witness]) -> list[Finding]:
    """What each witness said, from a JUnit report. Raises NoReport for a witness that made no check."""
    cases: dict[str, list[ET.Element]] = defaultdict(list)
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 - pytest has just written it
        cases[case.get("classname", "").rpartition(".")[2] + ".py"].append(case)
    silent = [witness.tests for witness in witnesses if not cases[witness.tests]]
    if silent:
        raise NoReport(f"No check was made in {', '.join(silent)}")
    return [_finding(witness, cases[witness.tests]) for witness in witnesses]


def table(findings: Iterable[Finding]) -> str:
    """For a terminal: a block for each witness, then what nobody from outside could check."""
    blocks = [_block(finding) for finding in findings]
    for platform, gaps in UNWITNESSED.items():
        lines = [fill(gap, WIDTH, initial_indent="  - ", subsequent_indent="    ") for gap in gaps]
        blocks.append("\n".join([f"{platform}: what no outside source could check", *lines]))
    return "\n\n".join(blocks)


def document(findings: Iterable[Finding]) -> str:
    """docs/conformance.md."""
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
        for platform, texts in UNWITNESSED.items()
        for line in ("", f"### {platform}", "", *(f"- {t}" for t in texts))
    ]
    return "\n".join([*_HEAD, *rows, *_COVERED, *covered, *_GAPS, *gaps, ""])


_HEAD = (
    "# What outside sources say",
    "",
    "Written by `.venv/bin/python -m scripts.conformance --write`; `make conformance` asks anew.",
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


def _finding(witness: Witness, cases: Sequence[ET.Element]) -> Finding:
    operations = {one.get("value", "") for case in cases for one in case.iter("property")}
    failed = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    return Finding(witness, tuple(sorted(operations)), len(cases), tuple(_reason(case) for case in failed))


def _reason(case: ET.Element) -> str:
    failure = case.find("failure")
    cause = failure if failure is not None else case.find("error")
    message = cause.get("message", "") if cause is not None else ""
    return f"{case.get('name')}: {message.splitlines()[0] if message else 'failed'}"


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
