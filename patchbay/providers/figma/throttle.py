"""What Figma allows: three tiers of calls, each so many a minute by the plan that a file is at home in and one's seat.

What is asked of it stands in the other files.
Source: developers.figma.com "Rate limits" (since 2025-11-17, read 2026-11-21). Only a refusal tells plan and seat, and
nothing tells what is left; seats that may only view draw six times a month, and are then told to wait for days.
"""

import re
from functools import partial

from patchbay.spec import Answer, Budget, Request, Throttle, Window

MINUTE_S = 60.0
TIERS = (
    (1, r"/v1/(files/[^/]+(/nodes)?|images/[^/]+)"),
    (2, r"/v1/(projects/[^/]+/files|teams/[^/]+/projects|files/[^/]+/(versions|comments|images))"),
    (3, r"/v1/.*"),
)
# By plan, how many a minute in each tier for a seat that edits; a seat that views has 5 and 10 in tiers 2 and 3.
EDITING = {"pro": (10, 25, 50), "student": (10, 25, 50), "org": (15, 50, 100), "enterprise": (20, 100, 150)}
VIEWING = (0, 5, 10)


def tier(address: str) -> int:
    """The tier that an address of the API is counted in."""
    path = address.partition("?")[0].partition("api.figma.com")[2]
    return next((number for number, pattern in TIERS if re.fullmatch(pattern, path)), 3)


def lane(request: Request) -> str:
    """A refusal speaks for one tier and one file: another file may be at home in a plan that allows more."""
    file = re.search(r"/v1/(?:files|images)/([^/?]+)", request.url)
    return f"{tier(request.url)} {file[1] if file else ''}"


def read(answer: Answer) -> tuple[Budget | Window, ...]:
    """How many a minute the plan allows, as far as its name and kind tell."""
    plan, kind = answer.headers.get("x-figma-plan-tier", ""), answer.headers.get("x-figma-rate-limit-type", "")
    sizes = EDITING.get(plan, VIEWING) if kind == "high" else VIEWING
    number = tier(answer.url)
    return (Window(_name(number), sizes[number - 1], MINUTE_S),) if plan and sizes[number - 1] else ()


def _name(number: int) -> str:
    return f"tier {number}"


def _is_of(number: int, request: Request) -> bool:
    return tier(request.url) == number


THROTTLE = Throttle(
    windows=tuple(Window(_name(number), 0, MINUTE_S, counts=partial(_is_of, number)) for number, _ in TIERS),
    read=read,
    lane=lane,
)
