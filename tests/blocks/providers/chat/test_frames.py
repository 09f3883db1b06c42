import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blocks.errors import ProviderMalformed
from blocks.providers.chat.error import error_in
from blocks.providers.chat.frames import (
    DONE,
    MAX_DOCUMENT_BYTES,
    MAX_LINE_BYTES,
    FrameDecoder,
    ValueScanner,
)


def frames_of(*pieces: bytes) -> list[bytes]:
    decoder = FrameDecoder()
    return [*(frame for piece in pieces for frame in decoder.feed(piece)), *decoder.end()]


def sliced(data: bytes, size: int) -> list[bytes]:
    return [data[i : i + size] for i in range(0, len(data), size)]


STREAM = 'data: {"a": "ü😀"}\r\n\r\n: comment\nevent: x\nid: 1\ndata:{"b":2}\rdata: [DONE]\n\n'


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_lines_are_the_same_however_they_were_cut(size):
    expected = [b'{"a": "\xc3\xbc\xf0\x9f\x98\x80"}', b'{"b":2}', DONE]
    assert frames_of(*sliced(STREAM.encode(), size)) == expected


VALUES = ['{"a":"}\\\\"}', '{"b":[1,{"c":"\\""}]}', "[]", '{"ü":"😀{"}', '[{"d":null}]', "[DONE]"]
LABELS = ["data: ", "data:", "data: data: ", "Data: ", " data: ", "\ufeffdata: ", ""]


@given(
    st.lists(st.tuples(st.sampled_from(LABELS), st.sampled_from(VALUES)), max_size=6),
    st.sampled_from(["\n", "\r\n", "\n\n", "\r"]),
    st.integers(1, 9),
)
def test_any_labels_line_ends_and_cuts_give_the_same_values(lines, end, size):
    body = (": hello" + end + "".join(f"{label}{value}{end}" for label, value in lines)).encode()
    expected = [value.encode() for _, value in lines if value != "[]"]
    assert frames_of(*sliced(body, size)) == frames_of(body) == expected


@given(
    st.lists(st.sampled_from([value for value in VALUES if value[0] == "{"]), max_size=5),
    st.sampled_from(["", "\n", ",\n", " \n\n", "\r\n", "\ndata: "]),
    st.integers(1, 9),
)
def test_bare_values_need_nothing_between_them(values, between, size):
    body = between.join(values).encode()
    assert frames_of(*sliced(body, size)) == [value.encode() for value in values]


@pytest.mark.parametrize("indent", [None, 0, 2])
@pytest.mark.parametrize("label", [b"data: ", b""])
def test_printed_json_is_joined(indent, label):
    value = {"choices": [{"delta": {"content": "a"}}, {}], "id": 1, "event": "x"}
    lines = json.dumps(value, indent=indent).encode().splitlines()
    body = b": hello\n" + b"".join(label + line + b"\n" for line in lines) + b"\n"
    assert [json.loads(frame) for frame in frames_of(body)] == [value]


def test_json_that_was_encoded_twice_is_the_inner_json():
    inner = '{"content": "a \\"b\\" ü"}'
    assert frames_of(f"data: {json.dumps(inner)}\n\n".encode()) == [inner.encode()]
    assert frames_of(b'data: "{broken\n\ndata: {}\n\n') == [b"{}"]


def test_an_unescaped_line_end_in_a_text_is_part_of_it():
    (frame,) = frames_of(b'data: {"content": "a\nb: c"}\n\n')
    assert json.loads(frame, strict=False) == {"content": "a\nb: c"}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'event: error\ndata: {"message": "no"}\n\n', {"message": "no"}),
        (b"event: error\ndata: Internal Server Error\n\n", "Internal Server Error"),
        (b"event: error\ndata: no luck\n\n", "no luck"),
        (b"event: error\n\n", ""),
        (b'error: {"code": 500}\n\n', {"code": 500}),
        (b"data: Model crashed with an error.\n\n", "Model crashed with an error."),
        (b"upstream connect error\n", "upstream connect error"),
    ],
)
def test_an_error_that_only_its_field_or_its_event_names_is_called_one(body, message):
    (frame,) = map(json.loads, frames_of(body))
    assert frame["error"] == message
    assert error_in(frame) is not None
    assert len(frames_of(body + b"data: {}\n\n")) == 2


@pytest.mark.parametrize(
    "noise", [b"data: ping", b"data: null", b"data: [BEAT]", b"hello", b"data: 7"]
)
def test_words_are_skipped_and_noted(noise):
    decoder = FrameDecoder()
    assert list(decoder.feed(noise + b"\ndata: {}\n\n")) == [b"{}"]
    assert decoder.has_skipped


@pytest.mark.parametrize("usual", [b"data:", b": beat", b"event: ping", b"id: 1", b"retry: 3"])
def test_what_belongs_to_the_format_is_not_noted(usual):
    decoder = FrameDecoder()
    assert list(decoder.feed(usual + b"\ndata: {}\n\n")) == [b"{}"]
    assert not decoder.has_skipped


@pytest.mark.parametrize("word", [b"DONE", b'"[DONE]"', b"[DONE] ", b"[DONE]"])
def test_the_end_may_be_written_oddly_and_lack_its_line_end(word):
    assert frames_of(b"data: " + word) == frames_of(b"data: " + word + b"\n\n") == [DONE]


@pytest.mark.parametrize("body", [b"<!DOCTYPE html>\n", b"\n <html>", b"\xef\xbb\xbf<?xml ?>"])
def test_a_web_page_is_called_so(body):
    with pytest.raises(ProviderMalformed) as caught:
        frames_of(*sliced(body, 1))
    assert "AI_BASE_URL leads to a web page" in caught.value.detail


def test_an_event_that_ends_within_its_json_is_malformed():
    with pytest.raises(ProviderMalformed):
        frames_of(b'data: {"a": [1\n\ndata: {}\n\n')


@pytest.mark.parametrize("begin", [b"x", b"data: {", b'data: {"a": "'])
def test_a_line_of_more_than_a_mebibyte_is_malformed_before_its_end_comes(begin):
    with pytest.raises(ProviderMalformed):
        frames_of(begin, *[b"x" * 1024] * (MAX_LINE_BYTES // 1024 + 2))


def test_a_value_over_many_lines_is_limited_too():
    with pytest.raises(ProviderMalformed):
        frames_of(b'data: {"a":\n', *[b"data: [" + b" 1," * 300 + b"\n"] * 1200)


def test_a_document_may_have_four_mebibytes_and_no_more():
    for begin, end in ((b'{"a":"', b'"}'), (b'[{"a":"', b'"}]')):
        assert len(frames_of(begin, *[b"x" * 65_536] * 63, end)) == 1
    with pytest.raises(ProviderMalformed):
        frames_of(b'{"a":"', *[b"x" * 65_536] * (MAX_DOCUMENT_BYTES // 65_536 + 1))


def test_an_unfinished_value_is_known():
    decoder = FrameDecoder()
    assert list(decoder.feed(b'{"a": "}')) == []
    assert decoder.is_open


@given(st.binary(max_size=40), st.integers(1, 5))
def test_any_bytes_scanned_in_any_pieces_give_the_same_values(data, size):
    def scan(*pieces: bytes) -> list[bytes]:
        scanner = ValueScanner(1000)
        return [value for piece in pieces for value in scanner.feed(piece)]

    data = data.replace(b"\x00", b'"').replace(b"\x01", b"{").replace(b"\x02", b"}")
    assert scan(*sliced(data, size)) == scan(data)
