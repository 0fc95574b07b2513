"""Etsy's published OpenAPI document, as the TypeScript client generated from it declares it: calls, inputs and answers.

The document itself is under Etsy's terms and in no package; `etsy-ts` carries all of its operations and schemas in its
declaration files. Read by `test_etsy` and `test_requests_to_etsy`.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email import message_from_bytes
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

from tests.conformance.recording import Exchange
from tests.conformance.witness import NODE_MODULES

HOSTS = frozenset({"openapi.etsy.com", "api.etsy.com"})
PICTURES = "i.etsystatic.com"
_API = NODE_MODULES / "etsy-ts" / "dist" / "api"
_PREFIX = "/v3/application/"
_INTERFACE = re.compile(r"^export interface I(\w+) \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
_FIELD = re.compile(
    r"(?P<doc>(?:^    /\*\*(?:(?!\*/).)*\*/\n)?)^    (?P<name>\w+)(?P<optional>\??): (?P<kind>[^\n{]+);$", re.M | re.S
)
_METHOD = re.compile(
    r"@name (?P<name>\w+)\n\s+\* @request (?P<verb>[A-Z]+):(?P<path>\S+)\n(?P<doc>.*?)\*/\s*(?P<code>\w+: .*?;)$",
    re.M | re.S,
)
_RESPONSE = re.compile(r"@response `(\d+)` `I?(\w+)`")
_CONTENT = {
    "UrlEncoded": "application/x-www-form-urlencoded",
    "FormData": "multipart/form-data",
    "Json": "application/json",
}


@dataclass(frozen=True)
class Field:
    """One property of an interface: its type as TypeScript writes it, and its bounds."""

    kind: str
    is_optional: bool
    lowest: float | None
    highest: float | None


@dataclass(frozen=True)
class Operation:
    """One call: how it is addressed, what it takes, and the answers that are declared by status."""

    name: str
    verb: str
    pattern: re.Pattern[str]
    params: str | None
    payload: str | None
    media_type: str | None
    answers: Mapping[int, str]


@cache
def interfaces() -> Mapping[str, Mapping[str, Field]]:
    """Every schema by its name."""
    text = (_API / "data-contracts.d.ts").read_text("utf-8")
    return {name: dict(_fields(body)) for name, body in _INTERFACE.findall(text)}


@cache
def operations() -> tuple[Operation, ...]:
    """Every call there is."""
    files = [
        path for path in sorted(_API.glob("*.d.ts")) if path.name not in ("data-contracts.d.ts", "http-client.d.ts")
    ]
    return tuple(operation for path in files for operation in _declared(path.name.removesuffix(".d.ts")))


def operation_of(exchange: Exchange) -> Operation | None:
    """The call that an exchange is; a path without a place in it goes before one with."""
    fitting = [one for one in operations() if one.verb == exchange.method and one.pattern.fullmatch(exchange.path)]
    return min(fitting, key=lambda one: one.pattern.groups, default=None)


def names(exchange: Exchange) -> tuple[str, ...]:
    """What an exchange carried out, in the document's words."""
    operation = operation_of(exchange) if exchange.host in HOSTS else None
    return (operation.name,) if operation else ()


def misfits_of_answer(exchange: Exchange) -> Iterator[str]:
    """Where an answer differs from its declaration. Of errors only that the status is one Etsy documents at all."""
    if exchange.host not in HOSTS or not exchange.path.startswith(_PREFIX):
        return
    operation = operation_of(exchange)
    if operation is None:
        if exchange.status != 404:
            yield f"{exchange}: there is no such call"
        return
    if exchange.status >= 400:
        return
    schema = operation.answers.get(exchange.status)
    if schema is None:
        yield f"{exchange}: {operation.name} has no such status"
    elif schema == "void":
        if exchange.answer:
            yield f"{exchange}: {operation.name} answers nothing"
    elif schema in interfaces():
        yield from _of_object(json.loads(exchange.answer), schema, f"{exchange}: {schema}")


def misfits(exchange: Exchange) -> Iterator[str]:
    """Where a call or its answer differs from its declaration."""
    yield from misfits_of_answer(exchange)
    operation = operation_of(exchange) if exchange.host in HOSTS else None
    if operation is None:
        return
    query = {name: text for name, text in exchange.query if text}
    declared = dict(interfaces().get(operation.params or "", {}))
    if operation.params is None and query:
        yield f"{exchange}: {operation.name} takes no query"
    places = [name for name in declared if re.fullmatch(r"\w+Id", name)]  # parts of the path, in the client's spelling
    wanted = {name: field for name, field in declared.items() if name not in places}
    yield from _of_texts(query, wanted, f"{exchange}: query")
    media_type = exchange.headers.get("content-type", "").partition(";")[0]
    if (operation.media_type or "") != media_type:
        yield f"{exchange}: {operation.name} takes {operation.media_type or 'no body'}, not {media_type or 'none'}"
    elif operation.payload:
        yield from _of_texts(form_of(exchange), interfaces()[operation.payload], f"{exchange}: form")


