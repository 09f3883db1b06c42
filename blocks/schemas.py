"""Rules for the JSON Schemas that admins write, and validators that never fetch references.

Options are flat, because each must also fit in a query parameter (`?questions=5`): one string,
number or boolean. An answer's schema may use all of draft 2020-12, with internal references only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

MAX_DEPTH = 32  # levels; far below what any recursive JSON reader can handle
MAX_CHARACTERS = 64 * 1024  # length of a schema as JSON text

RESERVED_OPTIONS = frozenset({"prompt", "request_id", "continues", "sample", "after", "format"})
"""Query parameters with a meaning of their own. Source: spec.md, "HTTP"."""

_OPTION_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_OPTION_TYPES = ("string", "integer", "number", "boolean")
# `pattern` is excluded: one careless expression would let any visitor block a thread for hours.
_BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength")
_OPTION_KEYWORDS = frozenset(
    ("type", "enum", "const", "default", "title", "description", "examples", "multipleOf", *_BOUNDS)
)
_OPTIONS_KEYWORDS = frozenset(
    ("$schema", "type", "properties", "required", "additionalProperties", "title", "description")
)


def depth_of(value: Any, *, limit: int = MAX_DEPTH) -> int:
    """Return the nesting depth of a JSON value, at most `limit` + 1. Not recursive."""
    level: list[Any] = [value]
    depth = 0
    while level and depth <= limit:
        depth += 1
        level = [
            child
            for parent in level
            if isinstance(parent, dict | list)
            for child in (parent.values() if isinstance(parent, dict) else parent)
        ]
    return depth


def validator_of(schema: Mapping[str, Any]) -> Draft202012Validator:
    """Build a validator that resolves references within the schema and never fetches any."""
    # An empty registry: the library's default registry opens URLs.
    return Draft202012Validator(schema, registry=Registry())


def answer_schema_problem(schema: Any) -> str:
    """Describe what is wrong with an answer's schema; '' if it is valid."""
    if not isinstance(schema, dict) or schema.get("type") != "object":
        return 'It must describe an object: {"type": "object", "properties": {…}}.'
    if problem := _size_problem(schema) or _draft_problem(schema):
        return problem
    if not isinstance(schema.get("properties"), dict) or not schema["properties"]:
        return 'It needs "properties": the members that the answer is made of.'
    resolver = Registry().resolver_with_root(DRAFT202012.create_resource(schema))
    for keyword, value in _keywords(schema):
        if keyword in ("$ref", "$dynamicRef") and isinstance(value, str):
            if not value.startswith("#"):
                return f"“{value}” points outside of the schema; put it under $defs instead."
            try:
                resolver.lookup(value)
            except Unresolvable:
                return f"“{value}” points at nothing in the schema."
    return ""


def options_schema_problem(schema: Any) -> str:
    """Describe what is wrong with a block's options schema; '' if it is valid."""
    if schema in (None, {}):
        return ""
    if not isinstance(schema, dict) or schema.get("type", "object") != "object":
        return 'It must describe an object: {"type": "object", "properties": {…}}.'
    if problem := _size_problem(schema) or _draft_problem(schema):
        return problem
    if unknown := set(schema) - _OPTIONS_KEYWORDS:
        return f"{_names(unknown)}: not possible here; properties and required are."
    if schema.get("additionalProperties", False) is not False:
        return "additionalProperties must be false: unknown options are refused."
    properties = schema.get("properties", {})
    for name, option in properties.items():
        if problem := _option_problem(name, option):
            return f"Option “{name}”: {problem}"
    if missing := set(schema.get("required", [])) - set(properties):
        return f"required names {_names(missing)}, which is not among the properties."
    return ""


def _option_problem(name: str, option: Any) -> str:
    if name in RESERVED_OPTIONS:
        return "this name has a meaning of its own in the API; choose another."
    if not _OPTION_NAME.fullmatch(name):
        return "a name is made of a–z, 0–9 and _, begins with a letter, and has at most 64."
    if not isinstance(option, dict) or option.get("type") not in _OPTION_TYPES:
        return f"it needs a type, one of {', '.join(_OPTION_TYPES)}."
    if unknown := set(option) - _OPTION_KEYWORDS:
        return f"{_names(unknown)}: not possible in an option."
    if "default" in option and not validator_of(option).is_valid(option["default"]):
        return f"its default, {json.dumps(option['default'])}, is not valid."
    return ""


def _size_problem(schema: Any) -> str:
    if depth_of(schema) > MAX_DEPTH:
        return f"It is nested more than {MAX_DEPTH} levels deep."
    if len(json.dumps(schema)) > MAX_CHARACTERS:
        return f"It is longer than {MAX_CHARACTERS:,} characters."
    return ""


def _draft_problem(schema: Any) -> str:
    try:
        # The format checker makes sure that `pattern` is a regular expression.
        Draft202012Validator.check_schema(
            schema, format_checker=Draft202012Validator.FORMAT_CHECKER
        )
    except SchemaError as error:
        where = "/".join(map(str, error.absolute_path))
        return f"Not a JSON Schema{f' (at {where})' if where else ''}: {error.message[:200]}"
    return ""


def _keywords(schema: Any) -> Iterator[tuple[str, Any]]:
    waiting = [schema]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            yield from value.items()
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)


def _names(names: set[Any]) -> str:
    return ", ".join(sorted(map(str, names)))
