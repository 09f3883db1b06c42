"""Builds the request of the OpenAI chat-completions API, in a dialect that the service accepts.

Products refuse different features. The first dialect uses what most of them accept. Each refusal
that names a feature leads to the next dialect, until no alternative is left.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from blocks.providers.base import ChatRequest
from blocks.providers.chat_decoder import UpstreamError

# Statuses that reject the form of a request, so that another dialect may succeed.
ADAPTABLE_STATUSES = frozenset({400, 422, 501})

_SCHEMA_IN_WORDS = (
    "Answer with one JSON object and nothing else: no introduction, no code fence. "
    "It must be valid against this JSON Schema:\n"
)


@dataclass(frozen=True, slots=True)
class Dialect:
    """The features that a service is assumed to accept."""

    has_usage_option: bool = True  # stream_options.include_usage
    token_limit_name: str = "max_tokens"  # reasoning models: max_completion_tokens
    has_temperature: bool = True
    has_response_format: bool = True  # else the system prompt contains the schema
    has_continue_flags: bool = True  # else only the final assistant message asks for it


def build_body(
    model: str, request: ChatRequest, dialect: Dialect, extra: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Build the JSON body of a streamed request; `extra` holds product-specific members."""
    messages = [{"role": m.role, "content": m.content} for m in request.messages]
    body: dict[str, Any] = {"model": model, "messages": messages, "stream": True}
    body[dialect.token_limit_name] = request.max_tokens
    if dialect.has_temperature:
        body["temperature"] = request.temperature
    if dialect.has_usage_option:
        body["stream_options"] = {"include_usage": True}
    if request.schema is not None:
        if dialect.has_response_format:
            # No `strict`: OpenAI's strict mode refuses optional members and string limits.
            schema = {"name": "answer", "schema": request.schema}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        else:
            body["messages"] = _with_system_text(
                messages, _SCHEMA_IN_WORDS + json.dumps(request.schema, ensure_ascii=False)
            )
    if request.so_far and dialect.has_continue_flags:
        # Without these flags vLLM and SGLang begin a new message. llama.cpp requires both or none.
        body["continue_final_message"] = True
        body["add_generation_prompt"] = False
    body.update(extra or {})
    return body


def _with_system_text(messages: list[dict[str, str]], text: str) -> list[dict[str, str]]:
    if messages and messages[0]["role"] == "system":
        first = {"role": "system", "content": f"{messages[0]['content']}\n\n{text}"}
        return [first, *messages[1:]]
    return [{"role": "system", "content": text}, *messages]


def next_dialect(
    dialect: Dialect, error: UpstreamError, *, status: int, has_schema: bool
) -> Dialect | None:
    """Return the dialect to try after a refusal; None if the refusal has another reason."""
    if status not in ADAPTABLE_STATUSES:
        return None
    # `param` is exact if present; a message may mention other features in passing.
    for words in (error.param.lower(), f"{error.code} {error.message}".lower()):
        if dialect.has_usage_option and "stream_options" in words:
            return replace(dialect, has_usage_option=False)
        if dialect.token_limit_name == "max_tokens" and (
            "max_completion_tokens" in words or words == "max_tokens"
        ):
            return replace(dialect, token_limit_name="max_completion_tokens")
        if dialect.has_temperature and "temperature" in words:
            return replace(dialect, has_temperature=False)
        if (
            has_schema
            and dialect.has_response_format
            and any(word in words for word in ("response_format", "schema", "grammar"))
        ):
            return replace(dialect, has_response_format=False)
        if dialect.has_continue_flags and any(
            word in words for word in ("continue_final_message", "add_generation_prompt")
        ):
            return replace(dialect, has_continue_flags=False)
    return None
