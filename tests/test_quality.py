"""The rules of quality: what is made of the tests that try them."""

from pathlib import Path

import pytest

from scripts.conformance import cases
from scripts.quality import find, held, main

REPORT = """<testsuites><testsuite>
<testcase name="test_one"><properties>
  <property name="provider" value="acme"/><property name="rule" value="obeys-its-throttle"/></properties></testcase>
<testcase name="test_two"><properties>
  <property name="provider" value="acme"/><property name="rule" value="obeys-its-throttle"/></properties>{verdict}
</testcase></testsuite></testsuites>"""


@pytest.mark.parametrize(("verdict", "is_held"), [("", True), ("<failure/>", False), ("<error/>", False)])
def test_a_rule_is_held_when_all_of_its_tests_pass(tmp_path: Path, verdict: str, is_held: bool) -> None:
    (tmp_path / "report.xml").write_text(REPORT.format(verdict=verdict), "utf-8")

    assert held(cases(tmp_path / "report.xml")) == {("acme", "obeys-its-throttle"): is_held}


def test_a_provider_without_a_report_misses_every_rule_but_those_that_cannot_apply() -> None:
    found = find({})

    assert found["shopify"]["resumes-after-a-kill"] == {"standing": "missing"}
    assert found["google-drive"]["detects-deletes"]["standing"] == "exempt"


def test_an_unknown_argument_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["--wrote"])

    assert status == 2
    assert "usage" in capsys.readouterr().err
