"""The AI SDK's UI Message Stream (`v1`: AI SDK 5, 6 and 7), and the text that `useObject` reads.

Only parts and fields that all three versions know: older ones fail on any others. What is ours goes
into `data-…` parts.
Source: https://ai-sdk.dev/docs/ai-sdk-ui/stream-protocol
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..protocol.encoder import Voided
from ..protocol.events import Event
from ..protocol.frames import SSE_COMMENT
from .blocks_of_data import DONE, encode_data
from .document import GrowingText

Part = dict[str, Any]

FINISH_REASONS = {"stop": "stop", "length": "length"}
"""Ours in the AI SDK's words; any other is `other`."""

TEXT_ID = "text"


class UiMessageEncoder:
    """Encodes one answer as one assistant message, whose id is the stream's.

    A client that comes again gets the message from its `start`, with the same id, and replaces it.
    """

    heartbeat = SSE_COMMENT

    def __init__(self) -> None:
        self._has_text = False
        self._shown: set[str] = set()  # paths of the items that hold

    def encode(self, event: Event) -> bytes:
        encoded = encode_data(event, list(self._parts(event)))
        return encoded + DONE if event.is_terminal else encoded

    def _parts(self, event: Event) -> Iterator[Part]:
        fields = event.fields
        match event.type:
            case "start":
                yield {"type": "start", "messageId": event.stream_id}
            case "snapshot":
                if self._has_text or self._shown:
                    raise Voided
                yield from self._text(fields["text"])
                for item in fields["items"]:
                    yield self._item(item["path"], item["value"])
                for path, text in fields["arriving"].items():
                    yield _aside("chunk", {"path": path, "token": text})
            case "chunk" if "path" in fields:
                yield _aside("chunk", {"path": fields["path"], "token": fields["token"]})
            case "chunk":
                yield from self._text(fields["token"])
            case "item":
                yield self._item(fields["path"], fields["value"])
            case "reset":
                yield from self._void(fields["reason"])
            case "complete" | "error" | "cancelled":
                if self._has_text:
                    yield {"type": "text-end", "id": TEXT_ID}
                yield from _end(event)
            case "thinking" | "queue":
                yield _aside(event.type, dict(fields))

    def _text(self, text: str) -> Iterator[Part]:
        if not text:
            return
        if not self._has_text:
            self._has_text = True
            yield {"type": "text-start", "id": TEXT_ID}
        yield {"type": "text-delta", "id": TEXT_ID, "delta": text}

    def _item(self, path: str, value: Any) -> Part:
        data = {"path": path, "value": value}
        if value is not None:
            self._shown.add(path)
        elif path not in self._shown:
            return _aside("item", data)  # only what was arriving is void
        else:
            self._shown.discard(path)
        return {"type": "data-item", "id": path, "data": data}

    def _void(self, reason: str) -> Iterator[Part]:
        """Take the items back. Text can't be: `reset-step` is known to AI SDK 7 alone."""
        if self._has_text:
            raise Voided
        for path in sorted(self._shown):
            yield self._item(path, None)
        yield _aside("reset", {"reason": reason})


def _end(event: Event) -> Iterator[Part]:
    fields = event.fields
    if event.type == "complete":
        if "result" in fields:
            yield {"type": "data-result", "id": "result", "data": fields["result"]}
        reason = FINISH_REASONS.get(fields["finish_reason"], "other")
        yield {"type": "finish", "finishReason": reason}
    elif event.type == "error":
        yield {"type": "data-error", "id": "error", "data": dict(fields)}
        yield {"type": "error", "errorText": fields["message"]}  # nothing after it is read
    else:
        # The client does not show an `abort`. So that a page can, there is a part, too.
        yield {"type": "data-cancelled", "id": "cancelled", "data": {"by": fields["by"]}}
        yield {"type": "abort"}
        yield {"type": "finish", "finishReason": "other"}


def _aside(name: str, data: Part) -> Part:
    """A part that reaches only the client's `onData`, and is no part of the message."""
    return {"type": f"data-{name}", "data": data, "transient": True}


class ObjectEncoder:
    """Encodes a structured answer as the text of its JSON document, for `useObject`.

    Such a text has no place for errors. Without a result, the body ends unfinished.
    """

    heartbeat = b" "  # JSON allows it between any two of the pieces

    def __init__(self) -> None:
        self._text = GrowingText()

    def encode(self, event: Event) -> bytes:
        fields = event.fields
        match event.type:
            case "snapshot" if not self._text.has_begun:
                return self._text.add_all(fields["items"]).encode()
            case "item" if fields["value"] is not None:
                return self._text.add(fields["path"], fields["value"]).encode()
            case "reset" | "snapshot" if self._text.has_begun:
                raise Voided
            case "complete" if "result" in fields:
                return self._text.finish(fields["result"]).encode()
            case "complete" | "error" | "cancelled":
                raise Voided
        return b""
