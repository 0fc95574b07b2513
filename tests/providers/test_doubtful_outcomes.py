"""An action was carried out, whoever answered did not know it, and then something else goes wrong as well.

Whatever it is, the platform is asked before anything is sent again, and in the end the action has been done once.
"""

from collections.abc import Callable, Mapping
from functools import partial

import pytest

from patchbay import providers, runs
from patchbay.models import ConnectionState, Run, RunStatus
from patchbay.spec import Operation
from patchbay.wire import replay
from tests.providers.test_faults_of_platforms import DOING, added
from tests.providers.trial import Trial, meanwhile
from tests.stage import waited_out

pytestmark = pytest.mark.usefixtures("context")

TROUBLES: Mapping[str, Mapping[str, float]] = {
    "server_error": {"times": 0},
    "rate_limit": {"times": 0, "seconds": 30},
    "expired_token": {},
    "revoked_grant": {},
}


def tried(*keys: str) -> pytest.MarkDecorator:
    """Some of those at which something is done that must not be sent twice."""
    return pytest.mark.parametrize("trial", [providers.get(key) for key in keys], ids=keys, indirect=True)


@tried("canva", "facebook", "shopify")
def test_a_look_that_fails_is_made_again_before_anything_is_sent(trial: Trial) -> None:
    trial.connect()
    done = undisturbed(trial)

    for kind, order in TROUBLES.items():
        before, sent = trial.totals(), struck(trial)
        run = unheard(trial, partial(trial.sandbox.fault, trial.provider.key, kind, **order))
        trial.sandbox.clear_faults(trial.provider.key)
        run = ended_well(trial, run)

        assert run.status is RunStatus.SUCCEEDED, f"{kind}: {run.error_kind} {run.error_detail}"
        assert added(before, trial.totals()) == done, f"after {kind} something is missing, or there twice"
        assert struck(trial) == sent + 1


@tried("etsy", "woocommerce")
def test_a_worker_killed_before_it_could_look_leaves_that_to_the_next(trial: Trial) -> None:
    trial.connect()
    done, before = undisturbed(trial), trial.totals()
    run = trial.start(operation(trial))
    trial.sandbox.fault(trial.provider.key, "gateway_timeout", match=DOING[trial.provider.key][1])
    assert trial.kill(run, lambda: struck(trial))

    trial.sandbox.fault(trial.provider.key, "server_error", times=0)
    waiting = trial.resume(run).status
    trial.sandbox.clear_faults(trial.provider.key)
    run = waited_out(run, trial.clock, trial.queue)

    assert (waiting, run.status) == (RunStatus.WAITING, RunStatus.SUCCEEDED)
    assert added(before, trial.totals()) == done


@tried("etsy")
def test_a_run_cancelled_before_it_could_look_looks_when_it_is_tried_again(trial: Trial) -> None:
    trial.connect()
    done, before = undisturbed(trial), trial.totals()
    run = unheard(trial, partial(trial.sandbox.fault, trial.provider.key, "server_error", times=0))
    waiting = run.status

    runs.cancel(trial.user.id, run.id)
    trial.sandbox.clear_faults(trial.provider.key)
    again = waited_out(trial.carry_out(runs.retry(trial.user.id, run.id)), trial.clock, trial.queue)

    assert (waiting, again.status) == (RunStatus.WAITING, RunStatus.SUCCEEDED)
    assert added(before, trial.totals()) == done


@tried("canva", "facebook")
def test_what_was_looked_up_is_replayed_in_the_same_way(trial: Trial) -> None:
    trial.connect()
    found = unheard(trial, lambda: None)
    trial.sandbox.fault(trial.provider.key, "reset", match=DOING[trial.provider.key][1])
    lost = trial.run(operation(trial))

    outcomes = [replay.replay(run) for run in (found, lost)]

    assert (found.status, lost.error_kind) == (RunStatus.SUCCEEDED, "OutcomeUnknown")
    assert [(outcome.differs, outcome.error) for outcome in outcomes] == [(None, ""), (None, "OutcomeUnknown")]


def operation(trial: Trial) -> Operation:
    """What is done."""
    found = trial.provider.operation(DOING[trial.provider.key][0])
    assert found is not None
    return found


def undisturbed(trial: Trial) -> dict[str, int]:
    """What there is more of after it was done."""
    before = trial.totals()
    assert trial.run(operation(trial)).status is RunStatus.SUCCEEDED
    return added(before, trial.totals())


def struck(trial: Trial) -> int:
    """How often it was done while its answer came from a gateway."""
    return len(trial.sandbox.received(trial.provider.key, fault="gateway_timeout"))


def unheard(trial: Trial, act: Callable[[], object], run: Run | None = None) -> Run:
    """Carry it out, be answered by a gateway that does not know, and at once let `act` happen."""
    run, before, acts = run or trial.start(operation(trial)), struck(trial), [act]
    trial.sandbox.fault(trial.provider.key, "gateway_timeout", match=DOING[trial.provider.key][1])

    def act_once() -> None:
        if acts and struck(trial) > before:
            acts.pop()()

    with meanwhile(act_once):
        run = trial.carry_out(run)
    assert not acts
    return run


def ended_well(trial: Trial, run: Run) -> Run:
    """The run after its waits, and after new tries where it has failed, with a new login where that is asked for."""
    run = waited_out(run, trial.clock, trial.queue)
    for _ in range(2):  # an end of a page's own token says nothing of the login, which the next try finds out
        if run.status is RunStatus.FAILED:
            run_id = run.id
            if trial.connection.state is ConnectionState.RECONNECT_NEEDED:
                trial.reconnect()
                trial.choose()
            run = waited_out(trial.carry_out(runs.retry(trial.user.id, run_id)), trial.clock, trial.queue)
    return run
