"""Validates wire messages against their schema; tests call it for every message.

    validate_event(json.loads(message.data))

Source: specs/050-live-ai-interaction/contracts/stream-schema.yaml.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import yaml
from jsonschema import Draft202012Validator, ValidationError
from jsonschema.exceptions import best_match

from streaming.http.contract_file import CONTRACT_FILE


@cache
def load_schema() -> dict[str, Any]:
    """Return the whole document, including the `x-` sections."""
    document: dict[str, Any] = yaml.safe_load(CONTRACT_FILE.read_text(encoding="utf-8"))
    return document


@cache
def validator_of(name: str) -> Draft202012Validator:
    """Return the validator of one of `$defs`."""
    schema = load_schema()
    assert name in schema["$defs"], f"the schema has no {name}"
    return Draft202012Validator(
        {"$schema": schema["$schema"], "$defs": schema["$defs"], "$ref": f"#/$defs/{name}"}
    )


@cache
def types_of(union: str) -> dict[str, str]:
    """Map `type` to the name in `$defs`, for a union such as `event`."""
    types: dict[str, str] = {}
    for option in load_schema()["$defs"][union]["oneOf"]:
        name = option["$ref"].rpartition("/")[2]
        definition = load_schema()["$defs"][name]
        if "oneOf" in definition and "properties" not in definition:
            types |= types_of(name)
        else:
            types[definition["properties"]["type"]["const"]] = name
    return types


def validate(name: str, data: object) -> None:
    """Validate data against one of `$defs`.

    Raises:
        ValidationError: the most relevant error.
    """
    error = best_match(validator_of(name).iter_errors(data))
    if error is not None:
        error.message = f"no {name}: {error.message} in {data!r}"
        raise error


def validate_event(data: dict[str, Any]) -> None:
    _validate_union("event", data)


def validate_client_frame(data: dict[str, Any]) -> None:
    _validate_union("client_frame", data)


def validate_server_frame(data: dict[str, Any]) -> None:
    _validate_union("server_frame", data)


def validate_problem(data: dict[str, Any]) -> None:
    validate("problem", data)


def validate_stream_document(data: dict[str, Any]) -> None:
    """Validate `GET /api/streams/{id}`, or the response to a start or a cancel."""
    validate("stream", data)


def validate_stream_list(data: dict[str, Any]) -> None:
    validate("stream_list", data)


def validate_config(data: dict[str, Any]) -> None:
    validate("config", data)


def validate_blocks(data: dict[str, Any]) -> None:
    validate("blocks", data)


def _validate_union(union: str, data: object) -> None:
    # Select the schema by `type`, so that the error refers to the intended schema.
    kind = data.get("type") if isinstance(data, dict) else None
    name = types_of(union).get(kind) if isinstance(kind, str) else None
    if name is None:
        raise ValidationError(f"no {union} has the type {kind!r}")
    validate(name, data)
