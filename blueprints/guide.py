"""The troubleshooting guide, read from docs/troubleshooting.md: an entry, with an anchor, per error and per alert.

What errors say on the spot is written beside them (`patchbay.errors`, `patchbay.alerts.stories`).
"""

import functools
import re

from flask import Blueprint, Response
from markdown_it import MarkdownIt
from markupsafe import Markup

from blueprints import rendering
from patchbay.settings import ROOT

bp = Blueprint("guide", __name__)
DOCUMENT = re.compile(r"\[[^\]]+\]\((\w+\.md)\)")
GUIDE = ROOT / "docs" / "troubleshooting.md"


@bp.get("/help/troubleshooting")
def troubleshooting() -> Response:
    """The guide as a page; it asks for no login, for it may be what explains why there is none."""
    return rendering.render("guide/troubleshooting.html", guide=_guide())


@functools.cache
def _guide() -> Markup:
    """The guide as HTML. Raw HTML in it stays text, the first heading is the page's own, other documents are named."""
    markdown = MarkdownIt("commonmark", {"html": False})
    text = GUIDE.read_text(encoding="utf-8").partition("\n")[2]
    tokens = markdown.parse(DOCUMENT.sub(r"docs/\1", text))
    for place, token in enumerate(tokens):
        if token.type == "heading_open":
            token.attrSet("id", tokens[place + 1].content.replace(" ", "-"))
    return Markup(markdown.renderer.render(tokens, markdown.options, {}))  # noqa: S704 - our own text, HTML escaped
