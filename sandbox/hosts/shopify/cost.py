"""What a query costs in points before and after it ran, counted on the parsed document and on the answer.

The bucket that the points are taken from is in `bucket`.

Sources: shopify.dev "GraphQL Admin API rate limits" (scalars and enums 0, objects 1, interfaces and unions their
dearest selection, connections by `first` or `last`, mutations 10; single query at most 1,000) and, for the size of a
connection, the platform's developer forum, thread 24364 (2 + children × floor(2 ln max(2, size)); value objects cost
nothing). Read 2026-11.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    is_abstract_type,
    is_composite_type,
)

MAX_QUERY_COST = 1000
MUTATION_COST = 10
_FREE_FIELDS = frozenset(
    {"pageInfo", "seo", "userErrors", "mediaUserErrors", "mediaErrors", "fileErrors", "mediaWarnings"}
)
_DEFAULT_SIZE = 1


def connection_cost(children: int, size: int) -> int:
    """Points of a connection whose entries cost `children` each; grows with the logarithm of its size."""
    return 2 + children * math.floor(2 * math.log(max(2, size))) if size > 0 else 2


@dataclass(frozen=True, slots=True)
class Pricing:
    """Prices one operation: `fragments` by name, `variables` as coerced by the executor."""

    schema: GraphQLSchema
    operation: OperationDefinitionNode
    fragments: dict[str, FragmentDefinitionNode]
    variables: dict[str, Any]
    opened: dict[tuple[str, int], list[tuple[FieldNode, str, GraphQLNamedType]]] = field(default_factory=dict)

    def requested(self) -> int:
        """Points set aside before the operation runs: every connection counts as full."""
        if self.operation.operation is OperationType.MUTATION:
            return MUTATION_COST * len(list(self._fields(self.operation.selection_set)))
        root = self.schema.query_type
        return self._selection(self.operation.selection_set, root) if root else 0

    def actual(self, answer: dict[str, Any] | None) -> int:
        """Points of what really came back: connections by the entries they hold, objects that are null for nothing."""
        if self.operation.operation is OperationType.MUTATION:
            return self.requested()
        root = self.schema.query_type
        if answer is None or root is None:
            return 0
        return self._answered(self.operation.selection_set, root, answer)

    def _selection(self, selection_set: SelectionSetNode | None, kind: GraphQLNamedType) -> int:
        if selection_set is None:
            return 0
        if is_abstract_type(kind):
            possible = self.schema.get_possible_types(kind)
            return max((self._selection(selection_set, each) for each in possible), default=0)
        return sum(self._field(node, kind) for node in self._fields(selection_set, kind))

    def _field(self, node: FieldNode, parent: GraphQLNamedType) -> int:
        kind = self._type_of(node, parent)
        if kind is None or not is_composite_type(kind) or node.name.value in _FREE_FIELDS:
            return 0
        children = self._selection(node.selection_set, kind)
        if kind.name.endswith("Connection"):
            return connection_cost(children, self._size(node))
        if kind.name.endswith("Edge") or parent.name.endswith("Connection"):
            return 1 + children if node.name.value == "nodes" else children
        return 1 + children

    def _answered(self, selection_set: SelectionSetNode | None, kind: GraphQLNamedType, answer: dict[str, Any]) -> int:
        if selection_set is None:
            return 0
        if is_abstract_type(kind):
            return self._selection(selection_set, kind)
        total = 0
        for node, name, field_type in self._priced_fields(selection_set, kind):
            value = answer.get(name)
            if value is None:
                continue
            if field_type.name.endswith("Connection"):
                total += self._answered_connection(node, field_type, value)
            else:
                entries = value if isinstance(value, list) else [value]
                total += 1 + self._dearest(node, field_type, entries)
        return total

    def _answered_connection(self, node: FieldNode, kind: GraphQLNamedType, value: dict[str, Any]) -> int:
        """A connection as large as what it holds; its children cost what the dearest of its entries does."""
        size = children = 0
        for inner, name, inner_type in self._priced_fields(node.selection_set, kind):
            entries = value.get(name) or []
            size = max(size, len(entries))
            if inner.name.value == "nodes":
                children += 1 + self._dearest(inner, inner_type, entries)
            else:
                children += self._dearest(inner, inner_type, entries)
        return connection_cost(children, size)

    def _dearest(self, node: FieldNode, kind: GraphQLNamedType, entries: list[Any]) -> int:
        costs = (self._answered(node.selection_set, kind, entry) for entry in entries if isinstance(entry, dict))
        return max(costs, default=0)

    def _priced_fields(
        self, selection_set: SelectionSetNode | None, kind: GraphQLNamedType
    ) -> list[tuple[FieldNode, str, GraphQLNamedType]]:
        """Fields of a concrete type that can cost anything, with the names under which they are answered."""
        if selection_set is None:
            return []
        key = (kind.name, id(selection_set))
        if key not in self.opened:
            self.opened[key] = [
                (node, node.alias.value if node.alias else node.name.value, field_type)
                for node in self._fields(selection_set, kind)
                if (field_type := self._type_of(node, kind)) is not None
                and is_composite_type(field_type)
                and node.name.value not in _FREE_FIELDS
            ]
        return self.opened[key]

    def _type_of(self, node: FieldNode, parent: GraphQLNamedType) -> GraphQLNamedType | None:
        if not isinstance(parent, GraphQLObjectType):
            return None
        definition = parent.fields.get(node.name.value)
        return get_named_type(definition.type) if definition else None

    def _size(self, node: FieldNode) -> int:
        for argument in node.arguments or ():
            if argument.name.value not in {"first", "last"}:
                continue
            value: Any = None
            if isinstance(argument.value, VariableNode):
                value = self.variables.get(argument.value.name.value)
            elif isinstance(argument.value, IntValueNode):
                value = int(argument.value.value)
            if isinstance(value, int):
                return value
        return _DEFAULT_SIZE

    def _fields(self, selection_set: SelectionSetNode, kind: GraphQLNamedType | None = None) -> Iterator[FieldNode]:
        """Fields of a selection for one concrete type, each response name once, fragments opened."""
        seen: dict[str, FieldNode] = {}
        for node in self._open(selection_set, kind):
            name = node.alias.value if node.alias else node.name.value
            known = seen.get(name)
            seen[name] = _merged(known, node) if known else node
        yield from seen.values()

    def _open(self, selection_set: SelectionSetNode, kind: GraphQLNamedType | None) -> Iterator[FieldNode]:
        for selection in selection_set.selections:
            if isinstance(selection, FieldNode):
                yield selection
                continue
            inner: InlineFragmentNode | FragmentDefinitionNode | None = None
            if isinstance(selection, InlineFragmentNode):
                inner = selection
            elif isinstance(selection, FragmentSpreadNode):
                inner = self.fragments.get(selection.name.value)
            if inner is not None and self._applies(inner, kind):
                yield from self._open(inner.selection_set, kind)

    def _applies(self, fragment: InlineFragmentNode | FragmentDefinitionNode, kind: GraphQLNamedType | None) -> bool:
        if fragment.type_condition is None or kind is None:
            return True
        condition = self.schema.get_type(fragment.type_condition.name.value)
        if condition is kind:
            return True
        return (
            is_abstract_type(condition)
            and isinstance(kind, GraphQLObjectType)
            and self.schema.is_sub_type(condition, kind)
        )


def _merged(first: FieldNode, second: FieldNode) -> FieldNode:
    """Two selections of one response name as one, as the executor merges them."""
    if first.selection_set is None or second.selection_set is None:
        return first
    selections = (*first.selection_set.selections, *second.selection_set.selections)
    return FieldNode(
        alias=first.alias,
        name=first.name,
        arguments=first.arguments,
        directives=first.directives,
        selection_set=SelectionSetNode(selections=selections),
    )
