"""graphql-core's executor with a short way through plain values: dictionaries whose fields need no resolver.

What fields mean is in `resolvers`; this only spares the calls that a page of some hundred products would make.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from graphql import (
    GraphQLLeafType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    Undefined,
    is_leaf_type,
    is_object_type,
)
from graphql.execution.collect_fields import FieldDetails
from graphql.execution.executor_throwing_on_incremental import ExecutorThrowingOnIncremental
from graphql.pyutils import Path

_Fields = list[FieldDetails]
_Complete = Callable[[Any, _Fields, Path], Any]


@dataclass(frozen=True, slots=True)
class _Step:
    """How one response name is filled: by `complete` from the value under `key`, or slowly when that is None."""

    name: str
    fields: _Fields
    key: str
    return_type: GraphQLOutputType | None = None
    complete: _Complete | None = None
    constant: str | None = None


class QuickExecutor(ExecutorThrowingOnIncremental):
    """Answers the same as its parent; values are complete when they come, nothing is awaited."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._plans: dict[tuple[str, int], list[_Step]] = {}

    def execute_fields(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,
        path: Path | None,
        grouped_field_set: dict[str, _Fields],
        position_context: None,
    ) -> dict[str, Any]:
        """Fill one object; fields with resolver or arguments, and nulls where none may be, take the long way."""
        plan_key = (parent_type.name, id(grouped_field_set))
        plan = self._plans.get(plan_key)
        if plan is None:
            plan = self._plans[plan_key] = [
                self._step(parent_type, name, fields) for name, fields in grouped_field_set.items()
            ]
        results: dict[str, Any] = {}
        is_plain = type(source_value) is dict
        for step in plan:
            if step.constant is not None:
                results[step.name] = step.constant
                continue
            value = source_value.get(step.key) if is_plain and step.complete is not None else None
            if value is None:
                if step.complete is not None and is_plain and not isinstance(step.return_type, GraphQLNonNull):
                    results[step.name] = None
                    continue
                result = self.execute_field(
                    parent_type, source_value, step.fields, Path(path, step.name, parent_type.name), position_context
                )
                if result is not Undefined:
                    results[step.name] = result
                continue
            results[step.name] = self._completed(step, value, path, parent_type)
        return results

    def _completed(self, step: _Step, value: Any, path: Path | None, parent_type: GraphQLObjectType) -> Any:
        if step.complete is None or step.return_type is None:
            raise TypeError("the step has no short way")
        field_path = Path(path, step.name, parent_type.name)
        try:
            return step.complete(value, step.fields, field_path)
        except Exception as error:  # noqa: BLE001 - the executor's own rule: any error becomes one of this field
            self.handle_field_error(error, step.return_type, step.fields, field_path)
            return None

    def _step(self, parent_type: GraphQLObjectType, name: str, fields: _Fields) -> _Step:
        node = fields[0].node
        key = node.name.value
        if key == "__typename":
            return _Step(name, fields, key, constant=parent_type.name)
        definition = parent_type.fields.get(key)
        if definition is None or definition.resolve is not None or node.arguments:
            return _Step(name, fields, key)
        return _Step(name, fields, key, definition.type, self._completion(definition.type))

    def _completion(self, kind: GraphQLOutputType) -> _Complete | None:
        inner = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
        if isinstance(inner, GraphQLList):
            item_type = inner.of_type
            item = self._completion(item_type)
            nullable = not isinstance(item_type, GraphQLNonNull)
            return partial(_complete_list, item, nullable) if item else None
        if is_leaf_type(inner):
            return partial(_complete_leaf, inner)
        if is_object_type(inner):
            return partial(self._complete_object, inner)
        return None

    def _complete_object(self, kind: GraphQLObjectType, value: Any, fields: _Fields, path: Path) -> Any:
        return self.collect_and_execute_subfields(kind, fields, path, value, None)


def _complete_leaf(kind: GraphQLLeafType, value: Any, _fields: _Fields, _path: Path) -> Any:
    if type(value) is str and kind.name in _TEXT_TYPES:
        return value
    return QuickExecutor.complete_leaf_value(kind, value)


def _complete_list(item: _Complete, nullable: bool, value: Any, fields: _Fields, path: Path) -> list[Any]:
    completed = []
    for index, entry in enumerate(value):
        if entry is None and not nullable:
            raise TypeError(f"Cannot return null for an entry of {fields[0].node.name.value}.")
        completed.append(None if entry is None else item(entry, fields, path.add_key(index, None)))
    return completed


_TEXT_TYPES = frozenset({"String", "ID", "DateTime", "Decimal", "HTML", "Money", "URL", "UnsignedInt64"})
