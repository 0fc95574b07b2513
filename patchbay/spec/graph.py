"""The dialect that Meta's Graph API speaks on all its hosts: what error codes mean, how usage is told, how lists go on.

Which calls there are is said by the providers that use these words.
Sources: Graph API "Handling Errors", "Rate Limits", "Paginated Results" (read 2026-11-21).
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from patchbay.errors import N_
from patchbay.spec.api import Answer
from patchbay.spec.faults import Meaning, Rule, Work
from patchbay.spec.throttle import Budget, CountedBy, Throttle

_CODE = ("error", "code")
_SUBCODE = ("error", "error_subcode")
_WORDS = ("error", "message")
_RESERVE = 5.0  # percent that are left to others
_WINDOW_S = 3600.0


class Cursors(msgspec.Struct, frozen=True):
    """Where a page of a list begins and ends."""

    after: str = ""


class Paging(msgspec.Struct, frozen=True):
    """How a list goes on: there is more only where `next` stands, whose address holds the token and is never used."""

    cursors: Cursors | None = None
    next: str | None = None

    @property
    def next_cursor(self) -> str | None:
        """The cursor of the page behind this one."""
        return self.cursors.after if self.next and self.cursors and self.cursors.after else None


def regain_s(answer: Answer) -> float | None:
    """How long Meta wants to be left alone, in seconds: whole minutes in a header; None when it does not say."""
    return _regain_s(_usage(answer))


def _regain_s(rows: Sequence[Mapping[str, Any]]) -> float | None:
    minutes = [row.get("estimated_time_to_regain_access") for row in rows]
    longest = max((minute for minute in minutes if isinstance(minute, int | float)), default=0)
    return longest * 60.0 or None


def read_usage(answer: Answer) -> tuple[Budget, ...]:
    """The percentages of X-App-Usage and X-Business-Use-Case-Usage, the fullest of each that is told."""
    app, *business = _usage(answer)
    told = (("app", [app], CountedBy.APP), ("account", business, CountedBy.ACCOUNT))
    found = (_fullest(name, rows, by) for name, rows, by in told)
    return tuple(budget for budget in found if budget is not None)


def _fullest(name: str, rows: Sequence[Mapping[str, Any]], by: CountedBy) -> Budget | None:
    """How much one call takes is not told, and is next to nothing: only the reserve is kept."""
    kinds = ("call_count", "total_time", "total_cputime")
    used = [row[kind] for row in rows for kind in kinds if isinstance(row.get(kind), int | float)]
    if not used:
        return None
    wait_s = _regain_s(rows)
    available = 100.0 - max(used) if wait_s is None else 0.0
    per_second = _RESERVE / wait_s if wait_s else 100.0 / _WINDOW_S
    return Budget(available, 100.0, per_second, cost=0.0, keep=_RESERVE, name=name, seconds=_WINDOW_S, by=by)


def _usage(answer: Answer) -> list[Mapping[str, Any]]:
    """All rows of usage; headers are JSON, of one object for an app, and of lists by id for what businesses use."""
    app = _object(answer.headers.get("x-app-usage"))
    business = _object(answer.headers.get("x-business-use-case-usage"))
    lists = [rows for rows in business.values() if isinstance(rows, list)]
    return [app, *(row for rows in lists for row in rows if isinstance(row, Mapping))]


def _object(text: str | None) -> Mapping[str, Any]:
    try:
        found = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, Mapping) else {}


def coded(means: Meaning, *codes: int, says: str = "") -> Rule:
    """An answer whose error has one of these codes."""
    return Rule(means, path=_CODE, values=frozenset(codes), text=_WORDS, says=says)


def subcoded(means: Meaning, *subcodes: int, says: str = "") -> Rule:
    """An answer whose error has one of these subcodes; such rules stand before those by code.

    Only Meta's `message` is kept of its words: `error_user_msg` may repeat an address that was sent.
    """
    return Rule(means, path=_SUBCODE, values=frozenset(subcodes), text=_WORDS, says=says)


THROTTLE = Throttle(read=read_usage)

# By code alone: Meta answers nearly all of this as HTTP 400, and `type` is nearly always OAuthException.
FAULTS = (
    subcoded(Meaning.NOT_FOUND, 33),
    coded(Meaning.TOKEN_EXPIRED, 190, 102),
    Rule(
        Meaning.THROTTLED,
        path=_CODE,
        values=frozenset({4, 17, 32, 341, 613, 80001, 80002}),
        text=_WORDS,
        wait=regain_s,
    ),
    coded(Meaning.SCOPE_MISSING, 10, *range(200, 300)),
    coded(
        Meaning.REFUSED,
        368,
        says=N_("%(provider)s blocks this for now, because it goes against its rules. Nothing was posted."),
    ),
    coded(
        Meaning.REFUSED,
        506,
        says=N_("%(provider)s has just received the same post and does not take it twice. Change the text."),
    ),
    # Photos have been on the page after such an answer, one for each try (arsduo/koala #699, read 2026-11-21).
    Rule(Meaning.UNAVAILABLE, path=_CODE, values=frozenset({1, 2, -1, -2}), text=_WORDS, work=Work.OPEN),
    Rule(Meaning.UNAVAILABLE, path=("error", "is_transient"), values=frozenset({True}), text=_WORDS, work=Work.OPEN),
    Rule(Meaning.REFUSED, status=range(400, 500), path=_CODE, text=_WORDS),
)
