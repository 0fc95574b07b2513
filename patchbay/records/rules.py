"""By which rules a stream is kept in step: as its import declares, or as its owner has set them.

What the rules lead to lives in `deletions`, `edits` and `reconciling`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from patchbay import audit, providers
from patchbay.audit import Deed
from patchbay.errors import N_, NotFound
from patchbay.models import Connection, StreamRule, db, transaction
from patchbay.spec import EditRule, Field, Import, Kind, check

USUAL_PERCENT = 10

FIELDS = (
    Field(
        "deletionPercent",
        N_("Ask before deleting more than"),
        Kind.NUMBER,
        highest=100,
        suffix="%",
        help=N_("Of the records kept here, in one import. Fewer than 20 are never asked about; 100: never ask."),
    ),
    Field(
        "edits",
        N_("When an edited field changes there too"),
        Kind.CHOICE,
        choices=tuple(EditRule),
        words=(N_("Take the change"), N_("Keep the edit"), N_("Ask me")),
    ),
    Field("comparesWeekly", N_("Compare with the platform every week"), Kind.BOOLEAN, required=False, default=True),
)


@dataclass(frozen=True)
class Rules:
    """How one stream of one connection is kept in step."""

    deletion_percent: int
    edits: EditRule
    compares_weekly: bool


def of_stream(connection: Connection, stream: str) -> Rules:
    """The rules of the stream. Raises NotFound when its provider has no such stream."""
    declared = import_of(connection.integration_id, stream).edits
    row = db.session.get(StreamRule, (connection.id, stream), populate_existing=True)
    if row is None:
        return Rules(USUAL_PERCENT, declared, compares_weekly=True)
    return Rules(row.deletion_percent, row.edits or declared, row.compares_weekly)


def change(connection: Connection, stream: str, values: Mapping[str, Any]) -> Rules:
    """Set rules; what is not among the values stays as it is. Raises Invalid, NotFound."""
    present = of_stream(connection, stream)
    clean = check(FIELDS, {**values_of(present), **values})
    with transaction() as session:
        row = session.get(StreamRule, (connection.id, stream))
        if row is None:
            row = StreamRule(connection_id=connection.id, stream=stream, user_id=connection.user_id)
            session.add(row)
        row.deletion_percent = clean["deletionPercent"]
        row.edits = EditRule(clean["edits"])
        row.compares_weekly = clean["comparesWeekly"]
        audit.add(Deed.SETTINGS_CHANGED, user_id=connection.user_id, subject_id=connection.id, stream=stream)
    return of_stream(connection, stream)


def values_of(rules: Rules) -> dict[str, Any]:
    """The rules as values of `FIELDS`."""
    return {
        "deletionPercent": rules.deletion_percent,
        "edits": rules.edits.value,
        "comparesWeekly": rules.compares_weekly,
    }


def import_of(integration_id: str, stream: str) -> Import:
    """The import that brings the stream in. Raises NotFound."""
    for operation in providers.get(integration_id).imports:
        if operation.stream == stream:
            return operation
    raise NotFound(stream)
