"""Google's partial answers: what a `fields` parameter asks for, held against the schema of the answer.

Source: developers.google.com, "Return specific fields" of the Drive API (`a/b`, `a(b,c)`, `*`).
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

_TOKEN = re.compile(r"[A-Za-z0-9_]+|[*(),/]")


def unknown_fields(mask: str, schema: str, schemas: Mapping[str, Any]) -> list[str]:
    """The paths that `mask` asks for and the schema of that name lacks; the mask itself when it is malformed."""
    tokens = _TOKEN.findall(mask)
    if "".join(tokens) != mask.replace(" ", ""):
        return [mask]
    try:
        return list(_Mask(tokens, schemas).unknown({"$ref": schema}, ""))
    except IndexError:
        return [mask]


class _Mask:
    """The tokens that are still to be read."""

    def __init__(self, tokens: list[str], schemas: Mapping[str, Any]) -> None:
        self._tokens = tokens[::-1]
        self._schemas = schemas

    def unknown(self, schema: Mapping[str, Any] | None, path: str) -> Iterator[str]:
        """Read a comma-separated list of fields of `schema`."""
        while True:
            yield from self._one(schema, path)
            if not self._tokens or self._tokens[-1] == ")":
                return
            self._tokens.pop()  # the comma

    def _one(self, schema: Mapping[str, Any] | None, path: str) -> Iterator[str]:
        name = self._tokens.pop()
        inner = self._field(schema, name)
        here = f"{path}/{name}" if path else name
        if inner is None:
            yield here
        following = self._tokens[-1] if self._tokens else ""
        if following == "/":
            self._tokens.pop()
            yield from self._one(inner or {}, here)
        elif following == "(":
            self._tokens.pop()
            yield from self.unknown(inner or {}, here)
            self._tokens.pop()  # the closing bracket

    def _field(self, schema: Mapping[str, Any] | None, name: str) -> Mapping[str, Any] | None:
        whole = self._resolved(schema or {})
        if name == "*":
            return whole
        known: Mapping[str, Any] | None = whole.get("properties", {}).get(name) or whole.get("additionalProperties")
        return known

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        while "$ref" in schema or "items" in schema:
            schema = self._schemas[schema["$ref"]] if "$ref" in schema else schema["items"]
        return schema
