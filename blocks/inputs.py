"""Validates the prompt and options of a start request, before a stream exists."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Protocol

from .errors import InvalidInput, PromptTooLong
from .schemas import validator_of

MAX_OPTION_CHARACTERS = 2_000  # for a string option whose schema sets no limit
_MAX_INTEGER = 2**53 - 1  # the largest integer that every JSON reader keeps exact

_INTEGER = re.compile(r"[+-]?[0-9]{1,16}")
_NUMBER = re.compile(r"[+-]?[0-9]{1,16}(\.[0-9]{1,16})?([eE][+-]?[0-9]{1,3})?")
_KINDS = {bool: "boolean", int: "number", float: "number"}
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


class TakesInput(Protocol):
    """The fields of a BlockType that validation reads."""

    @property
    def prompt_limit(self) -> int: ...
    @property
    def options_schema(self) -> Any: ...


def check_input(
    block: TakesInput, prompt: Any, options: Any, *, coerce: bool = False
) -> tuple[str, dict[str, Any]]:
    """Validate the prompt and options of a start, and fill in defaults.

    Args:
        prompt: the received value, of any type.
        options: the received value, of any type; None means no options.
        coerce: the values are query parameters: `"3"` becomes 3 where the schema says integer, and
            `"true"` becomes True where it says boolean. `"3.5"` is not an integer.

    Returns:
        The prompt and the complete options.

    Raises:
        InvalidInput: names the field, or the option at fault.
        PromptTooLong: the prompt exceeds the block's limit in characters.
    """
    return _check_prompt(prompt, block.prompt_limit), _check_options(
        block.options_schema, options, coerce=coerce
    )


def check_same_input(
    prompt: Any, options: Any, *, of: tuple[str, Mapping[str, Any]], coerce: bool = False
) -> None:
    """Validate the input of a continuation, which has that of the answer that it continues.

    The block may have other options by now, so its schema does not count.

    Args:
        prompt, options: the received values, of any type; None: the client left them out.
        of: prompt and options of the continued answer.
        coerce: as in `check_input`.

    Raises:
        InvalidInput: names the field, or the option, that differs.
    """
    if prompt is not None and prompt != of[0]:
        raise InvalidInput("prompt", "A continuation must keep the prompt of its answer.")
    for name, value in _as_options(options).items():
        own = of[1].get(name)
        if coerce:
            value = _coerced(_KINDS.get(type(own)), value)
        if isinstance(value, bool) != isinstance(own, bool) or value != own or name not in of[1]:
            message = "A continuation must keep the options of its answer."
            raise InvalidInput(_shown(name), message)


def _check_prompt(prompt: Any, limit: int) -> str:
    if not isinstance(prompt, str):
        raise InvalidInput("prompt", "The prompt must be text.")
    if len(prompt) > limit:
        raise PromptTooLong(limit)
    if not prompt.strip():
        raise InvalidInput("prompt", "The prompt is empty.")
    _check_characters("prompt", prompt)
    return prompt


def _check_characters(field: str, text: str) -> None:
    if "\0" in text:
        raise InvalidInput(field, "NUL characters can't be used.")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidInput(field, "Unpaired surrogates can't be used.") from None


def _check_options(schema: Any, options: Any, *, coerce: bool) -> dict[str, Any]:
    options = _as_options(options)
    # A schema that bypassed the admin's validation yields no options instead of an error.
    described = schema.get("properties") if isinstance(schema, dict) else None
    properties = described if isinstance(described, dict) else {}
    checked: dict[str, Any] = {}
    for name, value in options.items():
        if name not in properties:
            raise InvalidInput(_shown(name), f"This block has no option “{_shown(name)}”.")
        checked[name] = _check_option(name, properties[name], value, coerce=coerce)
    required = schema.get("required") if isinstance(schema, dict) else None
    for name, option in properties.items():
        if name in checked:
            continue
        if isinstance(option, dict) and "default" in option:
            checked[name] = option["default"]
        elif isinstance(required, list) and name in required:
            raise InvalidInput(name, f"The option “{name}” is missing.")
    return {name: checked[name] for name in properties if name in checked}


def _as_options(options: Any) -> Mapping[str, Any]:
    if options is None:
        return {}
    if not isinstance(options, Mapping):
        raise InvalidInput("options", "The options must be an object.")
    return options


def _shown(name: str) -> str:
    """Return an unknown name as a message can show it."""
    return str(name)[:64].encode(errors="replace").decode()


def _check_option(name: str, schema: Any, value: Any, *, coerce: bool) -> Any:
    if not isinstance(schema, dict):
        raise InvalidInput(name, "This option is misconfigured and can't be used.")
    kind = schema.get("type")
    if coerce:
        value = _coerced(kind, value)
    if not isinstance(value, str | int | float):  # bool is a subclass of int
        raise InvalidInput(name, f"“{name}” must be {_wanted(kind)}.")
    if isinstance(value, str):
        _check_characters(name, value)
        if len(value) > MAX_OPTION_CHARACTERS and "maxLength" not in schema:
            raise InvalidInput(name, f"“{name}” is longer than {MAX_OPTION_CHARACTERS:,}.")
    elif not -_MAX_INTEGER <= value <= _MAX_INTEGER:  # also refuses NaN
        raise InvalidInput(name, f"“{name}” is out of range.")
    try:
        problem = next(validator_of(schema).iter_errors(value), None)
    except Exception as error:  # an unvalidated schema can break the validator in many ways
        message = "This option is misconfigured and can't be used."
        raise InvalidInput(name, message) from error
    if problem is not None:
        raise InvalidInput(name, _in_words(name, schema, problem.validator, problem.message))
    if kind == "integer" and isinstance(value, float):
        return int(value)  # JSON Schema accepts 3.0 as an integer
    return value


def _coerced(kind: Any, value: Any) -> Any:
    """Convert a query parameter to the schema's type; return it unchanged where it doesn't fit."""
    if not isinstance(value, str):
        return value
    if kind == "integer" and _INTEGER.fullmatch(value):
        return int(value)
    if kind == "number" and _NUMBER.fullmatch(value):
        return float(value) if any(c in value for c in ".eE") else int(value)
    if kind == "boolean":
        return _BOOLEANS.get(value.lower(), value)
    return value


def _wanted(kind: Any) -> str:
    names = {"string": "text", "integer": "a whole number", "number": "a number"}
    return names.get(kind, "true or false") if isinstance(kind, str) else "of another type"


def _in_words(name: str, schema: Mapping[str, Any], keyword: Any, message: str) -> str:
    if keyword == "type":
        return f"“{name}” must be {_wanted(schema.get('type'))}."
    if keyword == "enum":
        return f"“{name}” must be one of {', '.join(map(str, schema['enum']))}."
    if keyword in ("minimum", "maximum") and {"minimum", "maximum"} <= schema.keys():
        return f"“{name}” must be from {schema['minimum']} to {schema['maximum']}."
    return f"“{name}”: {message[:200]}"
