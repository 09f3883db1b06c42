"""Frames of a chat-completions stream, written by hand."""

from __future__ import annotations

import json
from typing import Any


def frame(
    delta: dict[str, Any] | None, *, usage: dict[str, Any] | None = None, **choice: Any
) -> bytes:
    """Build a chunk with one choice, or with only the usage if there is no delta."""
    chunk: dict[str, Any] = {"choices": [] if delta is None else [{"delta": delta, **choice}]}
    if usage is not None:
        chunk["usage"] = usage
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


def text(content: str, **choice: Any) -> bytes:
    return frame({"content": content}, **choice)


def finish(word: object) -> bytes:
    return frame({}, finish_reason=word)


def message(content: str, *, finish_reason: str | None = "stop", **more: Any) -> bytes:
    """Build a frame with a message instead of a delta."""
    choice = {"message": {"role": "assistant", "content": content}, "finish_reason": finish_reason}
    return b"data: " + json.dumps({"choices": [choice], **more}).encode() + b"\n\n"


THOUGHT = frame({"reasoning": "hm"})
USAGE = frame(None, usage={"prompt_tokens": 5, "completion_tokens": 6})
DONE = b"data: [DONE]\n\n"
WHOLE = b'{"choices":[{"message":{"content":"The sky"},"finish_reason":"stop"}]}'
