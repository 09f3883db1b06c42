import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blocks.errors import ProviderMalformed
from blocks.providers.chat_decoder import (
    MAX_LINE_BYTES,
    Chunk,
    LineDecoder,
    TextCleaner,
    Usage,
    decode_chunk,
    decode_error,
)


def lines_of(*pieces: bytes) -> list[bytes]:
    decoder = LineDecoder()
    return [data for piece in pieces for data in decoder.feed(piece)]


def sliced(data: bytes, size: int) -> list[bytes]:
    return [data[i : i + size] for i in range(0, len(data), size)]


STREAM = 'data: {"a": "ü😀"}\r\n\r\n: comment\nevent: x\nid: 1\ndata:{"b":2}\rdata: [DONE]\n\n'


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_lines_are_the_same_however_they_were_cut(size):
    expected = [b'{"a": "\xc3\xbc\xf0\x9f\x98\x80"}', b'{"b":2}', b"[DONE]"]
    assert lines_of(*sliced(STREAM.encode(), size)) == expected


@given(st.lists(st.sampled_from([b"data: x", b"\r", b"\n", b"\r\n", b": c", b""]), max_size=12))
def test_any_line_ends_cut_anywhere_give_what_they_give_in_one_piece(parts):
    whole = b"".join(parts)
    assert lines_of(*sliced(whole, 1)) == lines_of(whole)


def test_a_line_of_more_than_a_mebibyte_is_malformed_before_its_end_comes():
    with pytest.raises(ProviderMalformed):
        lines_of(*[b"x" * 1024] * (MAX_LINE_BYTES // 1024 + 2))


def test_a_last_line_without_its_end_can_be_had():
    decoder = LineDecoder()
    assert list(decoder.feed(b"data: {}\ndata: [DO")) == [b"{}"]
    assert list(decoder.feed(b"NE]")) == []
    assert decoder.end() == b"[DONE]"


def chunk_of(delta: dict, **more: object) -> bytes:
    return json.dumps({"choices": [{"index": 0, "delta": delta, **more}]}).encode()


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (chunk_of({"content": "hi"}, finish_reason=None, unknown={"x": [1]}), Chunk("hi")),
        (chunk_of({"role": "assistant", "content": None}), Chunk()),
        (chunk_of({}, finish_reason="length"), Chunk(finish="length")),
        (chunk_of({"reasoning_content": "hm"}), Chunk(is_alive=True, is_reasoning=True)),
        (chunk_of({"content": "", "reasoning": "hm"}), Chunk(is_alive=True, is_reasoning=True)),
        (
            chunk_of({"content": [{"type": "thinking", "thinking": []}]}),
            Chunk(is_alive=True, is_reasoning=True),
        ),
        (chunk_of({"content": [{"type": "text", "text": "hi"}]}), Chunk("hi")),
        (b'{"choices": [], "prompt_progress": {"total": 3}}', Chunk(is_alive=True)),
        (
            b'{"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 4}}',
            Chunk(usage=Usage(3, 4), is_usage=True),
        ),
        (b'{"choices": null, "usage": null}', Chunk()),
        (b'{"choices": [{"text": "old"}]}', Chunk("old")),
    ],
)
def test_a_chunk_says_what_each_product_means(data, expected):
    assert decode_chunk(data) == expected


@pytest.mark.parametrize(
    "data", [b"{", b"[]", b"7", b'{"choices": [{"delta": "x"}]}', b"\xff", b"["]
)
def test_what_is_no_chunk_is_malformed(data):
    with pytest.raises(ProviderMalformed):
        decode_chunk(data)


def test_json_nested_too_deep_is_malformed():
    with pytest.raises(ProviderMalformed):
        decode_chunk(b"[" * 100_000)


@given(st.binary(max_size=60))
def test_any_bytes_are_a_chunk_or_malformed(data):
    with suppress(ProviderMalformed):
        assert isinstance(decode_chunk(data), Chunk)


def test_bad_utf8_inside_a_chunk_is_replaced():
    assert decode_chunk(b'{"choices":[{"delta":{"content":"a\xffb"}}]}').text == "a\ufffdb"


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (["plain"], "plain"),
        (["a\0b"], "a\ufffdb"),
        (["ü\0"], "ü\ufffd"),
        (["a\ud83d", "\ude00b"], "a😀b"),
        (["a\ud83d", "b"], "a\ufffdb"),
        (["a\ude00"], "a\ufffd"),
        (["b\ud83d"], "b\ufffd"),
        (["\ud83d", "\ud83d", "\ude00"], "\ufffd😀"),
    ],
)
def test_text_is_made_storable_and_cut_pairs_are_joined(parts, expected):
    cleaner = TextCleaner()
    assert "".join(cleaner.clean(part) for part in parts) + cleaner.end() == expected


@given(st.lists(st.text(alphabet=st.characters() | st.sampled_from("\0\ud83d\ude00a"))))
def test_cleaned_text_can_always_be_encoded(parts):
    cleaner = TextCleaner()
    text = "".join(cleaner.clean(part) for part in parts) + cleaner.end()
    assert "\0" not in text
    text.encode()


@pytest.mark.parametrize(
    ("body", "status", "code", "param"),
    [
        (b'{"error": {"code": 502, "message": "x"}}', 502, "502", ""),
        (b'{"error": {"code": "rate_limit_exceeded"}}', 429, "rate_limit_exceeded", ""),
        (b'{"error": {"code": 400, "type": "exceed_x"}}', 400, "exceed_x", ""),
        (b'{"error": {"type": "t", "param": "temperature"}}', None, "t", "temperature"),
        (b'{"error": "words"}', None, "", ""),
        (b"<html>", None, "", ""),
        (b"\xff", None, "", ""),
    ],
)
def test_an_error_is_read_as_far_as_it_tells(body, status, code, param):
    error = decode_error(body)
    assert (error.status, error.code, error.param) == (status, code, param)
