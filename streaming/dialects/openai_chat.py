"""OpenAI's chat completions: the chunks of a stream, and a whole answer. Pure.

Source: https://platform.openai.com/docs/api-reference/chat
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from ..protocol.encoder import Voided
from ..protocol.events import Event
from ..protocol.frames import SSE_COMMENT
from .blocks_of_data import DONE, encode_data
from .document import GrowingText

FINISH_REASONS = {"length": "length"}
"""Ours in OpenAI's words; any other is `stop`."""


class ChatCompletionEncoder:
    """Encodes one answer as chunks. A structured answer's content is its JSON document.

    Args:
        has_usage: whether a last chunk tells the tokens (`stream_options.include_usage`).
    """

    heartbeat = SSE_COMMENT

    def __init__(self, *, has_usage: bool) -> None:
        self._has_usage = has_usage
        self._has_text = False
        self._document = GrowingText()
        self._head: dict[str, Any] = {}

    def encode(self, event: Event) -> bytes:
        encoded = encode_data(event, list(self._chunks(event)))
        return encoded + DONE if event.type == "complete" else encoded

    def _chunks(self, event: Event) -> Iterator[dict[str, Any]]:
        fields = event.fields
        match event.type:
            case "start":
                self._head = {
                    "id": completion_id(str(event.stream_id)),
                    "object": "chat.completion.chunk",
                    "created": seconds_of(fields["created_at"]),
                    "model": fields["block_type"],
                }
                yield self._chunk({"role": "assistant", "content": ""})
            case "reset" | "snapshot" if self._has_text:
                raise Voided
            case "snapshot":
                yield from self._content(fields["text"] or self._document.add_all(fields["items"]))
            case "chunk" if "path" not in fields:
                yield from self._content(fields["token"])
            case "item" if fields["value"] is not None:
                yield from self._content(self._document.add(fields["path"], fields["value"]))
            case "complete":
                if "result" in fields:
                    yield from self._content(self._document.finish(fields["result"]))
                yield self._chunk({}, finish_reason_of(fields["finish_reason"]))
                if self._has_usage:
                    yield {**self._head, "choices": [], "usage": usage_of(fields["usage"])}
            case "error":
                yield error_document(fields["message"], fields["code"], kind="server_error")
            case "cancelled":
                yield error_document("The answer was stopped.", "cancelled", kind="cancelled")

    def _content(self, text: str) -> Iterator[dict[str, Any]]:
        if text:
            self._has_text = True
            yield self._chunk({"content": text})

    def _chunk(self, delta: dict[str, str], reason: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return {**self._head, "choices": [choice]}


def completion_of(document: Mapping[str, Any]) -> dict[str, Any]:
    """Build the whole answer from the document of a stream that is complete."""
    message = {"role": "assistant", "content": document["text"], "refusal": None}
    reason = finish_reason_of(document["finish_reason"])
    return {
        "id": completion_id(document["stream_id"]),
        "object": "chat.completion",
        "created": seconds_of(document["created_at"]),
        "model": document["block_type"],
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": reason}],
        "usage": usage_of(document["usage"]),
    }


def error_document(message: str, code: str, *, kind: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def completion_id(stream_id: str) -> str:
    """Return an id that names the stream, so that its client can stop it by our own API."""
    return f"chatcmpl-{stream_id}"


def seconds_of(time: str) -> int:
    """Return the Unix time of a time of RFC 3339."""
    return int(datetime.fromisoformat(time).timestamp())


def usage_of(usage: Mapping[str, Any]) -> dict[str, int]:
    read, written = usage["input_tokens"], usage["output_tokens"]
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}


def finish_reason_of(reason: str) -> str:
    return FINISH_REASONS.get(reason, "stop")
