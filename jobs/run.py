"""Carrying out a run."""

from patchbay.batches import stages
from patchbay.runs import execution


def execute(run_id: str) -> None:
    """Carry out the run of that id, unless it is not due or another worker has it; then go on with its batch."""
    execution.execute(run_id)
    stages.after_run(run_id)
