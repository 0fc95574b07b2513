"""Changes of recorded answers: a field left out, another type, another status, a header gone or wrong.

Each change befalls every answer of one operation, as it would if the sandbox had it wrong. Which changes are tried, and
whether anybody notices, is for `scripts.mutation` to say.
"""

import json
import random
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tests.conformance.recording import OF_ONE_CONNECTION, Exchange
from tests.conformance.witness import Reading, by_address

ANY = "*"  # in a path: each item of a list, each value of a map from ids
Path = tuple[str, ...]
_STATUSES = (200, 201, 202, 204, 400, 401, 403, 404, 409, 422, 500)
_WRONG_HEADERS = {"content-type": "text/plain"}


@dataclass(frozen=True)
class Answered:
    """The answers of one operation that had one status: `host` with `*` for the shop, `calls` as the witness says."""

    method: str
    host: str
    path: str
    calls: tuple[str, ...]
    status: int

    @classmethod
    def by(cls, exchange: Exchange, reading: Reading) -> "Answered":
        """What an exchange belongs to."""
        (address,) = by_address(exchange)
        host = re.sub(r"^[^.]+(?=\.myshopify\.com$)", ANY, exchange.host)
        calls = tuple(sorted(reading.operations(exchange))) if exchange.status < 400 else ()
        return cls(exchange.method, host, address.partition(" ")[2], calls, exchange.status)

    def __str__(self) -> str:
        named = ", ".join(self.calls) or f"{self.method} {self.host}{self.path}"
        return f"{named} → {self.status}"


@dataclass(frozen=True)
class Change:
    """What is done (`drop`, `type`, `status`, `header`), where in the answer, and what then stands there."""

    kind: str
    place: Path
    value: Any = None

    def __str__(self) -> str:
        where = "".join(f"[{ANY}]" if step == ANY else f".{step}" for step in self.place).lstrip(".")
        if self.kind == "drop":
            return f"without `{where}`"
        if self.kind == "type":
            return f"`{where}` is `{json.dumps(self.value)}`"
        if self.kind == "status":
            return f"status {self.value}"
        return f"without the header `{where}`" if self.value is None else f"the header `{where}` is `{self.value}`"

    def applied(self, exchange: Exchange) -> Exchange:
        """The exchange with its answer changed."""
        if self.kind == "status":
            return replace(exchange, status=self.value)
        if self.kind == "header":
            left = {name: text for name, text in exchange.answer_headers.items() if name != self.place[0]}
            return replace(exchange, answer_headers=left if self.value is None else {**left, self.place[0]: self.value})
        body = json.loads(exchange.answer)
        for holder, key in _found(body, self.place):
            if self.kind == "drop":
                del holder[key]
            else:
                holder[key] = self.value
        return replace(exchange, answer=json.dumps(body).encode())


def possible(exchanges: Iterable[Exchange]) -> list[Change]:
    """All changes that can be made to these answers, each once; the same for the same answers, in the same order."""
    found: dict[Change, None] = {}
    for exchange in exchanges:
        for change in (*_of_status(exchange), *_of_headers(exchange), *_of_body(exchange)):
            found[change] = None
    return list(found)


def chosen(answers: Mapping[Answered, Sequence[Exchange]], count: int, seed: str) -> list[tuple[Answered, Change]]:
    """So many different changes, spread over operations and kinds of change; fewer if there are no more."""
    dice = random.Random(seed)  # noqa: S311 - to choose the same again, not to guard anything
    left = {answered: possible(answers[answered]) for answered in sorted(answers, key=str)}
    picked: list[tuple[Answered, Change]] = []
    while len(picked) < count and any(left.values()):
        answered = dice.choice([one for one in left if left[one]])
        kind = dice.choice(sorted({change.kind for change in left[answered]}))
        change = dice.choice([change for change in left[answered] if change.kind == kind])
        left[answered].remove(change)
        picked.append((answered, change))
    return picked


def _of_status(exchange: Exchange) -> Iterator[Change]:
    yield from (Change("status", (), status) for status in _STATUSES if status != exchange.status)


def _of_headers(exchange: Exchange) -> Iterator[Change]:
    for name in sorted(set(exchange.answer_headers) - OF_ONE_CONNECTION):
        yield Change("header", (name,))
        yield Change("header", (name,), _WRONG_HEADERS.get(name, "changed"))


def _of_body(exchange: Exchange) -> Iterator[Change]:
    try:
        body = json.loads(exchange.answer)
    except ValueError:
        return
    for place, value in _places(body, ()):
        yield Change("drop", place)
        yield Change("type", place, _of_another_type(value))


def _places(value: Any, place: Path) -> Iterator[tuple[Path, Any]]:
    """Each field of each object, with what stands there."""
    if isinstance(value, list):
        for item in value:
            yield from _places(item, (*place, ANY))
    elif isinstance(value, dict):
        for key, inner in value.items():
            here = (*place, ANY if _is_id(key) else key)
            if here[-1] != ANY:
                yield here, inner
            yield from _places(inner, here)


def _found(value: Any, place: Path) -> Iterator[tuple[dict[str, Any], str]]:
    """The objects and keys that a place leads to."""
    step, rest = place[0], place[1:]
    if isinstance(value, list):
        for item in value if step == ANY else ():
            yield from _found(item, rest)
    elif isinstance(value, dict):
        for key in [key for key in value if key == step or (step == ANY and _is_id(key))]:
            if rest:
                yield from _found(value[key], rest)
            else:
                yield value, key


def _is_id(key: str) -> bool:
    """Keys of a map from ids hold digits or punctuation; names of fields do not, but for a trailing number."""
    return not re.fullmatch(r"[A-Za-z_@$.-]+\d{0,3}[a-z]?", key)


def _of_another_type(value: Any) -> Any:
    """Text for what is none, a number for text."""
    return 7 if isinstance(value, str) or value is None else "changed"
