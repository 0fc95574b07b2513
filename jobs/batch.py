"""Taking a batch on."""

from jobs.owners import of_owner
from patchbay.batches import stages
from patchbay.models import Batch


@of_owner(Batch)
def advance(batch_id: str) -> None:
    """Plan the next stage of the batch, or end it, unless something of it is still under way."""
    stages.advance(batch_id)
