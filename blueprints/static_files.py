"""Static files under addresses that change with their content: hashed, immutable, compressed once at start-up.

There is no build step; pictures that users own are served by `assets`, not here.
"""

import gzip
import hashlib
import mimetypes
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from flask import Flask, Response, abort, request

LOGOS = "vendor/logos/"
SPRITE = "vendor/logos.svg"  # a symbol per logo, made by scripts/vendor.py
FOREVER = "public, max-age=31536000, immutable"
COMPRESSED_TYPES = {"text/css", "text/javascript", "image/svg+xml", "text/plain"}
_HASHED = re.compile(r"(?P<stem>.+)\.(?P<hash>[0-9a-f]{8})(?P<suffix>\.[a-z0-9]+)")


@dataclass(frozen=True)
class StaticFile:
    """One file, ready to be sent; `gzipped` is None where compression gains nothing."""

    name: str
    hash: str
    content_type: str
    content: bytes
    gzipped: bytes | None

    @property
    def address(self) -> str:
        """Its path under /static/, with the hash before the last suffix."""
        stem, _, suffix = self.name.rpartition(".")
        return f"{stem}.{self.hash}.{suffix}"


class StaticFiles:
    """All files below a folder, by name ("css/app.css"), read once."""

    def __init__(self, folder: Path) -> None:
        files = [_read(path.relative_to(folder).as_posix(), path.read_bytes()) for path in _below(folder)]
        self._logos = {Path(file.name).stem for file in files if file.name.startswith(LOGOS)}
        self._files = {file.name: file for file in files}

    def url(self, name: str) -> str:
        """The address of `name`. Raises LookupError: a page must not name a file that is not there."""
        file = self._files.get(name)
        if file is None:
            raise LookupError(f"There is no static file {name!r}.")
        return f"/static/{file.address}"

    def has_logo(self, slug: str | None) -> bool:
        """Whether the sprite holds that logo."""
        return slug in self._logos

    def logo_url(self, slug: str) -> str:
        """The address of one logo in the sprite, for an svg `use`."""
        return f"{self.url(SPRITE)}#{slug}"

    def answer(self, path: str) -> Response:
        """The file at `path`; one asked for by its bare name, or by the hash of a former version, is not kept."""
        match = _HASHED.fullmatch(path)
        name = match["stem"] + match["suffix"] if match else path
        file = self._files.get(name) or self._files.get(path)
        if file is None:
            abort(404)
        response = _body(file)
        is_current = match is not None and match["hash"] == file.hash
        response.headers["Cache-Control"] = FOREVER if is_current else "no-cache"
        response.set_etag(file.hash, weak=True)
        response.make_conditional(request)
        return response


def init_app(app: Flask, folder: Path) -> StaticFiles:
    """Serve `folder` at /static/ and give templates `static`, `has_logo` and `logo_url`.

    `app` must have been made with `static_folder=None`, else Flask's own route comes first.
    """
    files = StaticFiles(folder)
    app.add_url_rule("/static/<path:path>", "static_files.send", files.answer)
    app.jinja_env.globals.update(static=files.url, has_logo=files.has_logo, logo_url=files.logo_url)
    return files


def _below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))


@cache
def _read(name: str, content: bytes) -> StaticFile:
    """The file made ready; a second application of the process does not compress it again."""
    content_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    gzipped = gzip.compress(content, compresslevel=9, mtime=0) if content_type in COMPRESSED_TYPES else None
    if gzipped is not None and len(gzipped) >= len(content):
        gzipped = None
    return StaticFile(name, hashlib.sha256(content).hexdigest()[:8], content_type, content, gzipped)


def _body(file: StaticFile) -> Response:
    response = Response(file.content, content_type=_with_charset(file.content_type))
    if file.gzipped is not None:
        response.vary.add("Accept-Encoding")
        if request.accept_encodings["gzip"] > 0:
            response.set_data(file.gzipped)
            response.headers["Content-Encoding"] = "gzip"
    return response


def _with_charset(content_type: str) -> str:
    return f"{content_type}; charset=utf-8" if content_type in COMPRESSED_TYPES else content_type
