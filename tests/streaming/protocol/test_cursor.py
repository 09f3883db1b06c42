"""Cursors are parsed strictly. The texts themselves are in fixtures/cursors.json."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.protocol.cursor import Cursor, InvalidCursor, cursor_from_header, seq_from_text
from tests.specs.golden_run import STREAM_ID

stream_ids = st.from_regex(r"\A[A-Za-z0-9_-]{22}\Z")
seqs = st.integers(-1, 9_999_999_999)


@given(stream_ids, seqs)
def test_a_cursor_survives_its_way_through_a_header(stream_id: str, seq: int) -> None:
    cursor = Cursor(stream_id, seq)
    assert cursor_from_header(str(cursor)) == cursor


@given(seqs)
def test_a_seq_survives_its_way_through_a_query(seq: int) -> None:
    assert seq_from_text(str(seq)) == seq


@given(st.text(alphabet=st.sampled_from("0123456789-+ .e:\n\u0661"), max_size=14))
def test_a_seq_has_one_way_of_writing_it(text: str) -> None:
    try:
        seq = seq_from_text(text)
    except InvalidCursor:
        return
    assert str(seq) == text


@given(st.text(max_size=40))
def test_any_header_is_read_or_refused_and_nothing_else(text: str) -> None:
    try:
        cursor = cursor_from_header(text)
    except InvalidCursor:
        return
    assert str(cursor) == text.strip()


@pytest.mark.parametrize("text", ["", "x", f"{STREAM_ID}:", f"{STREAM_ID}:-2", f"{STREAM_ID}:01"])
def test_a_malformed_header_is_refused(text: str) -> None:
    with pytest.raises(InvalidCursor):
        cursor_from_header(text)
