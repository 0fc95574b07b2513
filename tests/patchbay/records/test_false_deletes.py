"""What the bench `false_deletes` does ten thousand times, in short."""

import pytest

from bench import false_deletes
from patchbay.models import Connection

pytestmark = pytest.mark.usefixtures("context")

DATABASES = ("sqlite",)


def test_of_60_imports_with_injected_faults_none_deletes_what_is_there(linked: Connection) -> None:
    outcome = false_deletes.import_often(linked, 60, seed=11)

    assert outcome.false_deletes == []
    assert outcome.false_questions == []
    assert outcome.not_in_step == []
    assert outcome.deleted > 20
    assert sum(outcome.faults.values()) > 60
