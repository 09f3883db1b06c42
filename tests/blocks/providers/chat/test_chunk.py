import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blocks.errors import ProviderMalformed
from blocks.providers.chat.chunk import NO_USAGE, Chunk, Usage, decode_chunks, finish_reason


def chunk_of(value: object) -> Chunk:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    (chunk,) = decode_chunks(data)
    return chunk


def said(delta: object, **choice: object) -> Chunk:
    return chunk_of({"choices": [{"index": 0, "delta": delta, **choice}]})


def answer(*values: object, **members: object) -> Chunk:
    return Chunk(*values, is_answer=True, **members)


@pytest.mark.parametrize(
    ("delta", "expected"),
    [
        ({"content": "hi", "unknown": {"x": [1]}}, answer("hi")),
        ({"role": "assistant", "content": None}, answer()),
        ({"content": 42}, answer("42")),
        ({"content": 1.5}, answer("1.5")),
        ({"content": 0}, answer("0")),
        ({"content": False}, answer()),
        ({"content": ["a", 7]}, answer("a7")),
        ({"content": {"type": "text", "text": "hi"}}, answer("hi")),
        ({"content": [{"type": "text", "text": {"value": "hi"}}]}, answer("hi")),
        ({"content": [{"type": None, "text": "hi"}, {"type": "image_url"}]}, answer("hi")),
        ({"content": [{"type": "thinking", "thinking": []}]}, answer(is_reasoning=True)),
        ({"content": [{"type": "refusal", "refusal": "no"}]}, answer(refusal="no")),
        ({"reasoning_content": "hm"}, answer(is_reasoning=True)),
        ({"content": "", "reasoning": "hm"}, answer(is_reasoning=True)),
        ({"content": "a", "reasoning_details": [{"type": "x"}]}, answer("a", is_reasoning=True)),
        ({"reasoning_content": "", "reasoning": None, "reasoning_details": []}, answer()),
        ({"refusal": "I can't."}, answer(refusal="I can't.")),
        ({"refusal": None, "content": "a"}, answer("a")),
        ("words", answer("words")),
        (None, answer()),
        ([], answer()),
        (7, answer("7")),
        (True, answer()),
    ],
)
def test_a_delta_of_any_form_says_what_it_says(delta, expected):
    assert said(delta) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"choices": [], "prompt_progress": {"total": 3}}, Chunk(is_alive=True)),
        ({"choices": None, "usage": None}, Chunk()),
        ({"choices": [None]}, Chunk()),
        ({"choices": {}}, Chunk()),
        ({"choices": "x"}, Chunk()),
        ({"choices": {"delta": {"content": "a"}}}, answer("a")),
        ({"choices": [{"text": "old"}]}, answer("old")),
        ({"choices": [{"index": 1, "delta": {"content": "x"}}]}, Chunk()),
        ({"choices": [{"index": "0", "delta": {"content": "x"}}]}, answer("x")),
        ({"choices": [{"index": None, "delta": {"content": "x"}}]}, answer("x")),
        ({}, Chunk()),
    ],
)
def test_a_chunk_of_any_form_is_read_as_far_as_it_tells(value, expected):
    assert chunk_of(value) == expected


def test_a_list_is_its_chunks_and_other_values_are_none():
    data = b'[{"choices":[{"delta":{"content":"a"}}]}, null, {"choices":[{"delta":"b"}]}]'
    assert [chunk.text for chunk in decode_chunks(data)] == ["a", "b"]
    assert [list(decode_chunks(value)) for value in (b"[]", b"7", b'"x"', b"null")] == [[]] * 4


