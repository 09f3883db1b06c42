"""Stored batches are complete, and in a stable format."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.event_log.redis.batches import (
    decode_aside,
    decode_batch,
    encode_aside,
    encode_batch,
    is_aside,
)
from streaming.protocol import events
from streaming.protocol.events import Event
from tests.support.streaming.log_reader import STREAM, chunk

# Everything that JSON can hold. Lone surrogates are not text: no provider's decoder accepts them.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@st.composite
def batches(draw: st.DrawFn) -> list[Event]:
    first = draw(st.integers(0, 2**31))
    made: list[Event] = []
    for seq in range(first, first + draw(st.integers(1, 6))):
        if draw(st.booleans()):
            made.append(events.chunk(STREAM, seq, draw(texts), draw(st.none() | texts)))
        else:
            made.append(events.item(STREAM, seq, draw(texts), draw(values)))
    return made


@given(batches())
def test_a_batch_comes_back_as_it_was(batch: list[Event]) -> None:
    assert decode_batch(STREAM, encode_batch(batch)) == batch


def test_its_form_is_what_other_versions_in_the_same_deployment_read() -> None:
    stored = encode_batch([chunk(7, 'a "b"\n'), events.cancelled(STREAM, 8, by="owner")])
    assert stored == b'7 8 [["chunk",{"token":"a \\"b\\"\\n"}],["cancelled",{"by":"owner"}]]'


@pytest.mark.parametrize("stored", [b"", b"1 2", b"x y []", b"0 0 {}", b"0 0 [["])
def test_what_is_no_batch_is_refused(stored: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (msgspec's is one, too)
        decode_batch(STREAM, stored)


@given(st.integers(-1, 2**31), st.integers(0, 2**31))
def test_an_aside_comes_back_as_it_was(after: int, since_ms: int) -> None:
    thinking = events.thinking(STREAM, since_ms=since_ms)
    assert is_aside(encode_aside(thinking, after))
    assert decode_aside(STREAM, encode_aside(thinking, after)) == (thinking, after)


@given(batches())
def test_a_batch_is_no_aside(batch: list[Event]) -> None:
    assert not is_aside(encode_batch(batch))


def test_a_process_of_an_older_version_takes_an_aside_for_a_batch_that_it_has() -> None:
    message = encode_aside(events.thinking(STREAM, since_ms=5), 7)
    assert message == b'-1 7 [["thinking",{"since_ms":5}]]'
    assert [event.seq for event in decode_batch(STREAM, message)] == [-1]
