"""Whether the data of a GraphQL answer is what its document asked for: each field there, of its type, and no other.

Source: GraphQL specification of October 2021, sections 6.4 (execution of fields) and 7.1 (the response).
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLEnumType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLType,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    is_abstract_type,
    parse,
)

from tests.conformance.recording import Exchange

_SCALARS: Mapping[str, tuple[type, ...]] = {"Int": (int,), "Float": (int, float), "Boolean": (bool,)}


def misfits(schema: GraphQLSchema, exchange: Exchange) -> list[str]:
    """Where the data differs from what was asked for, each as a sentence; none for an answer that brings errors."""
    document, answer = parse(json.loads(exchange.body)["query"]), json.loads(exchange.answer)
    if "errors" in answer:
        return []
    operation = next(one for one in document.definitions if isinstance(one, OperationDefinitionNode))
    fragments = {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)}
    root = schema.get_root_type(operation.operation)
    assert root is not None, f"the schema has no {operation.operation.value}"
    reader = _Reader(schema, fragments)
    return list(reader.in_value("data", GraphQLNonNull(root), answer.get("data"), operation.selection_set))


class _Reader:
    def __init__(self, schema: GraphQLSchema, fragments: Mapping[str, FragmentDefinitionNode]) -> None:
        self._schema = schema
        self._fragments = fragments

    def in_value(self, place: str, kind: GraphQLType, value: Any, asked: SelectionSetNode | None) -> Iterator[str]:
        """Read one value."""
        if value is None:
            if isinstance(kind, GraphQLNonNull):
                yield f"{place} is null"
            return
        inner = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
        if isinstance(inner, GraphQLList):
            if not isinstance(value, list):
                yield f"{place} is no list"
                return
            for number, item in enumerate(value):
                yield from self.in_value(f"{place}[{number}]", inner.of_type, item, asked)
        elif asked is not None:
            yield from self._in_object(place, inner, value, asked)
        elif not _is_leaf(inner, value):
            yield f"{place} is no {inner}: {value!r}"

    def _in_object(self, place: str, kind: GraphQLType, value: Any, asked: SelectionSetNode) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{place} is no object"
            return
        fields = dict(self._fields(kind, asked))
        needed = {name for name, (_, _, is_sure) in fields.items() if is_sure}
        yield from (f"{place}.{name} is missing" for name in sorted(needed - set(value)))
        yield from (f"{place}.{name} was not asked for" for name in sorted(set(value) - set(fields)))
        for name, (field_kind, node, _) in fields.items():
            if name in value:
                yield from self.in_value(f"{place}.{name}", field_kind, value[name], node.selection_set)

    def _fields(
        self, kind: GraphQLType, asked: SelectionSetNode, *, is_sure: bool = True
    ) -> Iterator[tuple[str, tuple[GraphQLType, FieldNode, bool]]]:
        """By the name in the answer: type, what was asked, and whether it must be there whatever the object is."""
        for selection in asked.selections:
            if isinstance(selection, FieldNode):
                name = selection.alias.value if selection.alias else selection.name.value
                yield name, (self._type_of(kind, selection.name.value), selection, is_sure)
                continue
            fragment = self._fragments[selection.name.value] if isinstance(selection, FragmentSpreadNode) else selection
            assert isinstance(fragment, FragmentDefinitionNode | InlineFragmentNode)
            narrowed = self._schema.get_type(fragment.type_condition.name.value) if fragment.type_condition else kind
            assert narrowed is not None
            sure = is_sure and not (is_abstract_type(kind) and narrowed is not kind)
            yield from self._fields(narrowed, fragment.selection_set, is_sure=sure)

    def _type_of(self, kind: GraphQLType, name: str) -> GraphQLType:
        if name == "__typename":
            return self._schema.type_map["String"]
        assert isinstance(kind, GraphQLObjectType) or is_abstract_type(kind)
        found: GraphQLType = kind.fields[name].type  # type: ignore[union-attr]  # unions have no fields but __typename
        return found


def _is_leaf(kind: GraphQLType, value: Any) -> bool:
    """Enums by their values, numbers and truth by their kinds; all other scalars are text in Shopify's API."""
    if isinstance(kind, GraphQLEnumType):
        return value in kind.values
    wanted = _SCALARS.get(str(kind), (str,))
    return isinstance(value, wanted) and (bool in wanted or not isinstance(value, bool))
