"""What a platform's answer means when it is not what was hoped for: ordered rules, the first that fits decides.

Providers declare the rules of their dialect; the rules by status alone stand at the end of every list.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from math import isnan
from typing import Any

from patchbay import clock
from patchbay.spec.api import Answer


class Remedy(StrEnum):
    """What is to be done about a fault."""

    RETRY = "retry"  # soon, with growing pauses; later, when that does not help
    WAIT = "wait"  # until the moment that was told
    REFRESH = "refresh"  # replace the token, then repeat once
    RESTART = "restart"  # begin the paging again, once
    SKIP = "skip"  # set the one object aside where there are others; an operation on it alone fails
    FAIL = "fail"


class Whose(StrEnum):
    """Who can mend it: the owner of the connection, time, or those who run this hub and make this software."""

    OWNERS = "owner's"
    PASSING = "passing"
    OURS = "ours"


class Meaning(StrEnum):
    """What happened, with what is to be done about it and whose affair it is."""

    remedy: Remedy
    whose: Whose

    def __new__(cls, value: str, remedy: Remedy, whose: Whose) -> "Meaning":
        """A member is its text, and knows the rest."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.remedy, member.whose = remedy, whose
        return member

    THROTTLED = "throttled", Remedy.WAIT, Whose.PASSING
    TOKEN_EXPIRED = "token_expired", Remedy.REFRESH, Whose.OWNERS
    SCOPE_MISSING = "scope_missing", Remedy.FAIL, Whose.OWNERS
    NOT_FOUND = "not_found", Remedy.SKIP, Whose.OWNERS
    REFUSED = "refused", Remedy.FAIL, Whose.OURS  # the request itself is wrong
    FULL = "full", Remedy.FAIL, Whose.OWNERS  # there is no room, or a content quota is used up
    SETUP_WRONG = "setup_wrong", Remedy.FAIL, Whose.OURS  # our app's own credentials are refused
    UNAVAILABLE = "unavailable", Remedy.RETRY, Whose.PASSING
    CURSOR_EXPIRED = "cursor_expired", Remedy.RESTART, Whose.PASSING  # the platform has forgotten where we were


class Work(StrEnum):
    """What an answer that is `UNAVAILABLE` says of the work it is about, where that must not be done twice."""

    NONE = "none"  # refused before it was begun: it may be sent again
    ENDED = "ended"  # broken off: a part may have been done, and no more will be; a look at the platform tells
    OPEN = "open"  # whoever answers does not know: it may have been done, or go on still


@dataclass(frozen=True)
class Fault:
    """The verdict on one answer. `text` is the platform's own words, `wait_s` how long it wants to be left alone.

    `says` is our sentence for it (a message id), "" for the usual one of the meaning.
    """

    meaning: Meaning
    text: str
    wait_s: float | None = None
    says: str = ""
    work: Work = Work.ENDED

    @property
    def leaves_doubt(self) -> bool:
        """Whether the work may have been done all the same; every other fault is a refusal."""
        return self.meaning is Meaning.UNAVAILABLE and self.work is not Work.NONE


@dataclass(frozen=True)
class Rule:
    """Fits when the status fits (None: any) and the value at `path` in the JSON body is in `values` (None: exists).

    With `begins`, the value there begins with one of these texts; with `contains`, one of them occurs in the body, case
    aside (a last resort, for platforms that tell causes apart by their words alone). `media` is how the answer's
    content type begins; `header` is a name (lower-case) and how its value begins, "" for whatever it is. `text` is the
    path of the platform's own words; `wait` reads how long to wait, in seconds; `says` is a sentence for people (a
    message id, `%(provider)s` is filled) in place of the meaning's usual one. `work` is what `UNAVAILABLE` says of what
    was asked for.
    """

    means: Meaning
    status: int | range | None = None
    path: tuple[str | int, ...] = ()
    values: frozenset[Any] | None = None
    begins: tuple[str, ...] = ()
    contains: tuple[str, ...] = ()
    media: str = ""
    header: tuple[str, str] | None = None
    text: tuple[str | int, ...] = ()
    wait: Callable[[Answer], float | None] | None = None
    says: str = ""
    work: Work = Work.ENDED

    def fits(self, answer: Answer) -> bool:
        """Whether this rule speaks of `answer`."""
        if isinstance(self.status, int) and answer.status != self.status:
            return False
        if isinstance(self.status, range) and answer.status not in self.status:
            return False
        if self.media and not answer.headers.get("content-type", "").lower().startswith(self.media):
            return False
        if self.header and not self._has_header(answer):
            return False
        if self.contains and not self._is_mentioned(answer):
            return False
        if not self.path:
            return True
        value = answer.at(*self.path)
        if self.begins:
            return isinstance(value, str) and value.startswith(self.begins)
        if self.values is None:
            return bool(value)
        return isinstance(value, str | int) and value in self.values

    def _has_header(self, answer: Answer) -> bool:
        name, beginning = self.header or ("", "")
        return name in answer.headers and answer.headers[name].lower().startswith(beginning.lower())

    def _is_mentioned(self, answer: Answer) -> bool:
        body = answer.body[:10_000].decode(errors="replace").lower()
        return any(text.lower() in body for text in self.contains)


