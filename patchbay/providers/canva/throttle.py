"""What Canva allows: so many calls of each kind in a minute for a user, and so many exports in five minutes and a day.

What is asked of it stands in the other files.
Source: the rate of each operation in the Connect API reference, and the note of "Create design export job" (read
2026-11-21). No answer tells what is left, so that all of it is counted here.
"""

import re
from functools import partial

from patchbay.providers.canva.jobs import API
from patchbay.spec import CountedBy, Request, Throttle, Window

MINUTE_S, FIVE_MINUTES_S, DAY_S = 60.0, 300.0, 86_400.0

# Name, method and path of each operation that is asked for, and how often in a minute.
OPERATIONS = (
    ("list designs", "GET", r"/designs", 100),
    ("get design", "GET", r"/designs/[^/]+", 100),
    ("export", "POST", r"/exports", 20),
    ("look at export", "GET", r"/exports/[^/]+", 120),
    ("upload", "POST", r"/asset-uploads", 30),
    ("look at upload", "GET", r"/asset-uploads/[^/]+", 180),
    ("list folder", "GET", r"/folders/[^/]+/items", 100),
    ("user", "GET", r"/users/me", 10),
    ("profile", "GET", r"/users/me/profile", 10),
)
EXPORT = "export"


def operation(request: Request) -> str:
    """The name of what is asked for, "" for what has no limit of its own."""
    path = request.url.removeprefix(API).partition("?")[0]
    fits = (name for name, method, pattern, _ in OPERATIONS if method == request.method and re.fullmatch(pattern, path))
    return next(fits, "")


def _is(name: str, request: Request) -> bool:
    return operation(request) == name


_is_export = partial(_is, EXPORT)

THROTTLE = Throttle(
    windows=(
        *(Window(name, most, MINUTE_S, counts=partial(_is, name)) for name, _, _, most in OPERATIONS),
        Window("exports in five minutes", 75, FIVE_MINUTES_S, counts=_is_export),
        Window("exports a day", 500, DAY_S, counts=_is_export),
        Window("exports of all in five minutes", 750, FIVE_MINUTES_S, counts=_is_export, by=CountedBy.APP),
        Window("exports of all a day", 5_000, DAY_S, counts=_is_export, by=CountedBy.APP),
    ),
    lane=operation,
)
