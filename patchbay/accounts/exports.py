"""All that belongs to a user as one archive: a file of JSON lines per table, their pictures, and no secrets.

The row says how far it is; a worker that dies leaves a lease that lapses, and the next begins the file anew.
"""

import contextlib
import json
import os
import zipfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import IO

import structlog
from sqlalchemy import Select, literal, select, tuple_
from sqlalchemy.orm import Mapper

from patchbay import assets, audit, clock, queue, settings, tenancy
from patchbay.accounts.lease import Lease, LeaseLost
from patchbay.audit import Deed
from patchbay.errors import N_, Conflict, NotFound
from patchbay.leases import is_free
from patchbay.models import Asset, AuditEntry, Base, Export, ExportState, db, new_id, transaction

log = structlog.get_logger()

KEPT = timedelta(days=7)
LEASE = timedelta(minutes=2)
MOST_ATTEMPTS = 3
BATCH = 2_000
_SECRET = ("_sealed", "_hash", "lease_token", "epoch")
"""How columns end that are of no use to anybody outside, or are secrets."""


def ask(user_id: str) -> Export:
    """Have an archive made; one that is under way is returned instead."""
    with transaction() as session:
        present = session.scalars(_of(user_id).where(Export.state == ExportState.ASKED)).first()
        if present is not None:
            return present
        now = clock.now()
        export = Export(
            id=new_id("exp"), user_id=user_id, state=ExportState.ASKED, created_at=now, expires_at=now + KEPT
        )
        session.add(export)
        audit.add(Deed.EXPORT_ASKED, user_id=user_id, subject_id=export.id)
        queue.enqueue(queue.EXPORT, export.id)
    return export


def of_user(user_id: str) -> list[Export]:
    """The user's archives that have not expired, newest first."""
    return list(db.session.scalars(_of(user_id).where(Export.expires_at > clock.now())))


def get(user_id: str, export_id: str) -> Export:
    """One archive of the user's. Raises NotFound."""
    export = db.session.get(Export, export_id, populate_existing=True)
    if export is None or export.user_id != user_id or export.expires_at <= clock.now():
        raise NotFound(export_id)
    return export


def file_of(export: Export) -> Path:
    """The archive of a finished export. Raises Conflict before it is finished, NotFound when the file has gone."""
    if export.state is not ExportState.READY:
        raise Conflict(sentence=N_("The archive is not ready yet."))
    path = _path(export.id)
    if not path.exists():
        raise NotFound(export.id)
    return path


def withdraw(user_id: str, export_id: str) -> None:
    """Call an export off, or delete its archive. Raises NotFound."""
    with transaction() as session:
        session.delete(get(user_id, export_id))
    for path in (_path(export_id), _partial(export_id)):
        path.unlink(missing_ok=True)


def due(limit: int = 100) -> list[str]:
    """Ids of exports that nobody works on."""
    statement = select(Export.id).where(Export.state == ExportState.ASKED, is_free(Export.lease_until, LEASE))
    return list(db.session.scalars(statement.order_by(Export.id).limit(limit)))


def make(export_id: str) -> None:
    """Make the archive, unless it is not due or another worker has it. Raises nothing: the row tells."""
    is_asked = Export.state == ExportState.ASKED
    lease = Lease.claim(Export, export_id, LEASE, is_asked, attempts=Export.attempts + 1)
    if lease is None:
        return
    partial = _partial(export_id)
    try:
        with lease.step():
            export = db.session.get_one(Export, export_id, populate_existing=True)
        if export.attempts > MOST_ATTEMPTS:
            lease.renew(state=ExportState.FAILED, lease_until=None)
            return
        partial.parent.mkdir(mode=0o700, exist_ok=True)
        partial.unlink(missing_ok=True)  # who was given up for dead may still write to it
        with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            _fill(file, export.user_id, lease)
        with lease.step(state=ExportState.READY, size_bytes=partial.stat().st_size, lease_until=None):
            partial.replace(_path(export_id))
    except LeaseLost:
        log.warning("An export was called off, or taken over.", export_id=export_id)
    except OSError:
        log.exception("An export could not be written.", export_id=export_id)
        with contextlib.suppress(LeaseLost):
            lease.renew(state=ExportState.FAILED, lease_until=None)
            partial.unlink(missing_ok=True)


def forget_expired() -> None:
    """Delete the archives that have served their time, and files that no row names."""
    with transaction() as session:
        for export in session.scalars(select(Export).where(Export.expires_at <= clock.now())):
            session.delete(export)
    kept = set(db.session.scalars(select(Export.id)))
    for path in _folder().glob("exp_*"):
        if path.stem not in kept:
            path.unlink(missing_ok=True)


def forget_all(user_id: str) -> None:
    """Delete all archives of a user who leaves."""
    for export in list(db.session.scalars(_of(user_id))):
        withdraw(user_id, export.id)


def _fill(file: IO[bytes], user_id: str, lease: Lease) -> None:
    tables = list(_tables())
    pictures = list(db.session.scalars(select(Asset).where(Asset.user_id == user_id).order_by(Asset.id)))
    total = len(tables) + len(pictures)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for done, mapper in enumerate(tables):
            lease.renew(done=done, total=total)
            with archive.open(f"{mapper.local_table.description}.jsonl", "w", force_zip64=True) as lines:
                for line in _rows(mapper, lease):
                    lines.write(line)
        for done, picture in enumerate(pictures, start=len(tables)):
            lease.renew(done=done, total=total)
            path = assets.file_of(picture)
            if path.exists():
                archive.write(path, f"assets/{picture.id}.{picture.extension}")
    lease.renew(done=total, total=total)


def _tables() -> Iterator[Mapper[Base]]:
    """What belongs to users, the audit log of their affairs too."""
    for mapper in sorted(Base.registry.mappers, key=lambda mapper: mapper.local_table.description):
        table = Base.metadata.tables[mapper.local_table.description]
        belonging = tenancy.belonging(table)
        if belonging is not None and (belonging.column or mapper.class_ is AuditEntry):
            yield mapper


def _rows(mapper: Mapper[Base], lease: Lease) -> Iterator[bytes]:
    """The rows in the present scope, which is the user's, without what is secret; a page at a time."""
    columns = [column.key for column in mapper.column_attrs if not column.key.endswith(_SECRET)]
    key = [getattr(mapper.class_, mapper.get_property_by_column(column).key) for column in mapper.primary_key]
    statement = select(mapper.class_).order_by(*key).limit(BATCH)
    rows = list(db.session.scalars(statement))
    while rows:
        for row in rows:
            values = {name: getattr(row, name) for name in columns}
            yield json.dumps(values, default=_plain, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
        last = [literal(getattr(rows[-1], column.key), column.type) for column in key]
        lease.renew()
        rows = list(db.session.scalars(statement.where(tuple_(*key) > tuple_(*last))))


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return clock.iso(value)
    if isinstance(value, Enum):
        return value.value
    return f"{len(value)} bytes" if isinstance(value, bytes) else str(value)


def _of(user_id: str) -> Select[Export]:
    return select(Export).where(Export.user_id == user_id).order_by(Export.id.desc()).limit(50)


def _folder() -> Path:
    return settings.current().home / "exports"


def _path(export_id: str) -> Path:
    return _folder() / f"{export_id}.zip"


def _partial(export_id: str) -> Path:
    return _folder() / f"{export_id}.partial"
