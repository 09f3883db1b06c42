"""Refusals of requests, and what is asked next."""

from __future__ import annotations

import json
from typing import Any

from blocks.providers.base import ChatRequest, Message
from blocks.providers.chat.adapting import next_dialect
from blocks.providers.chat.error import decode_error
from blocks.providers.chat.request import Dialect

SCHEMA = {"type": "object", "properties": {"title": {"type": "string"}}}
TURNS = (
    Message("system", "Be brief."),
    Message("user", "a"),
    Message("assistant", "b"),
    Message("user", "hi"),
)
REQUEST = ChatRequest(TURNS, temperature=0.4, max_tokens=700, schema=SCHEMA)
PLAIN = ChatRequest(TURNS, temperature=0.4, max_tokens=700)


def after(
    body: object,
    status: int = 400,
    *,
    dialect: Dialect | None = None,
    request: ChatRequest = REQUEST,
    room: int = 4000,
) -> Dialect | None:
    """Return the dialect that follows a refusal with this JSON body."""
    refusal = decode_error(json.dumps(body).encode())
    return next_dialect(
        dialect or Dialect(), refusal, status=status, request=request, reasoning_tokens=room
    )


def error(message: str, param: str | None = None, code: object = None) -> dict[str, Any]:
    """Build a body as OpenAI has it."""
    return {
        "error": {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    }
