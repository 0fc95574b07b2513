"""Carrying out a run."""

from patchbay.runs import execution


def execute(run_id: str) -> None:
    """Carry out the run of that id, unless it is not due or another worker has it."""
    execution.execute(run_id)