def form_of(exchange: Exchange) -> dict[str, str]:
    """The fields of a form; a file stands as its name."""
    kind = exchange.headers.get("content-type", "")
    if not kind.startswith("multipart/"):
        return dict(parse_qsl(exchange.body.decode(), keep_blank_values=True))
    message = message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + exchange.body)
    found = {}
    for part in message.walk():
        name = part.get_param("name", header="content-disposition")
        if isinstance(name, str):
            content = part.get_payload(decode=True)
            found[name] = part.get_filename() or (content.decode() if isinstance(content, bytes) else "")
    return found


def _fields(body: str) -> Iterator[tuple[str, Field]]:
    for match in _FIELD.finditer(body):
        bounds = {name: float(text) for name, text in re.findall(r"@(min|max) ([\d.e+]+)", match["doc"])}
        yield match["name"], Field(match["kind"], bool(match["optional"]), bounds.get("min"), bounds.get("max"))


def _declared(group: str) -> Iterator[Operation]:
    """The calls of one of the client's groups; what they send as is said only in its code."""
    code = (_API / f"{group}.js").read_text("utf-8")
    for match in _METHOD.finditer((_API / f"{group}.d.ts").read_text("utf-8")):
        method = match["code"].partition(":")[0]
        body = code.partition(f"this.{method} = ")[2].partition("_this.http.request")[2].partition(", params));")[0]
        content = re.search(r"ContentType\.(\w+)", body)
        params = re.search(r": I(\w+Params)\b", match["code"])
        payload = re.search(r"data: I(\w+Payload)", match["code"])
        pattern = re.sub(r"\\\{\w+\\\}", r"([^/]+)", re.escape(match["path"]))
        yield Operation(
            match["name"],
            match["verb"],
            re.compile(pattern),
            params[1] if params else None,
            payload[1] if payload else None,
            _CONTENT[content[1]] if content else None,
            {int(status): schema for status, schema in _RESPONSE.findall(match["doc"])},
        )


def _of_texts(values: Mapping[str, str], declared: Mapping[str, Field], where: str) -> Iterator[str]:
    """Misfits of what is sent as text: unknown and missing names, and texts that are none of their type."""
    for name in values.keys() - declared.keys():
        yield f"{where}: {name} is not declared"
    for name, field in declared.items():
        if name not in values:
            if not field.is_optional:
                yield f"{where}: {name} is missing"
            continue
        value = _read(values[name], field.kind)
        yield from _of_value(value, field, f"{where}.{name}")


def _read(text: str, kind: str) -> Any:
    """A text as the value that its type makes of it."""
    if kind.endswith(("[]", "[] | null")):
        inner = kind.removesuffix(" | null").removesuffix("[]")
        return [_read(part, inner.strip("()")) for part in text.split(",")]
    if "number" in kind:
        try:
            return float(text) if "." in text else int(text)
        except ValueError:
            return text
    if kind.startswith("boolean"):
        return {"true": True, "false": False}.get(text, text)
    return text


def _of_object(value: Any, schema: str, where: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{where}: {type(value).__name__} in place of an object"
        return
    declared = interfaces()[schema]
    for name in value.keys() - declared.keys():
        yield f"{where}.{name} is not declared"
    for name, field in declared.items():
        if name in value:
            yield from _of_value(value[name], field, f"{where}.{name}")
        elif not field.is_optional:
            yield f"{where}.{name} is missing"


def _of_value(value: Any, field: Field, where: str) -> Iterator[str]:
    """Misfits of a value: its type, its choice, its bounds."""
    kind = field.kind.removesuffix(" | null")
    if value is None:
        if not field.kind.endswith("| null"):
            yield f"{where} must not be null"
    elif kind.endswith("[]"):
        inner = Field(kind.removesuffix("[]").strip("()"), False, None, None)
        if not isinstance(value, list):
            yield f"{where}: {type(value).__name__} in place of a list"
            return
        for number, each in enumerate(value):
            yield from _of_value(each, inner, f"{where}[{number}]")
    elif kind.startswith("I") and kind[1:] in interfaces():
        yield from _of_object(value, kind[1:], where)
    elif kind.startswith('"'):
        if value not in re.findall(r'"([^"]*)"', kind):
            yield f"{where}: {value!r} is none of its choices"
    elif not _is(value, kind):
        yield f"{where}: {value!r} is no {kind}"
    elif kind == "number" and not _is_within(value, field):
        yield f"{where}: {value!r} is out of bounds"


def _is(value: Any, kind: str) -> bool:
    if kind == "number":
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind == "boolean":
        return isinstance(value, bool)
    return isinstance(value, str) if kind in ("string", "Readable") else True


def _is_within(value: float, field: Field) -> bool:
    is_high_enough = field.lowest is None or value >= field.lowest
    return is_high_enough and (field.highest is None or value <= field.highest)