@pytest.mark.parametrize("data", [b"{", b"\xff", b"[", b"[" * 100_000, b"{'a': 1}"])
def test_what_is_no_json_is_malformed(data):
    with pytest.raises(ProviderMalformed):
        list(decode_chunks(data))


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b'{"choices":[{"delta":{"content":"a\xffb"}}]}', "a\ufffdb"),
        (b'{"choices":[{"delta":{"content":"a\nb"}}]}', "a\nb"),
        (b'{"choices":[{"delta":{"content":"a"},"logprob":-Infinity}]}', "a"),
        (b'{"id":%s,"choices":[{"delta":{"content":"a"}}]}' % (b"9" * 5000), "a"),
    ],
)
def test_json_that_is_slightly_wrong_is_read(data, text):
    assert chunk_of(data).text == text


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"prompt_tokens": 3, "completion_tokens": 4}, Usage(3, 4)),
        ({"prompt_tokens": 3.0, "completion_tokens": "4"}, Usage(3, 4)),
        ({"input_tokens": 3, "output_tokens": 4}, Usage(3, 4)),
        ({"prompt_tokens": 7}, Usage(7, None)),
        ({"completion_tokens": 7}, Usage(None, 7)),
        ({"prompt_tokens": -1, "completion_tokens": -1}, NO_USAGE),
        ({"prompt_tokens": 0, "completion_tokens": 0}, None),
        ({"prompt_tokens": True, "completion_tokens": {}}, None),
        ({"prompt_tokens": float("nan"), "completion_tokens": float("inf")}, None),
        ({"prompt_tokens_details": {}}, None),
        ([], None),
        ("12", None),
        (12, None),
    ],
)
def test_a_usage_of_any_form_is_what_can_be_read_of_it(usage, expected):
    assert chunk_of({"choices": [], "usage": usage}).usage == expected
    assert said({"content": "a"}, usage=usage).text == "a"


def test_usages_are_added_as_far_as_they_are_known():
    assert Usage(3, None) + Usage(4, 5) == Usage(7, 5)
    assert NO_USAGE + NO_USAGE == NO_USAGE


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        (None, ""),
        ("", ""),
        ("null", ""),
        ("None", ""),
        (False, ""),
        (1, "stop"),
        ("STOP", "stop"),
        ("prohibited-content", "prohibited_content"),
        ("FinishReason.STOP", "stop"),
        ("FINISH_REASON_MAX_TOKENS", "max_tokens"),
        ("FINISH_REASON_UNSPECIFIED", ""),
        ({"type": "length"}, "length"),
        ({"type": None}, ""),
    ],
)
def test_a_finish_reason_of_any_form_is_a_word_or_none(word, expected):
    assert said({}, finish_reason=word).finish == expected


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("stop", "stop"),
        ("eos_token", "stop"),
        ("tool_calls", "stop"),
        ("max_tokens", "length"),
        ("max_length", "length"),
        ("max_new_tokens", "length"),
        ("token_limit", "length"),
        ("error_limit", "length"),
        ("limit", "length"),
        ("model_context_window_exceeded", "length"),
        ("content_filter", "content_filter"),
        ("error_toxic", "content_filter"),
        ("safety_violation", "content_filter"),
        ("content_policy_violation", "content_filter"),
        ("moderation_blocked", "content_filter"),
        ("safety", "content_filter"),
        ("sensitive", "content_filter"),
        ("refusal", "refusal"),
        ("error", "error"),
        ("insufficient_system_resource", "error"),
        ("network_error", "error"),
        ("server_error", "error"),
        ("abort", "error"),
        ("user_cancel", "error"),
        ("timeout", "error"),
        ("time_limit", "error"),
        ("rate_limit", "error"),
        ("interrupted", "error"),
        ("incomplete", "error"),
        ("pause_turn", "error"),
    ],
)
def test_a_finish_reason_means_one_of_ours(word, reason):
    assert finish_reason(word) == reason


def test_a_message_may_call_itself_a_whole_answer():
    choices = [{"message": {"content": "a"}}]
    assert chunk_of({"object": "chat.completion", "choices": choices}).is_whole
    assert not chunk_of({"object": "chat.completion.chunk", "choices": choices}).is_whole
    assert chunk_of({"choices": choices}).is_message


@given(st.binary(max_size=60))
def test_any_bytes_are_chunks_or_malformed(data):
    with suppress(ProviderMalformed):
        assert all(isinstance(chunk, Chunk) for chunk in decode_chunks(data))
