"""No text can break or forge a frame. The exact bytes are in fixtures/."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.protocol import events
from streaming.protocol.frames import Frame, encode_json, encode_sse, encode_websocket
from tests.specs.fixture import RUNS, watch
from tests.specs.golden_run import HEAD, STREAM_ID, GoldenRun
from tests.support.streaming.sse_reader import SseReader

any_text = st.text(alphabet=st.characters(exclude_categories=["Cs"]))


@given(any_text)
def test_any_text_comes_back_over_sse_as_one_message_of_one_line(token: str) -> None:
    reader = SseReader()
    (message,) = reader.feed(encode_sse(events.chunk(STREAM_ID, 7, token)))
    assert message.type == "chunk"
    assert message.last_event_id == f"{STREAM_ID}:7"
    assert json.loads(message.data)["token"] == token
    assert reader.comments == []


@given(any_text)
def test_any_text_comes_back_over_a_socket(token: str) -> None:
    assert json.loads(encode_websocket(events.chunk(STREAM_ID, 7, token)))["token"] == token


@given(st.text(), st.integers(1, 30))
def test_bytes_cut_anywhere_give_the_same_messages(token: str, size: int) -> None:
    data = b"".join(encode_sse(events.chunk(STREAM_ID, seq, token)) for seq in range(3))
    whole, pieces = SseReader(), SseReader()
    whole.feed(data)
    for begin in range(0, len(data), size):
        pieces.feed(data[begin : begin + size])
    assert pieces.messages == whole.messages
    assert len(whole.messages) == 3


def test_a_stray_surrogate_breaks_neither_transport() -> None:
    event = events.chunk(STREAM_ID, 0, "a\ud800b")
    (message,) = SseReader().feed(encode_sse(event))
    assert json.loads(message.data)["token"] == "a?b"
    text = encode_websocket(event)
    assert json.loads(text)["token"] == "a?b"
    text.encode()  # as the server will: it must not raise
    encode_json({"type": "refused", "ref": "\udfff"}).decode()


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.name)
def test_both_transports_carry_the_same_json(run: GoldenRun) -> None:
    for frame in watch(run):
        (message,) = SseReader().feed(frame.sse)
        assert message.data == frame.websocket


def test_only_logged_events_snapshots_and_starts_have_ids() -> None:
    snapshot = events.snapshot(STREAM_ID, seq=4, status="running", text="", items=[], arriving={})
    ids = {
        "chunk": encode_sse(events.chunk(STREAM_ID, 3, "x")),
        "snapshot": encode_sse(snapshot),
        "start": encode_sse(events.start(HEAD, status="queued", after=-1)),
        "reconnect": encode_sse(events.reconnect(STREAM_ID, retry_ms=1000)),
        "queue": encode_sse(events.queue(STREAM_ID, place=2)),
    }
    read = {kind: SseReader().feed(data)[0].last_event_id for kind, data in ids.items()}
    assert read == {
        "chunk": f"{STREAM_ID}:3",
        "snapshot": f"{STREAM_ID}:4",
        "start": f"{STREAM_ID}:-1",
        "reconnect": "",
        "queue": "",
    }


def test_a_place_in_line_has_the_same_json_on_both_transports() -> None:
    frame = Frame(events.queue(STREAM_ID, place=2))
    json = f'{{"type":"queue","stream_id":"{STREAM_ID}","place":2}}'
    assert frame.websocket == json
    assert frame.sse == f"event: queue\ndata: {json}\n\n".encode()


def test_the_first_frame_says_how_long_to_wait_before_a_reconnect() -> None:
    reader = SseReader()
    reader.feed(encode_sse(events.start(HEAD, status="queued", after=-1)))
    assert reader.retry_ms == 1000
    assert b"retry" not in encode_sse(events.chunk(STREAM_ID, 0, "x"))


def test_a_frame_is_encoded_once_and_shared() -> None:
    frame = Frame(events.chunk(STREAM_ID, 0, "x"))
    assert frame.sse is frame.sse
    assert frame.websocket is frame.websocket
