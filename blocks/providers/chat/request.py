"""Builds the request of the OpenAI chat-completions API, in a dialect that the service accepts.

Products refuse different features. The first dialect uses what most of them accept; `adapting`
leads from a refusal to the next one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from blocks.providers.base import ChatRequest, Message

_SCHEMA_IN_WORDS = (
    "Answer with one JSON object and nothing else: no introduction, no code fence. "
    "It must be valid against this JSON Schema:\n"
)

_ROOM = (0, 1, 4)
"""Room for reasoning at each level, as a multiple of the setting."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """What a service is assumed to accept, and what is known of its model."""

    has_usage_option: bool = True  # stream_options.include_usage
    token_limit_name: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    token_cap: int | None = None  # the model's own limit of an answer
    has_temperature: bool = True
    has_effort: bool = True  # reasoning_effort, beside max_completion_tokens
    # A JSON Schema; JSON without one; neither. All but the first have the schema in words.
    answer_form: Literal["schema", "object", "words"] = "schema"
    has_continue_flags: bool = True  # else only the final assistant message asks for it
    system_role: Literal["system", "developer", "user"] = "system"  # user: in the first turn
    turns: Literal["all", "merged", "last"] = "all"  # merged: no neighbours of one role
    is_streaming: bool = True
    room: int = 0  # level of the room for reasoning, see `_ROOM`

    # Only for the request that is being sent:
    context_cap: int | None = None  # what the context leaves for the answer
    skips_temperature: bool = False  # the block's own is out of the service's range
    is_second_try: bool = False  # the same was asked before and failed by chance

    @property
    def lasting(self) -> Dialect:
        """What later requests begin with."""
        return replace(self, context_cap=None, skips_temperature=False, is_second_try=False)

    def changes_from(self, other: Dialect) -> dict[str, Any]:
        """Return the fields that differ, by name."""
        mine, others = asdict(self), asdict(other)
        return {name: value for name, value in mine.items() if value != others[name]}

    @property
    def has_more_room(self) -> bool:
        return self.room + 1 < len(_ROOM)


def token_limit(request: ChatRequest, dialect: Dialect, reasoning_tokens: int) -> int:
    """Return the limit to ask for: the block's own, with room for reasoning on top."""
    wanted = request.max_tokens + _ROOM[dialect.room] * reasoning_tokens
    caps = (dialect.token_cap, dialect.context_cap)
    return min([wanted, *(cap for cap in caps if cap is not None)])


def build_body(
    model: str,
    request: ChatRequest,
    dialect: Dialect,
    extra: Mapping[str, Any] | None = None,
    *,
    reasoning_tokens: int = 0,
) -> dict[str, Any]:
    """Build the JSON body of a request; `extra` holds product-specific members."""
    body: dict[str, Any] = {
        "model": model,
        "messages": _messages(request, dialect),
        "stream": dialect.is_streaming,
        dialect.token_limit_name: token_limit(request, dialect, reasoning_tokens),
    }
    if dialect.has_temperature and not dialect.skips_temperature:
        body["temperature"] = request.temperature
    if dialect.token_limit_name == "max_completion_tokens" and dialect.has_effort:
        body["reasoning_effort"] = "low"
    if dialect.has_usage_option and dialect.is_streaming:
        body["stream_options"] = {"include_usage": True}
    if request.schema is not None and dialect.answer_form == "schema":
        # No `strict`: OpenAI's strict mode refuses optional members and string limits.
        schema = {"name": "answer", "schema": request.schema}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    elif request.schema is not None and dialect.answer_form == "object":
        body["response_format"] = {"type": "json_object"}
    if request.so_far and dialect.has_continue_flags:
        # Without these flags vLLM and SGLang begin a new message. llama.cpp requires both or none.
        body["continue_final_message"] = True
        body["add_generation_prompt"] = False
    body.update(extra or {})
    return body


def _messages(request: ChatRequest, dialect: Dialect) -> list[dict[str, str]]:
    system = [m.content for m in request.messages if m.role == "system"]
    turns = [m for m in request.messages if m.role != "system"]
    if request.schema is not None and dialect.answer_form != "schema":
        schema = json.dumps(request.schema, ensure_ascii=False)
        system = ["\n\n".join([*system[:1], _SCHEMA_IN_WORDS + schema]), *system[1:]]
    if dialect.turns == "last":  # without the worked example
        last = max((i for i, m in enumerate(turns) if m.role == "user"), default=0)
        turns = turns[last:]
    if dialect.system_role == "user" and system:
        turns = [Message("user", "\n\n".join(system)), *turns]
        system = []
        turns = _merged(turns[:2]) + turns[2:]
    if dialect.turns != "all":
        system, turns = ["\n\n".join(system)] if system else [], _merged(turns)
    role = dialect.system_role
    return [
        *({"role": role, "content": text} for text in system),
        *({"role": m.role, "content": m.content} for m in turns),
    ]


def _merged(turns: list[Message]) -> list[Message]:
    """Join neighbours of one role."""
    merged: list[Message] = []
    for turn in turns:
        if merged and merged[-1].role == turn.role:
            turn = Message(turn.role, f"{merged.pop().content}\n\n{turn.content}")
        merged.append(turn)
    return merged
