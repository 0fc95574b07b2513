"""What the reader's browser says about them: theme, key shortcuts, time zone, language, and their session's token.

Who the reader is lives in `guards`; it leaves the user in `flask.g.user` (None: nobody is signed in), and the language
of their own setting in `flask.g.language`.
"""

import functools
import secrets
import zoneinfo
from typing import Literal

from flask import Flask, Response, g, request, session
from flask_babel import get_locale, refresh

from blueprints.rendering.catalogues import ENGLISH, languages

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
    _remember(response, "theme", theme if theme in THEMES else "")
    _remember(response, "shortcuts", "" if shortcuts else "off")
    return response


def remember_language(response: Response, language: str | None) -> Response:
    """Keep the language in this browser for a year, also when nobody is signed in; None means the browser's own."""
    _remember(response, "language", language or "")
    return response


def _remember(response: Response, name: str, value: str) -> None:
    """Without a value nothing is kept."""
    if value:
        response.set_cookie(name, value, max_age=A_YEAR_S, samesite="Lax", httponly=True, secure=request.is_secure)
    else:
        response.delete_cookie(name, samesite="Lax", httponly=True, secure=request.is_secure)


def locale() -> str:
    """The language to answer in: the user's own setting, else this browser's, else what it asks for, else English.

    A program may ask otherwise with each call: with an API key the header counts more than the owner's setting.
    """
    own, asked = g.get("language"), _asked_for()
    wishes = (asked, own) if g.get("key") is not None else (own, request.cookies.get("language"), asked)
    return next((wish for wish in wishes if wish in languages()), ENGLISH)


def speak(language: str | None) -> None:
    """Go on with this request in another language: the reader has just chosen it. None is what their browser asks for.

    Without this, what is said of the choice would be said in the language before it.
    """
    g.language = language or _asked_for() or ENGLISH
    refresh()


def _asked_for() -> str | None:
    """The best of the languages in Accept-Language that there are texts in; "de-AT" is content with "de"."""
    for tag, quality in request.accept_languages:
        language = tag.replace("_", "-").partition("-")[0].lower()
        if quality > 0 and language in languages():
            return language
    return None


def timezone() -> str | None:
    """The time zone that app.js found in the browser; None (UTC) when unknown."""
    name = request.cookies.get("tz", "")
    return name if name in _zones() else None


@functools.cache
def _zones() -> frozenset[str]:
    """All zones there are; finding them reads hundreds of files."""
    return frozenset(zoneinfo.available_timezones())


def init_app(app: Flask, *, has_sandbox: bool) -> None:
    """Give every template the reader and their choices."""
    app.jinja_env.globals.update(
        csrf_token=csrf_token,
        theme=theme,
        has_shortcuts=has_shortcuts,
        get_locale=get_locale,
        languages=languages,
    )

    @app.context_processor
    def _reader() -> dict[str, object]:
        return {"user": g.get("user"), "has_sandbox": has_sandbox}
