"""The search language of `q` in files.list: read into a tree that can be asked whether a file matches.

Source: Drive guides "Search for files and folders" and "Search query terms and operators" (read 2026-11). Which files
are looked at, and in which order, is decided in `listing`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from sandbox.hosts.google_drive.refusals import DriveRefused, invalid
from sandbox.store import Document

_TOKEN = re.compile(
    r"""\s*(?:(?P<string>'(?:[^'\\]|\\.)*')|(?P<operator><=|>=|!=|=|<|>)|(?P<mark>[(){}])|(?P<word>[A-Za-z]\w*))""",
    re.DOTALL,
)
_ORDERED = frozenset({"<", "<=", "=", "!=", ">", ">="})
_EQUAL = frozenset({"=", "!="})
_OPERATORS: dict[str, frozenset[str]] = {
    "name": _EQUAL | {"contains"},
    "fullText": frozenset({"contains"}),
    "mimeType": _EQUAL | {"contains"},
    "modifiedTime": _ORDERED,
    "createdTime": _ORDERED,
    "viewedByMeTime": _ORDERED,
    "trashed": _EQUAL,
    "starred": _EQUAL,
    "sharedWithMe": _EQUAL,
    "properties": frozenset({"has"}),
    "appProperties": frozenset({"has"}),
}
_COLLECTIONS = frozenset({"parents", "owners", "writers", "readers"})
_FLAGS = frozenset({"trashed", "starred", "sharedWithMe"})
_TIMES = frozenset({"modifiedTime", "createdTime", "viewedByMeTime"})
_COMPARE: dict[str, Callable[[str, str], bool]] = {
    "=": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}
_DEEPEST = 50


class Token(NamedTuple):
    """One word of the language; `kind` is string, operator, mark or word."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """`name = 'x'`; times are compared as normalised UTC texts, which sort like the times themselves."""

    term: str
    operator: str
    value: str

    def matches(self, file: Document) -> bool:
        """Whether the file's full resource fulfils it."""
        if self.term in _FLAGS:
            return _COMPARE[self.operator](str(file.get(self.term, False)).lower(), self.value)
        held = str(file.get("name" if self.term == "fullText" else self.term, ""))
        if self.operator == "contains":
            return _begins_word(held, self.value) if self.term != "mimeType" else held.startswith(self.value)
        if self.term in _TIMES:
            return bool(held) and _COMPARE[self.operator](_instant(held), self.value)
        return _COMPARE[self.operator](held, self.value)


@dataclass(frozen=True, slots=True)
class Membership:
    """`'x' in parents`."""

    value: str
    term: str

    def matches(self, file: Document) -> bool:
        """Whether the collection of the file holds the value; people are named by address or `me`."""
        if self.term == "parents":
            return self.value in file.get("parents", [])
        return any(self.value in ("me", owner["emailAddress"]) for owner in file.get("owners", []))


@dataclass(frozen=True, slots=True)
class HasProperty:
    """`appProperties has { key='x' and value='y' }`."""

    term: str
    key: str
    value: str

    def matches(self, file: Document) -> bool:
        """Whether the file carries that very pair."""
        return bool(file.get(self.term, {}).get(self.key) == self.value)


@dataclass(frozen=True, slots=True)
class Not:
    """`not …`."""

    inner: "Condition"

    def matches(self, file: Document) -> bool:
        """Whether the inner condition does not match."""
        return not self.inner.matches(file)


@dataclass(frozen=True, slots=True)
class All:
    """`… and …`."""

    inner: tuple["Condition", ...]

    def matches(self, file: Document) -> bool:
        """Whether every condition matches; none at all matches everything."""
        return all(condition.matches(file) for condition in self.inner)


@dataclass(frozen=True, slots=True)
class AnyOf:
    """`… or …`."""

    inner: tuple["Condition", ...]

    def matches(self, file: Document) -> bool:
        """Whether one of the conditions matches."""
        return any(condition.matches(file) for condition in self.inner)


Condition = Comparison | Membership | HasProperty | Not | All | AnyOf


def parse(text: str) -> Condition:
    """The condition that a query states, empty text matching all; raises DriveRefused 400 for anything else."""
    if not text.strip():
        return All(())
    return _Parser(_tokens(text)).whole()


