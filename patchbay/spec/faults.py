"""What a platform's answer means when it is not what was hoped for: ordered rules, the first that fits decides.

Providers declare the rules of their dialect; the rules by status alone stand at the end of every list.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from patchbay.spec.api import Answer


class Meaning(StrEnum):
    """What to do about it."""

    THROTTLED = "throttled"  # wait, then go on
    TOKEN_EXPIRED = "token_expired"  # noqa: S105 - refresh, then repeat; when that does not help, the owner must act
    SCOPE_MISSING = "scope_missing"
    NOT_FOUND = "not_found"
    REFUSED = "refused"  # the request itself is wrong: repeating does not help
    FULL = "full"  # there is no room, or a content quota is used up
    SETUP_WRONG = "setup_wrong"  # our app's own credentials are refused
    UNAVAILABLE = "unavailable"  # passing: repeat with growing pauses


@dataclass(frozen=True)
class Fault:
    """The verdict on one answer. `text` is the platform's own words, `wait_s` how long it wants to be left alone.

    `says` is our sentence for it (a message id), "" for the usual one of the meaning.
    """

    meaning: Meaning
    text: str
    wait_s: float | None = None
    says: str = ""


@dataclass(frozen=True)
class Rule:
    """Fits when the status fits (None: any) and the value at `path` in the JSON body is in `values` (None: exists).

    With `begins`, the value there begins with one of these texts; with `contains`, one of them occurs in the body, case
    aside (a last resort, for platforms that tell causes apart by their words alone). `media` is how the answer's
    content type begins. `text` is the path of the platform's own words; `wait` reads how long to wait, in seconds;
    `says` is a sentence for people (a message id, `%(provider)s` is filled) in place of the meaning's usual one.
    """

    means: Meaning
    status: int | range | None = None
    path: tuple[str | int, ...] = ()
    values: frozenset[Any] | None = None
    begins: tuple[str, ...] = ()
    contains: tuple[str, ...] = ()
    media: str = ""
    text: tuple[str | int, ...] = ()
    wait: Callable[[Answer], float | None] | None = None
    says: str = ""

    def fits(self, answer: Answer) -> bool:
        """Whether this rule speaks of `answer`."""
        if isinstance(self.status, int) and answer.status != self.status:
            return False
        if isinstance(self.status, range) and answer.status not in self.status:
            return False
        if self.media and not answer.headers.get("content-type", "").lower().startswith(self.media):
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

    def _is_mentioned(self, answer: Answer) -> bool:
        body = answer.body[:10_000].decode(errors="replace").lower()
        return any(text.lower() in body for text in self.contains)


def retry_after_s(answer: Answer) -> float | None:
    """The `Retry-After` header in seconds: a whole or decimal number, or an HTTP date (RFC 9110 §10.2.3).

    None when it is absent or makes no sense; never negative.
    """
    text = answer.headers.get("retry-after", "").strip()
    try:
        return max(0.0, float(text)) if text else None
    except ValueError:
        return _seconds_until(text)


def _seconds_until(text: str) -> float | None:
    from email.utils import parsedate_to_datetime

    from patchbay import clock

    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return None if moment.tzinfo is None else max(0.0, (moment - clock.now()).total_seconds())


BY_STATUS = (
    Rule(Meaning.TOKEN_EXPIRED, status=401),
    Rule(Meaning.SCOPE_MISSING, status=403),
    Rule(Meaning.NOT_FOUND, status=404),
    Rule(Meaning.NOT_FOUND, status=410),
    Rule(Meaning.THROTTLED, status=429, wait=retry_after_s),
    Rule(Meaning.UNAVAILABLE, status=408),
    Rule(Meaning.REFUSED, status=range(300, 500)),
    Rule(Meaning.UNAVAILABLE, status=range(500, 600), wait=retry_after_s),
)


def classify(rules: tuple[Rule, ...], answer: Answer) -> Fault | None:
    """The fault that `answer` is by `rules`, then by its status; None when all is well."""
    for rule in (*rules, *BY_STATUS):
        if rule.fits(answer):
            text = answer.at(*rule.text) if rule.text else None
            return Fault(rule.means, str(text)[:500] if text else "", _wait_s(rule, answer), rule.says)
    return None


def _wait_s(rule: Rule, answer: Answer) -> float | None:
    """How long to wait, None where that is not told in a way that makes sense (NaN is neither more nor less)."""
    told = rule.wait(answer) if rule.wait else None
    return told if told is not None and told >= 0 else None
