"""The headers of every answer: what a browser may load, keep and tell others; also revalidation and compression.

Which caches may keep static files is decided in `static_files`; HX-* headers are in `fragments`.
"""

import gzip
import hashlib

from flask import Flask, Response, request

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",  # Pico draws its form icons as data: addresses
        "connect-src 'self'",
        "font-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "object-src 'none'",
        "manifest-src 'self'",
    )
)
PERMISSIONS = "camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()"
VARY = ("HX-Request", "HX-Request-Type", "HX-History-Restore-Request", "Cookie")
WORDED_TYPES = {"text/html", "application/json"}  # their words are in the reader's language
SMALLEST_COMPRESSED_BYTES = 1_000
A_YEAR_S = 31_536_000


def never_stored(response: Response) -> Response:
    """For answers with a secret in them: no cache keeps them, not even the browser's."""
    response.headers["Cache-Control"] = "no-store"
    return response


def leaves_no_trace(response: Response) -> Response:
    """For the pages around a sign-in at a platform: not stored, and nobody learns where the reader came from."""
    response.headers["Referrer-Policy"] = "no-referrer"
    return never_stored(response)


def init_app(app: Flask, *, is_https: bool) -> None:
    """Finish every answer of `app`."""

    def finish(response: Response) -> Response:
        _protect(response, is_https=is_https)
        if response.mimetype == "text/html":
            _protect_page(response)
        if response.mimetype in WORDED_TYPES:
            response.vary.add("Accept-Language")
        if not response.is_streamed and not response.direct_passthrough:
            _revalidate(response)
            _compress(response)
        return response

    app.after_request(finish)


def _protect(response: Response, *, is_https: bool) -> None:
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers.setdefault("Referrer-Policy", "same-origin")
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    response.headers["Permissions-Policy"] = PERMISSIONS
    if is_https:
        response.headers["Strict-Transport-Security"] = f"max-age={A_YEAR_S}"


def _protect_page(response: Response) -> None:
    response.headers["Content-Security-Policy"] = POLICY
    response.headers.setdefault("Cache-Control", "private, no-cache")
    response.vary.update(VARY)


def _revalidate(response: Response) -> None:
    """An ETag over the uncompressed body of a page, so that an unchanged page costs no body. Weak: gzip comes after."""
    is_page = response.status_code == 200 and response.mimetype == "text/html" and request.method in {"GET", "HEAD"}
    if not is_page or response.cache_control.no_store or response.headers.get("ETag"):
        return
    response.set_etag(hashlib.sha256(response.get_data()).hexdigest()[:32], weak=True)
    response.make_conditional(request)


def _compress(response: Response) -> None:
    if response.mimetype not in WORDED_TYPES or response.status_code in {204, 304} or response.content_encoding:
        return
    response.vary.add("Accept-Encoding")
    body = response.get_data()
    if len(body) < SMALLEST_COMPRESSED_BYTES or request.accept_encodings["gzip"] <= 0:
        return
    response.set_data(gzip.compress(body, compresslevel=5, mtime=0))
    response.headers["Content-Encoding"] = "gzip"
