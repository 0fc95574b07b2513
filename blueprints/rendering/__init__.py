"""The rendering edge: pages or fragments, toasts, formats for people, problems in words, headers of every answer.

What is shown is not decided here: views hand over plain objects, templates lay them out.
"""

from flask import Flask
from flask_babel import Babel
from htmx_flask import Htmx
from jinja2 import StrictUndefined

from blueprints.rendering import catalogues, formats, fragments, headers, look, sentences, toasts
from blueprints.rendering.catalogues import languages
from blueprints.rendering.fragments import (
    is_htmx,
    page_or_fragment,
    render,
    see_other,
    trigger,
    unchanged,
    wants_fragment,
)
from blueprints.rendering.headers import leaves_no_trace, never_stored
from blueprints.rendering.look import csrf_token, remember_language, remember_look, speak
from blueprints.rendering.problems import answer_crash, answer_http_error, answer_problem, login_address
from blueprints.rendering.sentences import notes_of, said, sentence_of, title_of, told
from blueprints.rendering.toasts import toast, toast_only

__all__ = [
    "answer_crash",
    "answer_http_error",
    "answer_problem",
    "csrf_token",
    "init_app",
    "is_htmx",
    "languages",
    "leaves_no_trace",
    "login_address",
    "never_stored",
    "notes_of",
    "page_or_fragment",
    "remember_language",
    "remember_look",
    "render",
    "said",
    "see_other",
    "sentence_of",
    "speak",
    "title_of",
    "toast",
    "toast_only",
    "told",
    "trigger",
    "unchanged",
    "wants_fragment",
]


def init_app(app: Flask, *, is_https: bool, has_sandbox: bool) -> None:
    """Bind Babel, htmx, filters and globals to `app`, and finish every answer it gives.

    `is_https` tells whether browsers come over https; `has_sandbox` whether the pages say so.
    """
    Htmx(app)
    catalogues.compile_all(catalogues.FOLDER)
    Babel(
        app,
        default_translation_directories=str(catalogues.FOLDER),
        locale_selector=look.locale,
        timezone_selector=look.timezone,
    )
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.jinja_env.policies["ext.i18n.trimmed"] = True  # as babel.cfg reads the same templates
    app.jinja_env.undefined = StrictUndefined
    formats.init_app(app)
    sentences.init_app(app)
    look.init_app(app, has_sandbox=has_sandbox)
    fragments.init_app(app)
    headers.init_app(app, is_https=is_https)  # after_request runs in reverse: the headers see the finished body
    toasts.init_app(app)
