"""Taking a batch on."""

from patchbay.batches import stages


def advance(batch_id: str) -> None:
    """Plan the next stage of the batch, or end it, unless something of it is still under way."""
    stages.advance(batch_id)