def retry_after_s(answer: Answer) -> float | None:
    """The `Retry-After` header in seconds: a whole or decimal number, or an HTTP date (RFC 9110 §10.2.3).

    None when it is absent or makes no sense; never negative.
    """
    return _lapse_s(answer.headers.get("retry-after"))


def wait_told_s(answer: Answer) -> float | None:
    """`Retry-After`, else what is known of when the window of a spent limit ends: `X-RateLimit-Reset` and its kin.

    Those are seconds from now in some dialects and a Unix time (in seconds or milliseconds) in others, as their size
    tells. None when no header says anything that makes sense.
    """
    told = retry_after_s(answer)
    if told is not None:
        return told
    return next((wait for name in _RESETS if (wait := _lapse_s(answer.headers.get(name))) is not None), None)


def wait_in(*path: str | int) -> Callable[[Answer], float | None]:
    """Reads the wait from the JSON body, else from the headers; there it may be any of the same dialects."""

    def read(answer: Answer) -> float | None:
        told = _lapse_s(answer.at(*path))
        return wait_told_s(answer) if told is None else told

    return read


_RESETS = ("x-ratelimit-reset", "x-rate-limit-reset", "ratelimit-reset", "x-ratelimit-reset-after")
_EPOCH_S = 1_000_000_000.0  # 2001 in seconds; nobody asks to wait for thirty years
_EPOCH_MS = 100_000_000_000.0  # 1973 in milliseconds, 5138 in seconds


def _lapse_s(told: object) -> float | None:
    """Seconds from now: of a number, a number as text, a Unix time, an HTTP date or an ISO 8601 one; never negative."""
    if isinstance(told, bool) or not isinstance(told, str | int | float) or not str(told).strip():
        return None
    try:
        number = float(told)
    except (ValueError, OverflowError):
        return _until_s(str(told).strip())
    if _EPOCH_S < number < _EPOCH_MS:
        number -= clock.now().timestamp()
    elif _EPOCH_MS <= number < _EPOCH_MS * 1000:
        number = number / 1000 - clock.now().timestamp()
    return None if isnan(number) else max(0.0, number)


def _until_s(text: str) -> float | None:
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        with suppress(ValueError, OverflowError):
            moment = read(text)
            return None if moment.tzinfo is None else max(0.0, (moment - clock.now()).total_seconds())
    return None


_OF_GATEWAYS = (502, 504, 520, 522, 524)
"""Of a server behind them that they could not hear to the end (RFC 9110 §15.6.3, §15.6.5; 52x are Cloudflare's own)."""

BY_STATUS = (
    Rule(Meaning.TOKEN_EXPIRED, status=401),
    Rule(Meaning.SCOPE_MISSING, status=403),
    Rule(Meaning.NOT_FOUND, status=404),
    Rule(Meaning.NOT_FOUND, status=410),
    Rule(Meaning.THROTTLED, status=429, wait=wait_told_s),
    Rule(Meaning.UNAVAILABLE, status=408, work=Work.NONE),  # the request did not arrive whole (RFC 9110 §15.5.9)
    Rule(Meaning.REFUSED, status=range(300, 500)),
    # Overloaded or in maintenance, and it knows for how long (RFC 9110 §15.6.4). Without that, a server may say so of
    # another behind it that broke off.
    Rule(Meaning.UNAVAILABLE, status=503, header=("retry-after", ""), wait=retry_after_s, work=Work.NONE),
    *(Rule(Meaning.UNAVAILABLE, status=status, wait=retry_after_s, work=Work.OPEN) for status in _OF_GATEWAYS),
    Rule(Meaning.UNAVAILABLE, status=range(500, 600), wait=retry_after_s),
)


def classify(rules: tuple[Rule, ...], answer: Answer) -> Fault | None:
    """The fault that `answer` is by `rules`, then by its status; None when all is well."""
    for rule in (*rules, *BY_STATUS):
        if rule.fits(answer):
            text = answer.at(*rule.text) if rule.text else None
            return Fault(rule.means, str(text)[:500] if text else "", _wait_s(rule, answer), rule.says, rule.work)
    return None


def _wait_s(rule: Rule, answer: Answer) -> float | None:
    """How long to wait, None where that is not told in a way that makes sense (NaN is neither more nor less)."""
    told = rule.wait(answer) if rule.wait else None
    return told if told is not None and told >= 0 else None
