"""AG-UI 1.0: the events of one run. A text answer is a message, a structured one is the state.

Source: https://docs.ag-ui.com/concepts/events
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ..protocol.encoder import Voided
from ..protocol.events import Event
from ..protocol.frames import SSE_COMMENT
from .blocks_of_data import encode_data
from .document import document_of, tokens_of

AgUiEvent = dict[str, Any]


class AgUiEncoder:
    """Encodes one answer as one run, whose message has the stream's id.

    Args:
        messages: what the client holds. If the message of this run is among them, the client comes
            again: it gets all messages anew, and this one as it is now.
    """

    heartbeat = SSE_COMMENT

    def __init__(self, *, thread_id: str, run_id: str, messages: Sequence[AgUiEvent] = ()) -> None:
        self._run = {"threadId": thread_id, "runId": run_id}
        self._messages: Sequence[AgUiEvent] = messages
        self._has_text = False
        self._items: dict[str, Any] = {}
        self._has_state = False

    def encode(self, event: Event) -> bytes:
        return encode_data(event, list(self._events(event)))

    def _events(self, event: Event) -> Iterator[AgUiEvent]:
        fields = event.fields
        message_id = str(event.stream_id)
        match event.type:
            case "start":
                yield {"type": "RUN_STARTED", **self._run}
            case "snapshot":
                yield from self._join(message_id, fields)
            case "chunk" if "path" in fields:
                yield _custom("chunk", {"path": fields["path"], "token": fields["token"]})
            case "chunk":
                yield from self._text(message_id, fields["token"])
            case "item":
                yield self._item(fields["path"], fields["value"])
            case "reset":
                if self._has_text:
                    raise Voided
                self._items.clear()
                if self._has_state:
                    yield self._state()
                yield _custom("reset", {"reason": fields["reason"]})
            case "complete" | "error" | "cancelled":
                if self._has_text:
                    yield {"type": "TEXT_MESSAGE_END", "messageId": message_id}
                yield from self._end(event)
            case "thinking" | "queue":
                yield _custom(event.type, dict(fields))

    def _join(self, message_id: str, fields: Any) -> Iterator[AgUiEvent]:
        if self._has_text or self._has_state:
            raise Voided
        text = fields["text"]
        others = [each for each in self._messages if each.get("id") != message_id]
        if len(others) < len(self._messages):
            own = {"id": message_id, "role": "assistant", "content": text}
            yield {"type": "MESSAGES_SNAPSHOT", "messages": [*others, own]}
            yield self._begin_text(message_id)
        else:
            yield from self._text(message_id, text)
        self._messages = ()
        self._items = {item["path"]: item["value"] for item in fields["items"]}
        if self._items:
            yield self._state()
        for path, arriving in fields["arriving"].items():
            yield _custom("chunk", {"path": path, "token": arriving})

    def _begin_text(self, message_id: str) -> AgUiEvent:
        self._has_text = True
        return {"type": "TEXT_MESSAGE_START", "messageId": message_id, "role": "assistant"}

    def _text(self, message_id: str, text: str) -> Iterator[AgUiEvent]:
        if not text:
            return
        if not self._has_text:
            yield self._begin_text(message_id)
        yield {"type": "TEXT_MESSAGE_CONTENT", "messageId": message_id, "delta": text}

    def _item(self, path: str, value: Any) -> AgUiEvent:
        """Return the change of the state: a patch of RFC 6902, or all of it where none fits.

        The first item brings all: the client's state may be an earlier run's.
        """
        known = path in self._items
        if value is None and not known:
            return _custom("void", {"path": path})  # only what was arriving is void
        before = document_of(self._items)
        self._items.pop(path, None)
        if value is not None:
            self._items[path] = value
        name, *index = tokens_of(path)
        if value is None or known or not self._has_state:
            return self._state()
        if index and index != [str(len(before.get(name, [])))]:
            return self._state()
        patch = [{"op": "add", "path": path, "value": value}]
        if index and name not in before:
            patch.insert(0, {"op": "add", "path": path.rpartition("/")[0], "value": []})
        return {"type": "STATE_DELTA", "delta": patch}

    def _state(self) -> AgUiEvent:
        self._has_state = True
        return {"type": "STATE_SNAPSHOT", "snapshot": document_of(self._items)}

    def _end(self, event: Event) -> Iterator[AgUiEvent]:
        fields = event.fields
        if event.type == "error":
            yield {"type": "RUN_ERROR", "message": fields["message"], "code": fields["code"]}
            return
        if event.type == "cancelled":
            outcome, result = {"type": "cancelled"}, {"by": fields["by"]}
        else:
            outcome = {"type": "success"}
            result = {"finish_reason": fields["finish_reason"], "usage": fields["usage"]}
            if "result" in fields:
                yield {"type": "STATE_SNAPSHOT", "snapshot": fields["result"]}
        yield {"type": "RUN_FINISHED", **self._run, "result": result, "outcome": outcome}


def _custom(name: str, value: AgUiEvent) -> AgUiEvent:
    return {"type": "CUSTOM", "name": name, "value": value}
