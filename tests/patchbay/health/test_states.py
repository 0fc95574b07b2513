"""What state a connection is in, and which one button helps: a function of facts alone."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from patchbay.health.states import EndedRun, Facts, OpenRun, Remedy, State, judge
from patchbay.models import AlertKind, ConnectionState, RunStatus, WaitReason

LATER = datetime(2027, 3, 1, 14, 0, tzinfo=UTC)
WELL = Facts(was_reached=True, ended=EndedRun("run_1", "import_products"))
FAILED = EndedRun("run_1", "import_products", "UnexpectedShape", {"provider": "Shopify"})


def waiting(reason: WaitReason) -> OpenRun:
    until = None if reason is WaitReason.CONFIRM_DELETIONS else LATER
    return OpenRun("run_2", RunStatus.WAITING, reason, until)


@pytest.mark.parametrize(
    ("facts", "state", "remedy"),
    [
        (WELL, State.WORKING, Remedy.NONE),
        (Facts(), State.WORKING, Remedy.NONE),
        (replace(WELL, open_runs=(OpenRun("run_2", RunStatus.RUNNING, None, None),)), State.WORKING, Remedy.NONE),
        (replace(WELL, connection=ConnectionState.RECONNECT_NEEDED), State.WAITING, Remedy.RECONNECT),
        (replace(WELL, alerts=frozenset({AlertKind.LOGIN_ENDING})), State.WAITING, Remedy.RECONNECT),
        (replace(WELL, choices=("Page",)), State.WAITING, Remedy.CHOOSE),
        (replace(WELL, lacks=("Read products",)), State.WAITING, Remedy.ALLOW),
        (replace(WELL, open_runs=(waiting(WaitReason.CONFIRM_DELETIONS),)), State.WAITING, Remedy.CONFIRM_DELETIONS),
        (replace(WELL, open_runs=(waiting(WaitReason.RATE_LIMIT),)), State.RETRYING, Remedy.WAIT),
        (replace(WELL, open_runs=(waiting(WaitReason.BREAKER),)), State.RETRYING, Remedy.WAIT),
        (replace(WELL, open_runs=(waiting(WaitReason.UNAVAILABLE),)), State.RETRYING, Remedy.WAIT),
        (replace(WELL, closed_until=LATER), State.RETRYING, Remedy.WAIT),
        (replace(WELL, ended=FAILED, next_at=LATER), State.RETRYING, Remedy.RETRY),
        (replace(WELL, ended=FAILED), State.WAITING, Remedy.RETRY),
        (replace(WELL, is_paused=True), State.PAUSED, Remedy.RESUME),
    ],
)
def test_each_state_has_one_remedy(facts: Facts, state: State, remedy: Remedy) -> None:
    verdict = judge(facts)

    assert (verdict.state, verdict.remedy) == (state, remedy)
    assert verdict.reason


def test_what_only_the_owner_can_mend_is_said_first() -> None:
    all_at_once = Facts(
        connection=ConnectionState.RECONNECT_NEEDED,
        open_runs=(waiting(WaitReason.RATE_LIMIT),),
        ended=FAILED,
        closed_until=LATER,
        is_paused=True,
    )

    assert judge(all_at_once).remedy is Remedy.RECONNECT


def test_a_run_that_goes_on_after_a_failure_is_waited_for() -> None:
    running = (OpenRun("run_2", RunStatus.RUNNING, None, None),)

    assert judge(replace(WELL, ended=FAILED, open_runs=running)).state is State.WORKING


def test_nothing_new_and_unreachable_look_different() -> None:
    nothing_new = judge(WELL)
    unreachable = judge(replace(WELL, open_runs=(waiting(WaitReason.UNAVAILABLE),)))

    assert nothing_new.state is not unreachable.state
    assert nothing_new.reason != unreachable.reason
    assert unreachable.then == LATER


def test_the_reason_of_a_failed_import_is_its_own() -> None:
    own = replace(FAILED, error_params={"provider": "Shopify", "sentence": "A sentence of its own."})

    assert judge(replace(WELL, ended=own)).reason == "A sentence of its own."
