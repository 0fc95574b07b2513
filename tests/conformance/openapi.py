"""An OpenAPI document (3.0 or 3.1) read as a check of single exchanges: both the request and the answer to it.

It speaks of paths, methods, parameters, bodies and answers. Authentication is left to the clients that do it.

Written rather than taken from openapi-core, which lets pass what matters most here: parameters and properties that the
document does not know.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.message import Message
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.conformance.openapi_schemas import Schema, Schemas
from tests.conformance.recording import Exchange

_ANY: Schema = {}  # one object: validators are found again by identity
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


@dataclass(frozen=True)
class Operation:
    """One method of one path, with what holds for all methods of the path."""

    method: str
    path: str
    declared: Mapping[str, Any]
    parameters: Sequence[Mapping[str, Any]]

    @property
    def name(self) -> str:
        """The document's name for it, else method and path."""
        return str(self.declared.get("operationId") or f"{self.method.upper()} {self.path}")


class Document:
    """An OpenAPI document; `server` stands in for the servers that it names, where it names none of use."""

    def __init__(self, document: Mapping[str, Any], server: str = "") -> None:
        self._document = document
        self._server = server
        self._asked = Schemas(document, is_answer=False)
        self._answered = Schemas(document, is_answer=True)

    @cached_property
    def _servers(self) -> list[tuple[str, str]]:
        """Host and base path of each server."""
        named = [server["url"] for server in self._document.get("servers", [])]
        found = [urlsplit(address) for address in ([self._server] if self._server else named)]
        return [(server.netloc, server.path.rstrip("/")) for server in found]

    @cached_property
    def _operations(self) -> list[tuple[re.Pattern[str], Operation]]:
        """Paths without places first, as OpenAPI wants them matched."""
        found = []
        for path, item in self._document["paths"].items():
            shared = item.get("parameters", [])
            for method in _METHODS:
                if method in item:
                    declared = item[method]
                    parameters = self._merged(shared, declared.get("parameters", []))
                    found.append((_pattern(path), Operation(method, path, declared, parameters)))
        return sorted(found, key=lambda row: row[1].path.count("{"))

    def speaks_of(self, exchange: Exchange) -> bool:
        """Whether the document ought to know this address."""
        return self._path_below_server(exchange) is not None

    def operation_of(self, exchange: Exchange) -> Operation | None:
        """The operation that a request calls."""
        path = self._path_below_server(exchange)
        for pattern, operation in self._operations:
            if operation.method == exchange.method.lower() and path is not None and pattern.fullmatch(path):
                return operation
        return None

    def operations(self, exchange: Exchange) -> list[str]:
        """The name of the operation that an exchange calls, if the document has it."""
        operation = self.operation_of(exchange)
        return [operation.name] if operation else []

    def misfits(self, exchange: Exchange) -> list[str]:
        """Where the exchange differs from the document, each as a sentence; empty when all fits, or none is due."""
        if not self.speaks_of(exchange):
            return []
        operation = self.operation_of(exchange)
        if operation is None:
            return [f"{exchange}: the document has no such operation"]
        found = [
            *self._in_parameters(operation, exchange),
            *self._in_body(operation, exchange),
            *self._in_answer(operation, exchange),
        ]
        return [f"{operation.name}: {misfit}" for misfit in found]

    # -- the request

    def _in_parameters(self, operation: Operation, exchange: Exchange) -> Iterator[str]:
        given = self._given(operation, exchange)
        for declared in operation.parameters:
            name = declared["name"].lower() if declared["in"] == "header" else declared["name"]
            values = given[declared["in"]].pop(name, [])
            if values:
                yield from self._in_parameter(self._asked, declared, values)
            elif declared.get("required"):
                yield f"the {declared['in']} parameter {declared['name']} is missing"
        yield from (f"the query parameter {name} is unknown" for name in given["query"])

    def _given(self, operation: Operation, exchange: Exchange) -> dict[str, dict[str, list[str]]]:
        """What the request carries, by place and name."""
        match = _pattern(operation.path).fullmatch(self._path_below_server(exchange) or "")
        names = re.findall(r"{(.*?)}", operation.path)
        query: dict[str, list[str]] = {}
        for name, text in exchange.query:
            query.setdefault(name, []).append(text)
        return {
            "path": {name: [unquote(text)] for name, text in zip(names, match.groups() if match else (), strict=True)},
            "query": query,
            "header": {name: [text] for name, text in exchange.headers.items()},
            "cookie": {},
        }

    def _in_parameter(self, schemas: Schemas, declared: Schema, values: list[str]) -> Iterator[str]:
        schema = declared.get("schema", _ANY)
        for error in schemas.errors(schema, self._typed(schemas.flat(schema), declared, values)):
            yield f"the {declared['in']} parameter {declared['name']}{error}"

    def _typed(self, flat: Schema, declared: Schema, values: list[str]) -> Any:
        """What the text of a parameter stands for: lists joined by commas or repeated, numbers, truth."""
        if "array" in _types(flat):
            is_repeated = declared.get("explode", declared.get("style", "form") == "form") and declared["in"] == "query"
            parts = values if is_repeated else values[-1].split(",")
            return [_scalar(self._asked.flat(flat.get("items", {})), part) for part in parts]
        return _scalar(flat, values[-1])

    def _in_body(self, operation: Operation, exchange: Exchange) -> Iterator[str]:
        declared = self._asked.resolved(operation.declared.get("requestBody", {}))
        if not exchange.body:
            if declared.get("required"):
                yield "the body is missing"
        elif not declared:
            yield "it takes no body"
        else:
            yield from _in_content(self._asked, "body", declared["content"], exchange.headers, exchange.body)

    # -- the answer

    def _in_answer(self, operation: Operation, exchange: Exchange) -> Iterator[str]:
        responses = operation.declared["responses"]
        wanted = (str(exchange.status), f"{exchange.status // 100}XX", "default")
        found = next((responses[name] for name in wanted if name in responses), None)
        if found is None:
            yield f"it does not answer {exchange.status}"
            return
        declared = self._answered.resolved(found)
        yield from self._in_headers(declared, exchange)
        if "content" in declared and exchange.method != "HEAD":
            headers, content = exchange.answer_headers, exchange.answer
            yield from _in_content(self._answered, "answer", declared["content"], headers, content)

    def _in_headers(self, declared: Mapping[str, Any], exchange: Exchange) -> Iterator[str]:
        for name, header in declared.get("headers", {}).items():
            shape, text = self._answered.resolved(header), exchange.answer_headers.get(name.lower())
            if text is not None:
                yield from self._in_parameter(self._answered, {**shape, "name": name, "in": "header"}, [text])
            elif shape.get("required"):
                yield f"the header {name} is missing"

    def _merged(self, *lists: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """Parameters, a later one in place of an earlier of the same name and place."""
        resolved = [self._asked.resolved(one) for parameters in lists for one in parameters]
        return list({(one["in"], one["name"]): one for one in resolved}.values())

    def _path_below_server(self, exchange: Exchange) -> str | None:
        for host, base in self._servers:
            if exchange.host == host and exchange.path.startswith(f"{base}/"):
                return exchange.path.removeprefix(base)
        return None


def _pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"({.*?})", path)
    return re.compile("".join("([^/]+)" if part.startswith("{") else re.escape(part) for part in parts))


