"""Every action of every provider, replayed from its recording and from the file that it is exported to."""

import pytest

from patchbay import providers
from patchbay.models import RunStatus, WireEntry, db
from patchbay.spec import Status
from patchbay.wire import replay, tape
from tests.providers.trial import Trial

ACTING = [
    provider
    for provider in providers.all()
    if provider.status is Status.ACTIVE and any(not action.is_read_only for action in provider.actions)
]

pytestmark = pytest.mark.usefixtures("context")


@pytest.mark.parametrize("trial", ACTING, ids=lambda provider: provider.key, indirect=True)
def test_an_action_comes_to_the_same_end_without_its_platform(trial: Trial) -> None:
    trial.connect()

    for action in trial.acting:
        run = trial.run(action)
        sent, kept = len(trial.sandbox.received(trial.provider.key)), db.session.query(WireEntry).count()
        recording = tape.of_run(run)

        outcome = replay.play(recording)
        exported = replay.play(tape.of_file(tape.to_file(recording)))

        assert run.status is RunStatus.SUCCEEDED, f"{action.name}: {run.error_detail}"
        assert (outcome.differs, outcome.error, outcome.requests) == (None, "", len(recording.takes)), action.name
        assert exported.differs is None, action.name
        assert (len(trial.sandbox.received(trial.provider.key)), db.session.query(WireEntry).count()) == (sent, kept)
