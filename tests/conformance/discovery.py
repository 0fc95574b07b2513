"""Google's discovery document of Drive v3, as Google's client brings it along, read as a check of single exchanges.

It speaks of methods, parameters, bodies and answers. What it leaves open (error bodies, the chunks of a resumable
upload, OAuth) is left open here too.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email import message_from_bytes
from functools import cache
from typing import Any

from googleapiclient.discovery_cache import get_static_doc
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # ships no types

from tests.conformance.field_mask import unknown_fields
from tests.conformance.recording import Exchange

HOST = "www.googleapis.com"
SESSION = "upload_id"  # the address of an upload session is the platform's own affair, its parameter undocumented
_FORMATS: Mapping[str, Mapping[str, Any]] = {
    "int32": {"minimum": -(2**31), "maximum": 2**31 - 1},
    "int64": {"pattern": r"^-?\d{1,19}$"},
    "date": {"pattern": r"^\d{4}-\d\d-\d\d$"},
    "date-time": {"pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$"},
    "google-datetime": {"pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$"},
    "byte": {"pattern": r"^[A-Za-z0-9+/_-]*={0,2}$"},
}


@dataclass(frozen=True)
class Method:
    """One method of the document; `is_upload`: met at its upload address."""

    id: str
    declared: Mapping[str, Any]
    is_upload: bool = False


class Discovery:
    """A discovery document (discovery v1)."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.revision = str(document["revision"])
        self._parameters = document["parameters"]
        self._schemas = document["schemas"]
        self._addresses = sorted(_addresses(document), key=lambda row: row[1].pattern.count("[^/]+"))
        self._validators: dict[tuple[str, bool], Draft202012Validator] = {}

    def speaks_of(self, exchange: Exchange) -> bool:
        """Whether the document ought to know this address."""
        return exchange.host == HOST and bool(re.match(r"/(resumable/)?(upload/)?drive/", exchange.path))

    def method_of(self, exchange: Exchange) -> Method | None:
        """The method that a request calls; the chunks of an upload session belong to the method that began it."""
        in_session = SESSION in dict(exchange.query)
        for http_method, path, method in self._addresses:
            is_its_own = http_method == exchange.method or (in_session and method.is_upload)
            if is_its_own and path.fullmatch(exchange.path):
                return method
        return None

    def operations(self, exchange: Exchange) -> list[str]:
        """The id of the method that an exchange calls, if the document has it."""
        method = self.method_of(exchange) if self.speaks_of(exchange) else None
        return [method.id] if method else []

    def misfits(self, exchange: Exchange) -> list[str]:
        """Where the exchange differs from the document, each as a sentence; empty when all fits, or none is due."""
        if not self.speaks_of(exchange):
            return []
        method = self.method_of(exchange)
        if method is None:
            return [f"{exchange}: the document has no such method"]
        found = [
            *self._in_query(method, exchange),
            *self._in_body(method, exchange),
            *self._in_answer(method, exchange),
        ]
        return [f"{method.id}: {misfit}" for misfit in found]

    def _in_query(self, method: Method, exchange: Exchange) -> Iterator[str]:
        given = dict(exchange.query)
        own = {name: one for name, one in method.declared.get("parameters", {}).items() if one["location"] == "query"}
        for name, one in own.items():
            if one.get("required") and name not in given:
                yield f"the parameter {name} is missing"
        for name, text in exchange.query:
            declared = own.get(name) or self._parameters.get(name)
            if declared is not None:
                yield from _in_parameter(name, text, declared)
            elif not (method.is_upload and name == SESSION):
                yield f"the parameter {name} is unknown"
        if "fields" in given and "response" in method.declared:
            answered = method.declared["response"]["$ref"]
            yield from (f"fields names {path}" for path in unknown_fields(given["fields"], answered, self._schemas))

    def _in_body(self, method: Method, exchange: Exchange) -> Iterator[str]:
        """Of an upload the JSON part; the bytes of a file, or of a chunk of it, may be anything."""
        if method.is_upload and (SESSION in dict(exchange.query) or dict(exchange.query).get("uploadType") == "media"):
            return
        content_type, body = exchange.headers.get("content-type", ""), exchange.body
        if method.is_upload and content_type.startswith("multipart/related"):
            parts = _parts(content_type, body)
            if len(parts) != 2:
                yield f"a multipart upload has two parts, not {len(parts)}"
                return
            content_type, body = parts[0]
        if not body:
            return
        if "request" not in method.declared:
            yield "it takes no body"
        elif not content_type.startswith("application/json"):
            yield f"the body is {content_type or 'of no type'}, not JSON"
        else:
            yield from self._in_json("body", body, method.declared["request"]["$ref"], is_answer=False)

    def _in_answer(self, method: Method, exchange: Exchange) -> Iterator[str]:
        """Of success alone: the document has no schema for errors."""
        if not 200 <= exchange.status < 300:
            return
        if "response" not in method.declared or self._begins_session(method, exchange):
            if exchange.answer:
                yield "an answer without body has one"
        elif dict(exchange.query).get("alt") != "media":
            yield from self._in_json("answer", exchange.answer, method.declared["response"]["$ref"], is_answer=True)

    def _begins_session(self, method: Method, exchange: Exchange) -> bool:
        query = dict(exchange.query)
        return method.is_upload and query.get("uploadType") == "resumable" and SESSION not in query

    def _in_json(self, place: str, text: bytes, schema: str, *, is_answer: bool) -> Iterator[str]:
        try:
            value = json.loads(text)
        except ValueError:
            yield f"the {place} is not JSON"
            return
        for error in self._validator(schema, is_answer=is_answer).iter_errors(value):
            yield f"{place}{error.json_path.removeprefix('$')}: {error.message}"

    def _validator(self, schema: str, *, is_answer: bool) -> Draft202012Validator:
        wanted = (schema, is_answer)
        if wanted not in self._validators:
            shapes = {name: _json_schema(one, is_answer=is_answer) for name, one in self._schemas.items()}
            self._validators[wanted] = Draft202012Validator({"$ref": f"#/$defs/{schema}", "$defs": shapes})
        return self._validators[wanted]


