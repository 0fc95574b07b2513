"""Every fault that the sandbox plays, on every platform, reading and doing: what comes of it, as docs/faults.md says.

The document is held to what happens here. `make faults` writes it anew.
"""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from patchbay import providers, runs
from patchbay.models import ConnectionState, Run, RunStatus
from patchbay.settings import ROOT
from patchbay.spec import Status
from sandbox.faults import KINDS
from tests.providers.trial import Trial
from tests.stage import waited_out

pytestmark = pytest.mark.usefixtures("context")

DOCUMENT = Path(ROOT) / "docs" / "faults.md"
ACTIVE = [provider for provider in providers.all() if provider.status is Status.ACTIVE]
SECONDS = {"rate_limit": 30.0, "hang": 0.05, "slow": 0.1}
AT_ONCE = {"expired_token", "revoked_grant"}
DEADLY = {"revoked_grant"}
ORDER = [kind for kind in KINDS if kind not in DEADLY] + sorted(DEADLY)
DOING = {
    "canva": ("upload_asset", "POST api.canva.com/rest/v1/asset-uploads"),
    "dropbox": ("upload_file", "POST content.dropboxapi.com/2/files/upload"),
    "etsy": ("publish_mockup", "/images"),
    "facebook": ("publish_photo", "POST graph.facebook.com"),
    "google-drive": ("upload_file", "POST www.googleapis.com/upload/"),
    "instagram": ("publish_photo", "/media_publish"),
    "shopify": ("publish_mockup", "productUpdate"),
    "woocommerce": ("publish_mockup", "PUT "),
}
"""What is done where something can be, and the request by which it is done, as faults are matched."""


@pytest.mark.parametrize("trial", ACTIVE, ids=lambda provider: provider.key, indirect=True)
def test_the_document_says_what_comes_of_each_fault(trial: Trial) -> None:
    trial.connect()

    found = {"Reading": reading(trial)} | ({"Doing": doing(trial)} if trial.provider.key in DOING else {})

    for table, outcomes in found.items():
        line = row(trial.provider.name, outcomes)
        if os.environ.get("PATCHBAY_WRITE_FAULTS"):
            write(table, trial.provider.name, line)
        assert line in DOCUMENT.read_text(encoding="utf-8").splitlines(), "run `make faults`"


def test_every_platform_stands_in_the_document() -> None:
    written = DOCUMENT.read_text(encoding="utf-8").splitlines()
    doing = {provider.key for provider in ACTIVE if any(not action.is_read_only for action in provider.actions)} - {
        "figma"
    }  # its one action that changes anything changes it here

    assert written.count(row("Platform", {kind: kind for kind in ORDER})) == 2
    assert doing == set(DOING)


def reading(trial: Trial) -> Mapping[str, str]:
    """What comes of each fault that strikes the first request of an operation that only reads, by kind."""
    operation = trial.provider.imports[0] if trial.provider.imports else trial.reading
    outcomes = {}
    for kind in ORDER:
        order(trial, kind)
        outcomes[kind] = told(trial, trial.run(operation))
    return outcomes


def doing(trial: Trial) -> Mapping[str, str]:
    """The same for the request that does something; whatever happens, in the end it has been done once."""
    name, match = DOING[trial.provider.key]
    operation = trial.provider.operation(name)
    assert operation is not None
    empty = trial.totals()
    assert trial.run(operation).status is RunStatus.SUCCEEDED
    once, outcomes = added(empty, trial.totals()), {}
    for kind in ORDER:
        before, run = trial.totals(), trial.start(operation)
        order(trial, kind, match)
        run_id, outcomes[kind] = run.id, told(trial, trial.carry_out(run))
        run = runs.get(trial.user.id, run_id)
        if run.status is RunStatus.FAILED:
            run = trial.carry_out(runs.retry(trial.user.id, run_id))
        assert run.status is RunStatus.SUCCEEDED, f"{kind}: {run.error_kind} {run.error_detail}"
        assert added(before, trial.totals()) == once, f"after {kind} something is missing, or there twice"
    return outcomes


def order(trial: Trial, kind: str, match: str | None = None) -> None:
    """Let the platform have the fault once."""
    matched = {} if match is None or kind in AT_ONCE else {"match": match}
    trial.sandbox.fault(trial.provider.key, kind, seconds=SECONDS.get(kind, 1.0), **matched)


def told(trial: Trial, run: Run) -> str:
    """What came of it, in the words of the document; a connection that was lost is then connected anew."""
    has_waited = run.status is RunStatus.WAITING
    run = waited_out(run, trial.clock, trial.queue)
    trial.sandbox.clear_faults(trial.provider.key)
    word = f"`{run.error_kind}`" if run.status is RunStatus.FAILED else "waits" if has_waited else "mended"
    if trial.connection.state is ConnectionState.RECONNECT_NEEDED:
        trial.reconnect()
        trial.choose()
    return word


def added(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, int]:
    """What there is more of."""
    return {name: after[name] - before.get(name, 0) for name in after if after[name] != before.get(name, 0)}


def row(name: str, outcomes: Mapping[str, str]) -> str:
    """A line of a table."""
    return f"| {' | '.join([name, *(outcomes[kind] for kind in ORDER)])} |"


def write(table: str, name: str, line: str) -> None:
    """Put the line into its table, in place of the former one."""
    head, mark, rest = DOCUMENT.read_text(encoding="utf-8").partition(f"## {table}\n")
    before, rule, below = rest.partition(f"{row('---', dict.fromkeys(ORDER, '---'))}\n")
    rows, gap, after = below.partition("\n\n")
    others = [text for text in rows.splitlines() if text and not text.startswith(f"| {name} |")]
    written = "\n".join(sorted([*others, line], key=str.casefold))
    DOCUMENT.write_text(f"{head}{mark}{before}{rule}{written}{gap or chr(10)}{after}", encoding="utf-8")
