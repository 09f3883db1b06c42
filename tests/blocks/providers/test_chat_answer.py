import json

import pytest

from blocks import errors
from blocks.providers.base import Finish, Thinking, Token
from blocks.providers.chat_answer import AnswerReader


def text(content: str) -> bytes:
    return b"data: " + json.dumps({"choices": [{"delta": {"content": content}}]}).encode() + b"\n\n"


def finish(word: str) -> bytes:
    return f'data: {{"choices":[{{"delta":{{}},"finish_reason":"{word}"}}]}}\n\n'.encode()


THOUGHT = b'data: {"choices":[{"delta":{"reasoning":"hm"}}]}\n\n'
USAGE = b'data: {"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":6}}\n\n'
DONE = b"data: [DONE]\n\n"


def read(*parts: bytes, is_cut: bool = False, **settings: bool) -> list:
    reader = AnswerReader(**settings)
    pieces = [piece for part in parts for piece in reader.feed(part)]
    return [*pieces, *reader.end(is_cut=is_cut)]


def test_an_answer_is_its_tokens_and_a_finish_with_the_usage_that_came_last():
    assert read(text("a"), text("b"), finish("stop"), USAGE, DONE) == [
        Token("a"),
        Token("b"),
        Finish("stop", 5, 6),
    ]


def test_without_usage_the_deltas_are_counted_and_the_input_is_not_made_up():
    assert read(text("a"), text("b"), finish("length"), DONE)[-1] == Finish("length", 0, 2)


@pytest.mark.parametrize(
    "tail", [[finish("stop")], [DONE], [DONE[:-2]], [finish("stop")[:-2]], [finish("eos"), DONE]]
)
def test_an_end_is_an_end_in_any_of_its_forms(tail):
    assert read(text("a"), *tail)[-1] == Finish("stop", 0, 1)


def test_a_break_after_the_service_said_why_it_ended_is_an_end():
    assert read(text("a"), finish("length"), is_cut=True)[-1] == Finish("length", 0, 1)


@pytest.mark.parametrize("is_cut", [True, False])
def test_without_an_end_the_answer_was_interrupted(is_cut):
    with pytest.raises(errors.ProviderInterrupted):
        read(text("a"), text("b")[:-9], is_cut=is_cut)


@pytest.mark.parametrize("parts", [(), (DONE,), (finish("stop"), DONE), (THOUGHT, DONE)])
def test_an_end_without_text_is_an_empty_answer(parts):
    with pytest.raises(errors.EmptyAnswer):
        read(*parts)


@pytest.mark.parametrize("parts", [(DONE,), (finish("stop"), DONE), (THOUGHT, DONE)])
def test_an_end_without_text_is_an_end_where_the_beginning_was_there_before(parts):
    assert read(*parts, may_be_empty=True)[-1] == Finish("stop", 0, 0)


@pytest.mark.parametrize("parts", [(), (THOUGHT,)])
def test_where_the_beginning_was_there_before_no_end_is_an_interruption(parts):
    with pytest.raises(errors.ProviderInterrupted):
        read(*parts, may_be_empty=True)


def test_tokens_used_up_by_thinking_are_called_so():
    with pytest.raises(errors.EmptyAnswer, match="used up"):
        read(THOUGHT, finish("length"), DONE)


def test_a_content_filter_is_called_so():
    with pytest.raises(errors.ProviderRejected, match="filter"):
        read(text("a"), finish("content_filter"), DONE)


def test_reasoning_is_a_sign_of_life_without_its_words():
    assert read(THOUGHT, text("a"), DONE)[:2] == [Thinking(), Token("a")]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ('{"code": 502, "message": "x"}', errors.ProviderUnavailable),
        ('{"code": 429}', errors.ProviderRateLimited),
        ('{"code": "rate_limit_exceeded"}', errors.ProviderRateLimited),
        ('{"code": 401}', errors.ProviderRejected),
        ('"overloaded"', errors.ProviderUnavailable),
    ],
)
def test_an_error_before_the_first_token_is_what_its_status_says(error, expected):
    with pytest.raises(expected):
        read(f'data: {{"error": {error}}}\n\n'.encode())


@pytest.mark.parametrize(
    "last",
    [b'data: {"error": {"code": 401}}\n\n', b'error: {"code": 500}\n\n', finish("error")],
)
@pytest.mark.parametrize("first", [text("a"), THOUGHT])
def test_an_error_once_the_answer_has_begun_interrupts_it(first, last):
    with pytest.raises(errors.ProviderInterrupted):
        read(first, last, DONE)


def test_json_that_was_asked_for_in_words_begins_at_its_brace():
    pieces = read(text("Sure: ```json\n"), text(' {"a"'), text(":1}"), DONE, seeks_json=True)
    assert pieces[:3] == [Thinking(), Token('{"a"'), Token(":1}")]


def test_words_that_never_became_json_come_at_the_end():
    pieces = read(text("I can"), text("not."), DONE, seeks_json=True)
    assert pieces == [Thinking(), Thinking(), Token("I cannot."), Finish("stop", 0, 2)]


def test_an_answer_that_was_not_streamed_is_read_whole():
    reader = AnswerReader()
    body = b'{"choices":[{"message":{"content":"hi"},"finish_reason":"stop"}]}'
    assert [*reader.feed_whole(body), *reader.end()] == [Token("hi"), Finish("stop", 0, 1)]
