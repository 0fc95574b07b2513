"""The schemas of an OpenAPI document as closed JSON Schemas: what no schema names is not allowed.

Both versions of OpenAPI come out as JSON Schema 2020-12. Which schema an exchange must fit is for `openapi` to say.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from jsonschema import Draft202012Validator, FormatChecker  # type: ignore[import-untyped]  # ships no types
from jsonschema.exceptions import best_match  # type: ignore[import-untyped]  # the same

Schema = Mapping[str, Any]

_COMPONENT = "#/components/schemas/"
_KEPT = frozenset(
    {
        "const", "enum", "exclusiveMaximum", "exclusiveMinimum", "format", "maximum", "maxItems", "maxLength",
        "maxProperties", "minimum", "minItems", "minLength", "minProperties", "multipleOf", "pattern", "type",
        "uniqueItems",
    }
)  # fmt: skip
_FORMATS = FormatChecker(())


@_FORMATS.checks("date-time", raises=ValueError)  # type: ignore[untyped-decorator]  # ships no types
def _is_moment(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


@_FORMATS.checks("uri", raises=ValueError)  # type: ignore[untyped-decorator]  # ships no types
def _is_address(value: object) -> bool:
    return not isinstance(value, str) or bool(urlsplit(value).scheme)


class Schemas:
    """The schemas of `document`, for requests or for answers: what is read-only has no place in a request."""

    def __init__(self, document: Schema, *, is_answer: bool) -> None:
        self._document = document
        self._hidden = "writeOnly" if is_answer else "readOnly"
        self._validators: dict[int, Draft202012Validator] = {}

    def errors(self, schema: Schema, value: Any) -> Iterator[str]:
        """Where the value differs, as a path and what is wrong there; of alternatives, in the one that fits best."""
        if id(schema) not in self._validators:
            closed = {**self.closed(schema), "$defs": self._components}
            self._validators[id(schema)] = Draft202012Validator(closed, format_checker=_FORMATS)
        for error in self._validators[id(schema)].iter_errors(value):
            nearest = best_match([error])
            yield f"{nearest.json_path.removeprefix('$')}: {nearest.message[:300]}"

    def resolved(self, declared: Schema) -> Schema:
        """What a `$ref` into the document leads to."""
        while "$ref" in declared:
            target: Any = self._document
            for step in declared["$ref"].removeprefix("#/").split("/"):
                target = target[step.replace("~1", "/").replace("~0", "~")]
            declared = target
        return declared

    def flat(self, schema: Schema) -> dict[str, Any]:
        """The schema with what it refers to and all that it combines by `allOf` merged into it."""
        merged = {key: value for key, value in schema.items() if key not in {"$ref", "allOf"}}
        parts = [self.resolved(schema)] if "$ref" in schema else []
        for part in (*parts, *schema.get("allOf", ())):
            merged = _merged(self.flat(part), merged)
        return merged

    def closed(self, schema: Schema) -> dict[str, Any]:
        """JSON Schema of a place at which a value stands."""
        if schema.get("$ref", "").startswith(_COMPONENT):
            return {"$ref": "#/$defs/" + schema["$ref"].removeprefix(_COMPONENT)}
        flat = self.flat(schema)
        options = flat.pop("oneOf", None) or flat.pop("anyOf", None)
        if options is None:
            return self._single(flat)
        discriminator = flat.pop("discriminator", {})
        base = {key: value for key, value in flat.items() if key not in {"title", "description", "nullable", "type"}}
        if "mapping" in discriminator:
            chosen = {name: {"$ref": target} for name, target in discriminator["mapping"].items()}
            made = self._told_apart(discriminator["propertyName"], chosen, base)
        else:
            made = {"anyOf": [self._option(option, base) for option in options]}
        return {"anyOf": [made, {"type": "null"}]} if flat.get("nullable") else made

    @cached_property
    def _components(self) -> dict[str, Any]:
        found: Schema = self._document.get("components", {}).get("schemas", {})
        return {name: self.closed(schema) for name, schema in found.items()}

    def _option(self, option: Schema, base: Schema) -> dict[str, Any]:
        return self.closed(_merged(base, self.flat(option))) if base else self.closed(option)

    def _told_apart(self, name: str, options: Mapping[str, Schema], base: Schema) -> dict[str, Any]:
        """Alternatives of which a property says the right one: no other is tried, which saves much time."""
        return {
            "type": "object",
            "required": [name],
            "properties": {name: {"enum": list(options)}},
            "allOf": [
                {"if": {"properties": {name: {"const": value}}}, "then": self._option(option, base)}
                for value, option in options.items()
            ],
        }

    def _single(self, flat: Schema) -> dict[str, Any]:
        made = {key: value for key, value in flat.items() if key in _KEPT}
        _let_exclusive_be_a_number(made)
        if "items" in flat:
            made["items"] = self.closed(flat["items"])
        if "properties" in flat or "additionalProperties" in flat:
            made |= self._object(flat)
        if flat.get("nullable"):
            _let_be_null(made)
        return made

    def _object(self, flat: Schema) -> dict[str, Any]:
        shown = {name: one for name, one in flat.get("properties", {}).items() if not one.get(self._hidden)}
        others = flat.get("additionalProperties", False)
        return {
            "properties": {name: self.closed(one) for name, one in shown.items()},
            "required": [name for name in flat.get("required", ()) if name in shown],
            "additionalProperties": self.closed(others) if isinstance(others, dict) else others,
        }


def _merged(first: Schema, second: Schema) -> dict[str, Any]:
    """Both at once. Properties and required names are joined; of anything else the second's word counts."""
    made = {**first, **second}
    for key in ("properties", "required"):
        if key in first and key in second:
            joined = {**first[key], **second[key]} if key == "properties" else [*first[key], *second[key]]
            made[key] = joined
    return made


def _let_be_null(made: dict[str, Any]) -> None:
    """OpenAPI 3.0 says `nullable` where 3.1 names the type."""
    if "type" in made:
        made["type"] = [made["type"], "null"]
    if "enum" in made:
        made["enum"] = [*made["enum"], None]


def _let_exclusive_be_a_number(made: dict[str, Any]) -> None:
    """OpenAPI 3.0 says of a bound whether it is exclusive, 3.1 has bounds that are."""
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if isinstance(made.get(exclusive), bool) and made.pop(exclusive):
            made[exclusive] = made.pop(bound)
