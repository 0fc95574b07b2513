"""`make conformance`: what it makes of the witnesses' report, and that docs/conformance.md says what they say now."""

from pathlib import Path

import pytest

from patchbay import providers
from scripts.conformance import (
    DOCUMENT,
    NOBODY,
    TESTS,
    TITLE,
    NoReport,
    ask,
    cases,
    declared,
    document,
    heard,
    kept_parts,
    main,
    table,
    tell,
)

FIRST, FILES = next(iter(declared().witnesses.items()))
REPORT = """<testsuites><testsuite>
<testcase classname="tests.conformance.{file}" name="test_one">
  <properties><property name="operation" value="drive.about.get"/></properties></testcase>
<testcase classname="tests.conformance.{file}" name="test_two">{verdict}</testcase>
</testsuite></testsuites>"""


def report(folder: Path, verdict: str = "") -> Path:
    path = folder / "report.xml"
    path.write_text(REPORT.format(verdict=verdict, file=FILES[0].removesuffix(".py")), encoding="utf-8")
    return path


def test_a_witness_that_is_asked_says_what_stands_in_the_document() -> None:
    (finding,) = ask({FIRST: FILES})

    assert finding.mismatches == ()
    assert table([finding]).splitlines()[0] == f"{FIRST.platform}: {FIRST.title}"
    assert document([finding]).splitlines()[9] in kept_parts()[TITLE].splitlines()


def test_every_file_of_tests_asks_a_witness_or_tests_what_lies_beside_it() -> None:
    files = {path.name for path in TESTS.glob("test_*.py")}
    asking = {name for names in declared().witnesses.values() for name in names}

    others = [name for name in files - asking if not (TESTS / name.removeprefix("test_")).is_file()]

    assert [name for name in others if "UNWITNESSED" not in (TESTS / name).read_text("utf-8")] == []


def test_every_platform_stands_under_the_name_of_its_provider() -> None:
    platforms = {witness.platform for witness in declared().witnesses} | set(declared().unwitnessed)

    assert platforms <= {provider.name for provider in providers.all()}


def test_a_platform_that_nobody_checks_is_said_to_be_so() -> None:
    asked = {witness.platform for witness in declared().witnesses}

    assert [name for name, gaps in declared().unwitnessed.items() if NOBODY in gaps and name in asked] == []


def test_operations_and_checks_are_read_from_the_report(tmp_path: Path) -> None:
    (finding,) = heard(cases(report(tmp_path)), {FIRST: FILES})

    assert (finding.operations, finding.checks, finding.mismatches) == (("drive.about.get",), 2, ())


@pytest.mark.parametrize("verdict", ["failure", "error"])
def test_a_failed_check_is_a_mismatch_with_its_cause(tmp_path: Path, verdict: str) -> None:
    findings = heard(cases(report(tmp_path, f'<{verdict} message="a differs&#10;more"/>')), {FIRST: FILES})

    assert findings[0].mismatches == ("test_two: a differs",)
    assert "mismatches  1 in 2 checks\n    test_two: a differs" in table(findings)


def test_a_witness_without_a_check_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NoReport, match=r"test_silent\.py"):
        heard(cases(report(tmp_path)), {FIRST: (*FILES, "test_silent.py")})


def test_a_mismatch_is_the_exit_status_and_leaves_the_document(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = DOCUMENT.read_bytes()
    findings = heard(cases(report(tmp_path, '<failure message="a differs"/>')), {FIRST: FILES})

    status = tell(findings, is_kept=True)

    assert status == 1
    assert "a differs" in capsys.readouterr().out
    assert DOCUMENT.read_bytes() == before


def test_an_unknown_argument_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["--wrote"])

    assert status == 2
    assert "usage" in capsys.readouterr().err
