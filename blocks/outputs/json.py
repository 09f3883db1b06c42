"""Any answer that a JSON Schema describes: an object, streamed part by part.

A part is a member of the object, or each element if the member is an array. The public form equals
the model's form without the dropped parts. A part that is `null` is in the result but has no item:
in an item, `null` means that the part is void.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from blocks.continuation import CONTINUES, NOTHING, Earlier, EndedAnswer
from blocks.delta import Delta, FinishReason
from blocks.errors import InvalidInput
from blocks.outputs.base import Ask, Dropped
from blocks.outputs.part_value import Path
from blocks.outputs.prompting import chat, loads_object
from blocks.outputs.structured import StructuredAnswer
from blocks.schemas import validator_of
from blocks.spec import BlockSpec

_MAX_HOPS = 8  # the longest chain of references that a member's schema may have


class JsonOutput:
    name: ClassVar[str] = "json"
    label: ClassVar[str] = "JSON"
    noun: ClassVar[str] = "valid JSON"
    structured: ClassVar[bool] = True

    def begin(
        self,
        spec: BlockSpec,
        prompt: str,
        options: Mapping[str, Any],
        *,
        seed: str,
        repair: bool,
        earlier: Earlier = NOTHING,
    ) -> JsonAnswer:
        return JsonAnswer(spec, prompt, options, repair=repair)

    def earlier_of(self, answers: Sequence[EndedAnswer], options: Mapping[str, Any]) -> Earlier:
        raise InvalidInput(CONTINUES, "JSON can't be continued.")

    def example_problem(self, example_answer: str) -> str:
        return "" if loads_object(example_answer) is not None else "It must be a JSON object."


class JsonAnswer(StructuredAnswer):
    def __init__(
        self, spec: BlockSpec, prompt: str, options: Mapping[str, Any], *, repair: bool
    ) -> None:
        super().__init__()
        self._schema: Mapping[str, Any] = spec.answer_schema or {"type": "object"}
        self._validator = validator_of(self._schema)
        self._parts: dict[str, Draft202012Validator] = {}
        self._result: dict[str, Any] = {}
        self._given_by: dict[str, int] = {}  # member → the document that it is from
        self._is_whole = False
        note = "Answer with all that is asked for, in the form asked for." if repair else ""
        self._ask: Ask | None = Ask(chat(spec, prompt, options, note=note), self._schema)

    def next_ask(self) -> Ask | None:
        ask, self._ask = self._ask, None
        return ask

    def list_opened(self, key: str) -> None:
        if self._is_own(key):
            self._result.setdefault(key, [])

    def place(self, key: str, index: int | None) -> Path | None:
        if not self._is_own(key):
            return None
        if index is None:
            return (key,)
        elements = self._result.get(key)  # an array without a name has none
        return (key, len(elements)) if isinstance(elements, list) else None

    def _is_own(self, key: str) -> bool:
        """Whether no earlier document had the member: it would be a second version of it."""
        return self._given_by.setdefault(key, self._documents) == self._documents

    def grown_path(self, place: Path, inner: Path) -> Path | None:
        return (*place, *inner)

    def accept(self, key: str, index: int | None, value: Any) -> Any:
        if not _is_valid(self._part_validator(key, index), value):
            raise Dropped("schema")
        if index is None:
            self._result[key] = value
        else:
            self._result[key].append(value)
        return value

    def close(self, finish_reason: FinishReason) -> list[Delta]:
        deltas = super().close(finish_reason)
        # `{}` can be a valid answer; prose without any object can't.
        self._is_whole = self._scanner.has_object and _is_valid(self._validator, self._result)
        return deltas

    @property
    def is_enough(self) -> bool:
        return self._is_whole

    @property
    def result(self) -> dict[str, Any]:
        return self._result

    def _part_validator(self, key: str, index: int | None) -> Draft202012Validator:
        """Return the validator of a member, or of an element of it.

        Elements of one array share a validator. If their schemas differ by position, validation of
        the whole object catches errors.
        """
        name = key if index is None else key + "/"
        if name not in self._parts:
            schema = self._member_schema(key)
            if index is not None:
                schema = self._element_schema(self._subscribed_to(schema))
            usable = schema if isinstance(schema, Mapping | bool) else False
            self._parts[name] = self._validator.evolve(schema=usable)
        return self._parts[name]

    def _member_schema(self, key: str) -> Any:
        schema = self._subscribed_to(self._schema)
        properties = schema.get("properties", {}) if isinstance(schema, Mapping) else {}
        if isinstance(properties, Mapping) and key in properties:
            return properties[key]
        return schema.get("additionalProperties", True) if isinstance(schema, Mapping) else True

    @staticmethod
    def _element_schema(schema: Any) -> Any:
        if not isinstance(schema, Mapping):
            return schema
        kinds = schema.get("type", "array")
        if "array" not in ([kinds] if isinstance(kinds, str) else kinds):
            return False  # the schema does not allow an array here
        return True if "prefixItems" in schema else schema.get("items", True)

    def _subscribed_to(self, schema: Any) -> Any:
        """Follow a chain of references within the document to the final schema."""
        resolver = Registry().resolver_with_root(DRAFT202012.create_resource(self._schema))
        for _ in range(_MAX_HOPS):
            if not isinstance(schema, Mapping) or not isinstance(schema.get("$ref"), str):
                break
            try:
                schema = resolver.lookup(schema["$ref"]).contents
            except Unresolvable:
                break
        return schema


def _is_valid(validator: Draft202012Validator, value: Any) -> bool:
    try:
        return bool(validator.is_valid(value))
    except Exception:  # a schema with a dangling or circular reference has no valid values
        return False