def _in_content(
    schemas: Schemas, place: str, declared: Mapping[str, Schema], headers: Mapping[str, str], content: bytes
) -> Iterator[str]:
    """By the media type: JSON and forms are held against their schema, of others the type alone is known."""
    kind = _media_type(headers.get("content-type", ""))
    wanted = (kind, f"{kind.partition('/')[0]}/*", "*/*")
    found = next((declared[name] for name in wanted if name in declared), None)
    if found is None:
        yield f"the {place} is of {kind or 'no type'}, not {' or '.join(declared)}"
    elif kind.endswith("json"):
        yield from _in_json(schemas, place, found.get("schema", _ANY), content)
    elif kind == "application/x-www-form-urlencoded":
        yield from _in_form(schemas, place, found.get("schema", _ANY), content)


def _media_type(header: str) -> str:
    message = Message()
    message["Content-Type"] = header
    return message.get_content_type() if header else ""


def _in_json(schemas: Schemas, place: str, schema: Schema, content: bytes) -> Iterator[str]:
    try:
        value = json.loads(content)
    except ValueError:
        yield f"the {place} is not JSON"
        return
    yield from (f"{place}{error}" for error in schemas.errors(schema, value))


def _in_form(schemas: Schemas, place: str, schema: Schema, content: bytes) -> Iterator[str]:
    shapes = {name: schemas.flat(one) for name, one in schemas.flat(schema).get("properties", {}).items()}
    pairs = parse_qsl(content.decode(), keep_blank_values=True)
    value = {name: _scalar(shapes.get(name, {}), text) for name, text in pairs}
    yield from (f"{place}{error}" for error in schemas.errors(schema, value))


def _types(flat: Schema) -> set[str]:
    """The types that a value may have; of alternatives, all of theirs."""
    named = flat.get("type", [])
    inner = [kind for option in (*flat.get("oneOf", ()), *flat.get("anyOf", ())) for kind in _types(option)]
    return {*([named] if isinstance(named, str) else named), *inner}


def _scalar(flat: Schema, text: str) -> Any:
    """What a text stands for by its schema; as it is when it is not what the schema wants."""
    types = _types(flat)
    if types & {"integer", "number"} and re.fullmatch(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", text):
        return int(text) if re.fullmatch(r"-?\d+", text) else float(text)
    if "boolean" in types and text in {"true", "false"}:
        return text == "true"
    return text