def needed_parent(condition: Condition) -> str | None:
    """The folder that every match must lie in, where the query says so: lets a listing look there alone."""
    if isinstance(condition, Membership) and condition.term == "parents":
        return condition.value
    if isinstance(condition, All):
        return next((found for found in map(needed_parent, condition.inner) if found), None)
    return None


def asks_full_text(condition: Condition) -> bool:
    """Whether `fullText` occurs anywhere: such a listing cannot be sorted."""
    if isinstance(condition, Comparison):
        return condition.term == "fullText"
    if isinstance(condition, Not):
        return asks_full_text(condition.inner)
    return isinstance(condition, All | AnyOf) and any(map(asks_full_text, condition.inner))


class _Parser:
    """Recursive descent: `or` binds loosest, then `and`, then `not`."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0

    def whole(self) -> Condition:
        condition = self._either(0)
        if self._at < len(self._tokens):
            raise _refused()
        return condition

    def _either(self, depth: int) -> Condition:
        if depth > _DEEPEST:
            raise _refused()
        parts = [self._both(depth)]
        while self._take_word("or"):
            parts.append(self._both(depth))
        return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))

    def _both(self, depth: int) -> Condition:
        parts = [self._single(depth)]
        while self._take_word("and"):
            parts.append(self._single(depth))
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _single(self, depth: int) -> Condition:
        if self._take_word("not"):
            if depth > _DEEPEST:
                raise _refused()
            return Not(self._single(depth + 1))
        token = self._next()
        if token == Token("mark", "("):
            condition = self._either(depth + 1)
            self._expect(Token("mark", ")"))
            return condition
        if token.kind == "string":
            return self._membership(token)
        if token.kind == "word" and token.text in _OPERATORS:
            return self._comparison(token.text)
        raise _refused()

    def _membership(self, value: Token) -> Condition:
        self._expect(Token("word", "in"))
        term = self._next()
        if term.kind != "word" or term.text not in _COLLECTIONS:
            raise _refused()
        return Membership(value.text, term.text)

    def _comparison(self, term: str) -> Condition:
        operator = self._next()
        if operator.kind not in ("operator", "word") or operator.text not in _OPERATORS[term]:
            raise _refused()
        if operator.text == "has":
            return self._property(term)
        value = self._next()
        if term in _FLAGS:
            if value.kind != "word" or value.text not in ("true", "false"):
                raise _refused()
            return Comparison(term, operator.text, value.text)
        if value.kind != "string":
            raise _refused()
        return Comparison(term, operator.text, _instant(value.text) if term in _TIMES else value.text)

    def _property(self, term: str) -> Condition:
        self._expect(Token("mark", "{"))
        pair: list[str] = []
        for name in ("key", "value"):
            if name == "value":
                self._expect(Token("word", "and"))
            self._expect(Token("word", name))
            self._expect(Token("operator", "="))
            token = self._next()
            if token.kind != "string":
                raise _refused()
            pair.append(token.text)
        self._expect(Token("mark", "}"))
        return HasProperty(term, *pair)

    def _take_word(self, word: str) -> bool:
        if self._at < len(self._tokens) and self._tokens[self._at] == Token("word", word):
            self._at += 1
            return True
        return False

    def _next(self) -> Token:
        if self._at >= len(self._tokens):
            raise _refused()
        self._at += 1
        return self._tokens[self._at - 1]

    def _expect(self, token: Token) -> None:
        if self._next() != token:
            raise _refused()


def _tokens(text: str) -> list[Token]:
    found: list[Token] = []
    at = 0
    stripped = text.rstrip()
    while at < len(stripped):
        match = _TOKEN.match(stripped, at)
        if match is None or match.lastgroup is None:
            raise _refused()
        value = match[match.lastgroup]
        if match.lastgroup == "string":
            value = re.sub(r"\\(.)", r"\1", value[1:-1], flags=re.DOTALL)
        found.append(Token(match.lastgroup, value))
        at = match.end()
    return found


def _begins_word(held: str, wanted: str) -> bool:
    """`contains` looks at the beginnings of words only: HelloWorld contains Hello, not World."""
    lowered, sought = held.lower(), wanted.lower()
    starts = (match.start() for match in re.finditer(r"\w+|\W", lowered))
    return not sought or any(lowered.startswith(sought, start) for start in starts)


def _instant(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)  # the default time zone of the search language
        return moment.astimezone(UTC).isoformat(timespec="microseconds")
    except (ValueError, OverflowError) as error:
        raise _refused() from error


def _refused() -> DriveRefused:
    return invalid("q")
