"""What accounts ask for that takes a while: an archive of all that is theirs, and their deletion."""

from jobs.owners import of_owner
from patchbay.accounts import exports, leaving
from patchbay.models import Export, Leaving


@of_owner(Export)
def export(export_id: str) -> None:
    """Make the archive."""
    exports.make(export_id)


@of_owner(Leaving)
def leave(leaving_id: str) -> None:
    """Delete the account."""
    leaving.carry_out(leaving_id)
