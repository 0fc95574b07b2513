"""The rules of quality: what is kept of them is what the conformance suite says now."""

from pathlib import Path

import pytest

from patchbay import quality
from scripts.quality import find, main, read, text, tried

REPORT = """<testsuites><testsuite>
<testcase name="test_one"><properties>
  <property name="provider" value="acme"/><property name="rule" value="obeys-its-throttle"/></properties></testcase>
<testcase name="test_two"><properties>
  <property name="provider" value="acme"/><property name="rule" value="obeys-its-throttle"/></properties>{verdict}
</testcase></testsuite></testsuites>"""


def test_what_is_kept_is_what_the_suite_says_now() -> None:
    found = find(tried())

    assert quality.FOUND.read_text("utf-8") == text(found), "run: .venv/bin/python -m scripts.quality --write"


@pytest.mark.parametrize(("verdict", "is_held"), [("", True), ("<failure/>", False), ("<error/>", False)])
def test_a_rule_is_held_when_all_of_its_tests_pass(tmp_path: Path, verdict: str, is_held: bool) -> None:
    (tmp_path / "report.xml").write_text(REPORT.format(verdict=verdict), "utf-8")

    assert read(tmp_path / "report.xml") == {("acme", "obeys-its-throttle"): is_held}


def test_a_provider_without_a_report_misses_every_rule_but_those_that_cannot_apply() -> None:
    found = find({})

    assert found["shopify"]["resumes-after-a-kill"] == {"standing": "missing"}
    assert found["google-drive"]["detects-deletes"]["standing"] == "exempt"


def test_an_unknown_argument_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["--wrote"])

    assert status == 2
    assert "usage" in capsys.readouterr().err
