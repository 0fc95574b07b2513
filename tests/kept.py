"""Documents that say what tests find: at the end of a whole run they are compared with what its tests have found.

How they are written is the business of `scripts.conformance` and `scripts.quality`, which run those tests alone.
"""

from collections.abc import Iterable

import pytest

from patchbay import quality
from scripts import conformance
from scripts import quality as rules
from scripts.conformance import Case


class Kept:
    """A plugin of the process that hears of every test, and fails the session when a document says otherwise."""

    def __init__(self) -> None:
        self._told: dict[str, Case] = {}
        self._stale: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note what a test found; its properties are whole when it is torn down."""
        if report.when == "teardown":
            path, _, name = report.nodeid.partition("::")
            properties = tuple((str(name), str(value)) for name, value in report.user_properties)
            self._told[report.nodeid] = Case(path, name, properties, None)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Compare, when every test was run and passed."""
        if exitstatus == pytest.ExitCode.OK and is_whole(session.config):
            self._stale = list(stale(self._told.values()))
            if self._stale:
                session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say which commands write them anew."""
        for command in self._stale:
            terminalreporter.write_line(
                f"FAILED: a document does not say what the tests found; run: {command}", red=True
            )


def is_whole(config: pytest.Config) -> bool:
    """Whether nothing was left out, neither by a path nor by a choice."""
    left_out = ("keyword", "markexpr", "deselect", "lf", "stepwise")
    is_all = config.args_source is pytest.Config.ArgsSource.TESTPATHS
    return is_all and not any(config.getoption(name, None) for name in left_out)


def stale(told: Iterable[Case]) -> Iterable[str]:
    """The commands that write those documents which do not say what these tests found."""
    told = list(told)
    findings = conformance.heard(told, conformance.declared().witnesses)
    if conformance.kept_parts()[conformance.TITLE] != conformance.document(findings):
        yield "make conformance"
    tried = [one for one in told if "rule" in dict(one.properties)]
    if quality.FOUND.read_text("utf-8") != rules.text(rules.find(rules.held(tried))):
        yield ".venv/bin/python -m scripts.quality --write"
