"""`make conformance`: what it makes of the witnesses' report, and that docs/conformance.md says what they say now."""

from pathlib import Path

import pytest

from scripts.conformance import DOCUMENT, ROOT, WITNESSES, NoReport, ask, document, main, read, table, tell

FIRST = WITNESSES[0]
REPORT = """<testsuites><testsuite>
<testcase classname="tests.conformance.test_google_drive" name="test_one">
  <properties><property name="operation" value="drive.about.get"/></properties></testcase>
<testcase classname="tests.conformance.test_google_drive" name="test_two">{verdict}</testcase>
</testsuite></testsuites>"""


def report(folder: Path, verdict: str = "") -> Path:
    path = folder / "report.xml"
    path.write_text(REPORT.format(verdict=verdict), encoding="utf-8")
    return path


def test_document_says_what_the_witnesses_say_now() -> None:
    findings = ask(WITNESSES)

    assert [finding.mismatches for finding in findings] == [()] * len(WITNESSES)
    assert DOCUMENT.read_text("utf-8") == document(findings), "run: .venv/bin/python -m scripts.conformance --write"


def test_every_file_of_tests_is_a_witness_or_tests_one() -> None:
    files = {path.name for path in (ROOT / "tests" / "conformance").glob("test_*.py")}

    assert files - {"test_discovery.py"} == {witness.tests for witness in WITNESSES}


def test_operations_and_checks_are_read_from_the_report(tmp_path: Path) -> None:
    (finding,) = read(report(tmp_path), [FIRST])

    assert (finding.operations, finding.checks, finding.mismatches) == (("drive.about.get",), 2, ())


@pytest.mark.parametrize("verdict", ["failure", "error"])
def test_a_failed_check_is_a_mismatch_with_its_cause(tmp_path: Path, verdict: str) -> None:
    findings = read(report(tmp_path, f'<{verdict} message="a differs&#10;more"/>'), [FIRST])

    assert findings[0].mismatches == ("test_two: a differs",)
    assert "mismatches  1 in 2 checks\n    test_two: a differs" in table(findings)


def test_a_witness_without_a_check_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NoReport, match=r"test_requests_to_drive\.py"):
        read(report(tmp_path), WITNESSES[:2])


def test_a_mismatch_is_the_exit_status_and_leaves_the_document(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = DOCUMENT.read_bytes()
    findings = read(report(tmp_path, '<failure message="a differs"/>'), [FIRST])

    status = tell(findings, is_kept=True)

    assert status == 1
    assert "a differs" in capsys.readouterr().out
    assert DOCUMENT.read_bytes() == before


def test_an_unknown_argument_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["--wrote"])

    assert status == 2
    assert "usage" in capsys.readouterr().err
