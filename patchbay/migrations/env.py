"""Alembic's entry: migrates over the connection that it is handed, or compares the models for a new step."""

from typing import Literal

from alembic import context
from sqlalchemy import Connection

from patchbay.models import Base
from patchbay.models.base import UTCDateTime


def _render(kind: str, item: object, _: object) -> str | Literal[False]:
    """Steps speak of plain column types: they must still run when the code's own types have changed."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, UTCDateTime) else False


connection: Connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True, render_item=_render)
with context.begin_transaction():
    context.run_migrations()
