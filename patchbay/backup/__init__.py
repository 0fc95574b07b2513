"""One encrypted file with everything but the keys: made while Patchbay runs, restored into an empty home.

Inside is a compressed tar: a manifest, a file of rows per table, the assets. How it is sealed lives in `sealing`, how
rows become lines in `rows`. The keys stay outside; their fingerprints tell whether the right ones are at hand.
"""

import io
import json
import os
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from patchbay import __version__, clock, migrations, signing, vault
from patchbay.backup import rows
from patchbay.backup.sealing import SealedReader, SealedWriter
from patchbay.errors import BackupError, SettingsError
from patchbay.settings import Settings

MANIFEST = "manifest.json"
ROWS = "rows/"
ASSETS = "assets/"


@dataclass(frozen=True)
class Contents:
    """What a backup holds."""

    tables: int
    rows: int
    assets: int


def create(settings: Settings, target: Path) -> Contents:
    """Write a backup to `target`, which appears only when it is whole and has been read back.

    All rows are as they were at one moment. An asset that is deleted meanwhile is left out. Raises BackupError.
    """
    partial = target.with_name(f".{target.name}.partial")
    try:
        with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            with SealedWriter(out, settings.backup_key, _about(settings)) as sealed:
                written = _write(settings, sealed)
            out.flush()
            os.fsync(out.fileno())
        if _read_through(settings, partial) != written:
            raise BackupError("The backup was written, but reads differently. Check the disk, then try again.")
        partial.replace(target)
    except OSError as error:
        raise BackupError(f"The backup could not be written to {target}: {error.strerror}.") from error
    except SQLAlchemyError as error:
        raise BackupError(f"The database could not be read ({type(error).__name__}).") from error
    finally:
        partial.unlink(missing_ok=True)
    return written


def restore(settings: Settings, source: Path, *, without_keys: bool = False) -> Contents:
    """Bring a backup back into an empty home: all of it or, after an error, none of its rows.

    With `without_keys` secrets that the present keys do not open are brought back too; their connections have to be
    reconnected. Raises BackupError.
    """
    try:
        written = _read_through(settings, source)  # what is damaged is found before anything is changed
        with source.open("rb") as file, SealedReader(file, settings.backup_key) as sealed:
            about = sealed.about
            if not without_keys:
                _check_keys(settings, about)
            migrations.migrate(settings, to=str(about.get("schema")))
            with _engine(settings) as engine, engine.begin() as connection:
                if not rows.is_empty(connection, "users"):
                    raise BackupError("There are users here already. Restore into an empty home and database.")
                _bring_back(connection, settings, sealed)
        migrations.migrate(settings)
    except SettingsError as error:
        raise BackupError(str(error)) from error
    except OSError as error:
        raise BackupError(f"The backup could not be read: {error.strerror or error}.") from error
    except SQLAlchemyError as error:
        raise BackupError(f"The database did not take the backup ({type(error).__name__}).") from error
    return written


def _about(settings: Settings) -> dict[str, Any]:
    """What stands readable on the outside of the file."""
    return {
        "version": __version__,
        "schema": migrations.present(settings),
        "at": clock.iso(clock.now()),
        "vaultKeys": vault.current().fingerprints(),
        "secretKey": _fingerprint(),
    }


def _fingerprint() -> str:
    return signing.current().seal("fingerprint", purpose="backup")[:16]


def _check_keys(settings: Settings, about: dict[str, Any]) -> None:
    wanted = set(about.get("vaultKeys", ())) - set(vault.current().fingerprints())
    missing = ["VAULT_KEYS"] if wanted else []
    missing += ["SECRET_KEY"] if about.get("secretKey") != _fingerprint() else []
    if missing:
        raise BackupError(
            f"{' and '.join(missing)} are not those of the backup. Put keys/ of the old home into {settings.home}, or "
            "set them, and try again; or restore --without-keys, after which everybody has to reconnect."
        )


def _write(settings: Settings, sealed: SealedWriter) -> Contents:
    with tarfile.open(fileobj=sealed, mode="w|gz") as tar, _snapshot(settings) as connection:
        tables = rows.tables_of(connection)
        _add(tar, MANIFEST, json.dumps({"tables": [table.name for table in tables]}).encode())
        count = 0
        for table in tables:
            with tempfile.TemporaryFile(dir=settings.home) as lines:
                for line in rows.lines_of(connection, table):
                    lines.write(line)
                    count += 1
                _add_file(tar, f"{ROWS}{table.name}.jsonl", lines)
        assets = _add_assets(tar, settings.home / "assets")
    return Contents(len(tables), count, assets)


def _add_assets(tar: tarfile.TarFile, folder: Path) -> int:
    count = 0
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        try:
            with path.open("rb") as file:
                _add_file(tar, ASSETS + path.relative_to(folder).as_posix(), file)
        except FileNotFoundError:
            continue
        count += 1
    return count


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    _add_file(tar, name, io.BytesIO(content))


def _add_file(tar: tarfile.TarFile, name: str, file: IO[bytes]) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = file.seek(0, os.SEEK_END)
    file.seek(0)
    tar.addfile(entry, file)


def _read_through(settings: Settings, source: Path) -> Contents:
    """Read a whole backup without keeping anything of it. Raises BackupError, OSError."""
    tables = count = assets = 0
    with source.open("rb") as file, SealedReader(file, settings.backup_key) as sealed:
        for name, content in _entries(sealed):
            tables += name.startswith(ROWS)
            assets += name.startswith(ASSETS)
            count += sum(1 for _ in content) if name.startswith(ROWS) else 0
        while sealed.read(64 * 1024):  # what stands behind the tar's end is checked too
            pass
    return Contents(tables, count, assets)


def _bring_back(connection: Connection, settings: Settings, sealed: SealedReader) -> None:
    tables = {table.name: table for table in rows.tables_of(connection)}
    for table in reversed(tables.values()):
        connection.execute(table.delete())  # the migrations may have written rows of their own
    for name, content in _entries(sealed):
        if name.startswith(ROWS):
            rows.load(connection, tables[Path(name).stem], content)
        elif name.startswith(ASSETS):
            _put_asset(settings.home / "assets", name.removeprefix(ASSETS), content)


def _put_asset(folder: Path, name: str, content: IO[bytes]) -> None:
    """Assets lie under their hash: one that is there already is the same."""
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise BackupError("The backup names a file outside of the assets.")
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    with partial.open("wb") as file:
        while piece := content.read(1024 * 1024):
            file.write(piece)
    partial.replace(path)


def _entries(sealed: SealedReader) -> Iterator[tuple[str, IO[bytes]]]:
    try:
        with tarfile.open(fileobj=io.BufferedReader(sealed), mode="r|gz") as tar:
            for entry in tar:
                content = tar.extractfile(entry)
                if content is not None:
                    yield entry.name, content
    except tarfile.TarError:
        raise BackupError("The backup is damaged.") from None


@contextmanager
def _engine(settings: Settings) -> Iterator[Engine]:
    engine = create_engine(settings.database_url, poolclass=NullPool)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def _snapshot(settings: Settings) -> Iterator[Connection]:
    """The database as it is at one moment, for as long as the block runs; nobody else has to wait for it."""
    options = {} if settings.uses_sqlite else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with _engine(settings) as engine, engine.connect().execution_options(**options) as connection, connection.begin():
        yield connection