@cache
def drive() -> Discovery:
    """The document of Drive v3 that is installed with Google's client."""
    return Discovery(json.loads(get_static_doc("drive", "v3")))


def _addresses(document: Mapping[str, Any]) -> Iterator[tuple[str, re.Pattern[str], Method]]:
    """HTTP method, path and method, once for each address of each method."""
    for declared in _methods(document):
        verb, path = declared["httpMethod"], declared.get("flatPath", declared["path"])
        yield verb, _path_pattern(f"/{document['servicePath']}{path}"), Method(declared["id"], declared)
        upload = Method(declared["id"], declared, is_upload=True)
        for protocol in declared.get("mediaUpload", {}).get("protocols", {}).values():
            yield verb, _path_pattern(protocol["path"]), upload


def _methods(resource: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from resource.get("methods", {}).values()
    for inner in resource.get("resources", {}).values():
        yield from _methods(inner)


def _path_pattern(path: str) -> re.Pattern[str]:
    return re.compile(
        "".join("[^/]+" if part.startswith("{") else re.escape(part) for part in re.split(r"({.*?})", path))
    )


def _in_parameter(name: str, text: str, declared: Mapping[str, Any]) -> Iterator[str]:
    kind = declared["type"]
    if kind == "boolean" and text not in {"true", "false"}:
        yield f"the parameter {name} is no boolean: {text}"
    elif kind == "integer":
        if not re.fullmatch(r"-?\d+", text):
            yield f"the parameter {name} is no whole number: {text}"
        elif not int(declared.get("minimum", text)) <= int(text) <= int(declared.get("maximum", text)):
            yield f"the parameter {name} is out of its range: {text}"
    elif text not in declared.get("enum", [text]):
        yield f"the parameter {name} may not be {text}"


def _json_schema(declared: Mapping[str, Any], *, is_answer: bool) -> dict[str, Any]:
    """JSON Schema of a schema of the document. Objects are closed; a request may not set what is read-only."""
    if "$ref" in declared:
        return {"$ref": f"#/$defs/{declared['$ref']}"}
    if declared["type"] == "any":
        return {}
    made: dict[str, Any] = {"type": declared["type"], **_FORMATS.get(declared.get("format", ""), {})}
    if "enum" in declared:
        made["enum"] = declared["enum"]
    if "items" in declared:
        made["items"] = _json_schema(declared["items"], is_answer=is_answer)
    if declared["type"] == "object":
        others = declared.get("additionalProperties")
        made["additionalProperties"] = _json_schema(others, is_answer=is_answer) if others else False
        made["properties"] = {
            name: _constant_kind(one) if name == "kind" else _json_schema(one, is_answer=is_answer)
            for name, one in declared.get("properties", {}).items()
            if is_answer or not _is_read_only(one)
        }
    return made


def _constant_kind(declared: Mapping[str, Any]) -> dict[str, Any]:
    """Every resource says what it is: a fixed text, which the document gives as the default."""
    return {"const": declared["default"]} if "default" in declared else {"type": "string"}


def _is_read_only(declared: Mapping[str, Any]) -> bool:
    """Marked so, or, as nearly everywhere in this document, said in its description."""
    return bool(declared.get("readOnly")) or str(declared.get("description", "")).startswith("Output only")


def _parts(content_type: str, body: bytes) -> list[tuple[str, bytes]]:
    """Media type and content of each part of a multipart body."""
    message = message_from_bytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
    if not message.is_multipart():
        return []
    parts = [part for part in message.walk() if part is not message]
    return [(part.get_content_type(), _decoded(part.get_payload(decode=True))) for part in parts]


def _decoded(payload: object) -> bytes:
    """The typing of the standard library allows more than `decode=True` gives."""
    return payload if isinstance(payload, bytes) else b""
