"""What a viewer of a golden run gets in another dialect, and what its client makes of that.

The readers are strict: they fail on a part that the dialect's own clients would fail on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from streaming.dialects.ag_ui import AgUiEncoder
from streaming.dialects.ai_sdk import ObjectEncoder, UiMessageEncoder
from streaming.dialects.openai_chat import ChatCompletionEncoder
from streaming.protocol import events
from streaming.protocol.encoder import Encoder, Voided
from streaming.protocol.frames import Frame
from streaming.protocol.viewer import Viewer
from streaming.protocol.window import Window
from tests.specs.golden_run import STREAM_ID, GoldenRun


@dataclass(frozen=True)
class Body:
    """A response's body: its pieces, one for each event taken; and whether it was cut."""

    pieces: list[bytes]
    is_cut: bool

    @property
    def whole(self) -> bytes:
        return b"".join(self.pieces)


@dataclass
class Read:
    """What a client holds in the end."""

    text: str = ""
    items: dict[str, Any] = field(default_factory=dict)
    document: Any = None
    terminals: list[str] = field(default_factory=list)


def body_of(run: GoldenRun, encoder: Encoder, *, joins_after: int = 0) -> Body:
    """Encode a run for a viewer that comes after so many of its events, and watches the others."""
    at = len(run.events) if run.is_over else joins_after
    window = run.window(at)
    viewer = Viewer.joining(window)
    pieces: list[bytes] = []
    try:
        for frames in _watched(run, window, viewer, at):
            pieces.append(b"".join([encoder.encode(frame.event) for frame in frames]))
    except Voided:
        return Body(pieces, is_cut=True)
    return Body(pieces, is_cut=not viewer.is_done)


def _watched(run: GoldenRun, window: Window, viewer: Viewer, at: int) -> Iterator[list[Frame]]:
    yield [viewer.open(), *viewer.take()]
    for place in run.queue if at == 0 else ():
        window.tell(events.queue(STREAM_ID, place=place))
        yield viewer.take()
    yield from _thinking(run, window, viewer)
    for event in run.events[at:]:
        window.append(event)
        yield viewer.take()
        yield from _thinking(run, window, viewer)


def _thinking(run: GoldenRun, window: Window, viewer: Viewer) -> Iterator[list[Frame]]:
    for after, since_ms in run.thinking:
        if after == window.last:
            window.tell(events.thinking(STREAM_ID, since_ms=since_ms))
            yield viewer.take()


def data_in(body: bytes) -> list[Any]:
    """Return the JSON of all data in an event stream; `[DONE]` as that text. LF only."""
    assert b"\r" not in body
    assert not body or body.endswith(b"\n\n")
    texts = []
    for block in body.decode().split("\n\n")[:-1]:
        lines = block.split("\n")
        fields = [line.partition(": ")[0] for line in lines]
        if fields == [""]:  # a comment
            continue
        assert fields in (["data"], ["id", "data"]), block
        texts.append(lines[-1].removeprefix("data: "))
    return [text if text == "[DONE]" else json.loads(text) for text in texts]


UI_FIELDS = {
    "start": {"type", "messageId"},
    "text-start": {"type", "id"},
    "text-delta": {"type", "id", "delta"},
    "text-end": {"type", "id"},
    "error": {"type", "errorText"},
    "abort": {"type"},
    "finish": {"type", "finishReason"},
}
"""The fields of what every version of AI SDK 5, 6 and 7 knows; they fail on others."""


