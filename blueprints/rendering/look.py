"""What the reader's browser says about them: theme, key shortcuts, time zone, language, and their session's token.

Who the reader is lives in `guards`; it leaves the user in `flask.g.user` (None: nobody is signed in).
"""

import functools
import secrets
import zoneinfo
from typing import Literal

from flask import Flask, Response, current_app, g, request, session
from flask_babel import get_locale

THEMES = ("light", "dark")
Theme = Literal["light", "dark", "system"]
A_YEAR_S = 31_536_000


def csrf_token() -> str:
    """The token of this session, made at first use. It stays the same, so that pages revalidate; sign-in renews it.

    Whoever comes with an API key has no session and needs none: "". A session begins with a page that is read: the
    answer to a form on another site, which is sent without the reader's cookie, must not put a new one in its place.
    """
    if g.get("key") is not None:
        return ""
    token = session.get("csrf")
    if not isinstance(token, str):
        token = secrets.token_urlsafe(32)
        if request.method in {"GET", "HEAD"}:
            session["csrf"] = token
    return token


def theme() -> Theme:
    """The theme the reader chose."""
    chosen = request.cookies.get("theme", "")
    return "light" if chosen == "light" else "dark" if chosen == "dark" else "system"


def has_shortcuts() -> bool:
    """Whether single keys may do something (WCAG 2.1.4 wants them switchable)."""
    return request.cookies.get("shortcuts") != "off"


def remember_look(response: Response, *, theme: str, shortcuts: bool) -> Response:
    """Keep theme and shortcuts for a year; anything but a known theme means the system's."""
    for name, value, is_default in (
        ("theme", theme, theme not in THEMES),
        ("shortcuts", "off", shortcuts),
    ):
        if is_default:
            response.delete_cookie(name, samesite="Lax", httponly=True, secure=request.is_secure)
        else:
            response.set_cookie(name, value, max_age=A_YEAR_S, samesite="Lax", httponly=True, secure=request.is_secure)
    return response


def locale() -> str | None:
    """The best of the languages that there are translations for."""
    return request.accept_languages.best_match(_languages(), default="en")


def timezone() -> str | None:
    """The time zone that app.js found in the browser; None (UTC) when unknown."""
    name = request.cookies.get("tz", "")
    return name if name in _zones() else None


@functools.cache
def _zones() -> frozenset[str]:
    """All zones there are; finding them reads hundreds of files."""
    return frozenset(zoneinfo.available_timezones())


def _languages() -> list[str]:
    """What the catalogues speak, and English; looked up once per app, since it reads folders."""
    known: list[str] | None = current_app.extensions.get("languages")
    if known is None:
        known = sorted({str(found) for found in current_app.extensions["babel"].instance.list_translations()} | {"en"})
        current_app.extensions["languages"] = known
    return known


def init_app(app: Flask, *, has_sandbox: bool) -> None:
    """Give every template the reader and their choices."""
    app.jinja_env.globals.update(csrf_token=csrf_token, theme=theme, has_shortcuts=has_shortcuts, get_locale=get_locale)

    @app.context_processor
    def _reader() -> dict[str, object]:
        return {"user": g.get("user"), "has_sandbox": has_sandbox}
