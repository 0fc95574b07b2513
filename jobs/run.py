"""Carrying out a run."""

from jobs.owners import of_owner
from patchbay.batches import stages
from patchbay.models import Run
from patchbay.runs import execution


@of_owner(Run)
def execute(run_id: str) -> None:
    """Carry out the run of that id, unless it is not due or another worker has it; then go on with its batch."""
    execution.execute(run_id)
    stages.after_run(run_id)