def read_ui_messages(body: Body) -> Read:
    read, parts = Read(), data_in(body.whole)
    is_open = has_failed = False
    for number, part in enumerate(parts):
        if part == "[DONE]":
            assert number == len(parts) - 1
            read.terminals.append("done")
            continue
        assert not has_failed, "nothing is read after an error"
        kind = part["type"]
        if kind.startswith("data-"):
            assert set(part) <= {"type", "id", "data", "transient"}
        else:
            assert set(part) == UI_FIELDS[kind], part
        match kind:
            case "start":
                assert number == 0
            case "text-start":
                assert not is_open and not read.text
                is_open = True
            case "text-delta":
                assert is_open
                read.text += part["delta"]
            case "text-end":
                assert is_open
                is_open = False
            case "data-item" if not part.get("transient"):
                path, value = part["data"]["path"], part["data"]["value"]
                read.items.pop(path, None)
                if value is not None:
                    read.items[path] = value
            case "data-result":
                read.document = part["data"]
            case "error":
                has_failed = True
                read.terminals.append("error")
            case "finish":
                read.terminals.append("finish")
            case _:
                assert kind == "abort" or kind.startswith("data-")
    assert body.is_cut or not is_open
    return read


def read_ag_ui(body: Body) -> Read:
    read, is_open, state = Read(), False, None
    for number, event in enumerate(data_in(body.whole)):
        assert not read.terminals, "nothing follows the terminal event"
        kind = event["type"]
        assert (kind == "RUN_STARTED") == (number == 0)
        assert None not in event.values(), "absent optionals are left out"
        match kind:
            case "TEXT_MESSAGE_START":
                assert not is_open
                is_open = True
            case "TEXT_MESSAGE_CONTENT":
                assert is_open and event["delta"]
                read.text += event["delta"]
            case "TEXT_MESSAGE_END":
                assert is_open
                is_open = False
            case "MESSAGES_SNAPSHOT":
                assert event["messages"][-1]["role"] == "assistant"
                read.text = event["messages"][-1]["content"]
            case "STATE_SNAPSHOT":
                state = json.loads(json.dumps(event["snapshot"]))
            case "STATE_DELTA":
                for operation in event["delta"]:
                    _add(state, operation)
            case "RUN_FINISHED" | "RUN_ERROR":
                assert not is_open
                read.terminals.append(event.get("outcome", {"type": "error"})["type"])
            case _:
                assert kind in ("RUN_STARTED", "CUSTOM"), kind
    read.document = state
    return read


def _add(state: Any, operation: Mapping[str, Any]) -> None:
    """Apply an `add` of RFC 6902."""
    assert operation["op"] == "add"
    *names, last = [
        each.replace("~1", "/").replace("~0", "~") for each in operation["path"].split("/")[1:]
    ]
    for name in names:
        state = state[name]
    if isinstance(state, list):
        assert int(last) <= len(state), "the index is beyond the list"
        state.insert(int(last), operation["value"])
    else:
        state[last] = operation["value"]


def read_chat_completion(body: Body) -> Read:
    read, chunks = Read(), data_in(body.whole)
    for number, chunk in enumerate(chunks):
        if chunk == "[DONE]":
            assert number == len(chunks) - 1
            read.terminals.append("done")
        elif "error" in chunk:
            assert number == len(chunks) - 1
            read.terminals.append("error")
        elif chunk["choices"]:
            (choice,) = chunk["choices"]
            assert (choice["delta"].get("role") == "assistant") == (number == 0)
            read.text += choice["delta"].get("content", "")
        else:
            assert set(chunk["usage"]) == {"prompt_tokens", "completion_tokens", "total_tokens"}
    return read


def read_object(body: Body) -> Read:
    read = Read(text=body.whole.decode())
    if not body.is_cut:
        read.document = json.loads(read.text)
        read.terminals.append("end")
    return read


@dataclass(frozen=True)
class DialectCase:
    make: Callable[[], Encoder]
    read: Callable[[Body], Read]


def ag_ui(**options: Any) -> AgUiEncoder:
    return AgUiEncoder(thread_id="thread", run_id="run", **options)


CASES = {
    "ai-sdk": DialectCase(UiMessageEncoder, read_ui_messages),
    "ai-sdk-object": DialectCase(ObjectEncoder, read_object),
    "ag-ui": DialectCase(ag_ui, read_ag_ui),
    "openai": DialectCase(lambda: ChatCompletionEncoder(has_usage=True), read_chat_completion),
}
