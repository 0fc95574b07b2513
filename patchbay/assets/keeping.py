"""The bytes of assets: files in the home, named by their hash, shared by all assets with the same bytes.

Whose assets they are and what they are called is kept in rows (`patchbay.assets`).
"""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from sqlalchemy import select

from patchbay import settings, tenancy
from patchbay.models import Asset, db


def path(sha256: str, extension: str) -> Path:
    """Where the bytes of that hash lie."""
    return settings.current().home / "assets" / sha256[:2] / f"{sha256}.{extension}"


@contextmanager
def new_file() -> Iterator[IO[bytes]]:
    """An empty file among the assets; gone behind the block, unless it was put in place."""
    folder = settings.current().home / "assets"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
        try:
            yield file
        finally:
            Path(file.name).unlink(missing_ok=True)


def put(file: IO[bytes], place: Path) -> None:
    """Put a new file in place at once and for good: a file of that name is complete, or it is not there."""
    if place.exists():
        return
    file.flush()
    os.fsync(file.fileno())
    place.parent.mkdir(exist_ok=True, mode=0o700)
    Path(file.name).replace(place)


def files_of(user_id: str) -> list[tuple[str, str]]:
    """Hash and extension of each file that the user's assets lie in."""
    rows = db.session.execute(select(Asset.sha256, Asset.extension).where(Asset.user_id == user_id).distinct())
    return [(row.sha256, row.extension) for row in rows]


def remove_unnamed(files: Sequence[tuple[str, str]]) -> None:
    """Remove those of the files that no asset lies in any more, whosever it is."""
    for sha256, extension in files:
        with tenancy.everyone():
            is_named = db.session.scalar(select(Asset.id).where(Asset.sha256 == sha256).limit(1)) is not None
        if not is_named:
            path(sha256, extension).unlink(missing_ok=True)
