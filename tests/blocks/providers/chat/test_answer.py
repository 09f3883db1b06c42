import json

import pytest

from blocks import errors
from blocks.providers.base import Finish, Thinking, Token
from blocks.providers.chat.answer import AnswerReader, OutOfTokens
from blocks.providers.chat.chunk import Usage
from tests.support.blocks.frames import DONE, THOUGHT, USAGE, WHOLE, finish, frame, message, text


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


def test_without_usage_there_is_none():
    assert read(text("a"), text("b"), finish("length"), DONE)[-1] == Finish("length", None, None)


@pytest.mark.parametrize(
    "tail", [[finish("stop")], [DONE], [DONE[:-2]], [finish("stop")[:-2]], [finish("eos"), DONE]]
)
def test_an_end_is_an_end_in_any_of_its_forms(tail):
    assert read(text("a"), *tail)[-1] == Finish("stop", None, None)


def test_a_break_after_the_service_said_why_it_ended_is_an_end():
    assert read(text("a"), finish("length"), is_cut=True)[-1] == Finish("length", None, None)


def test_a_break_after_a_reason_that_came_with_text_may_be_in_mid_answer():
    chunk = text("a", finish_reason="stop")
    for parts, is_cut in (((chunk,), True), ((chunk, chunk[:-30]), False)):
        with pytest.raises(errors.ProviderInterrupted):
            read(*parts, is_cut=is_cut)
    assert read(chunk)[-1] == Finish("stop", None, None)


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
    assert read(*parts, is_continued=True)[-1] == Finish("stop", None, None)


@pytest.mark.parametrize("parts", [(), (THOUGHT,)])
def test_where_the_beginning_was_there_before_no_end_is_an_interruption(parts):
    with pytest.raises(errors.ProviderInterrupted):
        read(*parts, is_continued=True)


def test_tokens_used_up_by_thinking_are_called_so():
    with pytest.raises(errors.EmptyAnswer, match="used up"):
        read(THOUGHT, finish("length"), DONE)


def test_a_content_filter_is_called_so():
    for word in ("content_filter", "SAFETY", "prohibited-content", "RECITATION"):
        with pytest.raises(errors.Refused) as caught:
            read(text("a"), finish(word), DONE)
        assert caught.value.message == "The service's content filter stopped this answer."


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


# --- reasoning and refusals -------------------------------------------------------

THINK = [text("<thi"), text("nk>\nhm"), text("</think>"), text("\n\n")]


def test_reasoning_in_the_text_is_no_text():
    pieces = read(*THINK, text("a"), text("b"), finish("stop"))
    assert pieces[-3:] == [Token("a"), Token("b"), Finish("stop", None, None)]
    assert Thinking() in pieces[:-3]
    assert not any(isinstance(piece, Token) for piece in pieces[:-3])


def test_reasoning_that_never_ends_is_never_text():
    with pytest.raises(errors.EmptyAnswer):
        read(text("<think>"), text("hm"), finish("stop"), DONE)
    with pytest.raises(OutOfTokens) as caught:
        read(text("<think>"), text("hm"), finish("length"), USAGE, DONE)
    assert caught.value.usage == Usage(5, 6)


def test_in_an_answer_that_goes_on_marks_of_reasoning_are_text():
    assert said(*THINK, text("a"), DONE, is_continued=True) == "<think>\nhm</think>\n\na"


def test_reasoning_beside_text_gives_both():
    part = frame({"content": "a", "reasoning": "hm"})
    assert read(part, DONE)[:2] == [Thinking(), Token("a")]


@pytest.mark.parametrize(
    "parts",
    [
        [frame({"refusal": "I "}), frame({"refusal": "can't."}), finish("stop"), DONE],
        [
            message("", finish_reason="stop")[:-2].replace(
                b'"content": ""', b'"refusal": "I can\'t."'
            )
        ],
        [frame({"content": [{"type": "refusal", "refusal": "I can't."}]}), DONE],
        [frame({"refusal": "I can't."}, finish_reason="content_filter")],
    ],
)
def test_a_refusal_is_told_in_the_models_own_words(parts):
    with pytest.raises(errors.Refused) as caught:
        read(*parts)
    assert caught.value.message == "I can't."


def test_a_refusal_after_text_keeps_the_text_and_one_that_is_cut_is_interrupted():
    reader = AnswerReader()
    assert list(reader.feed(text("a") + frame({"refusal": "No."}))) == [Token("a")]
    with pytest.raises(errors.ProviderInterrupted):
        list(reader.end())
    list(reader.feed(DONE))
    with pytest.raises(errors.Refused, match="declined"):
        list(reader.end())


def test_an_error_of_the_content_filter_in_mid_answer_is_a_refusal():
    with pytest.raises(errors.Refused):
        read(text("a"), b'data: {"error": {"code": "content_filter", "message": "x"}}\n\n')


def test_an_endless_refusal_is_bounded():
    reader = AnswerReader()
    for _ in range(100):
        list(reader.feed(frame({"refusal": "no " * 100})))
    list(reader.feed(DONE))
    with pytest.raises(errors.Refused) as caught:
        list(reader.end())
    assert len(caught.value.message) <= errors.MAX_REFUSAL_CHARACTERS


def said(*parts: bytes, **settings: bool) -> str:
    return "".join(piece.text for piece in read(*parts, **settings) if isinstance(piece, Token))


def test_an_answer_that_was_not_streamed_is_read_whole():
    assert read(WHOLE) == [Token("The sky"), Finish("stop", None, None)]
    assert read(WHOLE[:40], WHOLE[40:] + b"\n") == [Token("The sky"), Finish("stop", None, None)]


@pytest.mark.parametrize("length", range(1, len(WHOLE)))
def test_a_whole_answer_that_is_cut_is_never_complete(length):
    with pytest.raises(errors.GenerationError):
        read(WHOLE[:length])


BARE = b'{"choices":[{"message":{"content":"The"}}]}\n'


@pytest.mark.parametrize("more", [BARE, BARE[:9]])
def test_messages_line_by_line_are_not_whole(more):
    assert said(BARE) == "The"
    with pytest.raises(errors.ProviderInterrupted):
        read(BARE, more)


def test_messages_without_an_end_are_not_whole():
    for parts in ([message("The", finish_reason=None)], [message("a", finish_reason=None)] * 2):
        with pytest.raises(errors.ProviderInterrupted):
            read(*parts)


def test_a_whole_answer_needs_no_reason_for_its_end():
    assert said(b'{"object":"chat.completion","choices":[{"message":{"content":"hi"}}]}') == "hi"


# --- apparent ends ----------------------------------------------------------------


def test_text_after_a_finish_word_belongs_to_the_answer():
    assert said(text("a", finish_reason="stop"), finish("stop"), text("b"), DONE) == "ab"


def test_a_word_that_comes_with_each_chunk_is_no_end():
    parts = [text(word, finish_reason="stop") for word in ("Light ", "is ", "scattered ")]
    with pytest.raises(errors.ProviderInterrupted):
        read(*parts)


@pytest.mark.parametrize("end", [DONE, finish("stop"), USAGE, text("", finish_reason="stop")])
def test_after_words_that_meant_nothing_an_end_by_itself_is_one(end):
    parts = [text(word, finish_reason="stop") for word in ("Light ", "is ", "scattered ")]
    assert said(*parts, end) == "Light is scattered "


def test_the_last_word_says_why_an_answer_ended():
    parts = [text("a", finish_reason="stop"), text("b", finish_reason="length"), DONE]
    assert read(*parts)[-1].reason == "length"
    assert read(text("a"), finish("MAX_TOKENS"))[-1].reason == "length"


@pytest.mark.parametrize("word", ["null", "None", ""])
def test_a_word_that_says_nothing_is_none(word):
    with pytest.raises(errors.ProviderInterrupted):
        read(text("a", finish_reason=word))


# --- repeated answers -------------------------------------------------------------

DELTAS = [text("The sky"), text(" is"), text(" blue.")]


@pytest.mark.parametrize(
    "closing",
    [
        [message("The sky is blue.")],
        [message("The sky is blue."), DONE],
        [finish("stop"), message("The sky is blue."), DONE],
        [message(" The sky is blue.\n"), DONE],
        [text("The sky is blue.", finish_reason="stop"), DONE],
        [text("The sky is blue."), finish("stop"), USAGE, DONE],
        [finish("stop"), text("The sky is blue."), DONE],
        [frame({"content": "The sky is blue."}, message={"content": "The sky is blue."}), DONE],
    ],
)
def test_a_closing_frame_with_the_whole_answer_adds_nothing(closing):
    assert said(*DELTAS, *closing) == "The sky is blue."


@pytest.mark.parametrize("beside", [{}, {"content": ""}])
def test_a_message_or_a_text_beside_an_empty_delta_is_the_answer(beside):
    whole = {"content": "The sky is blue."}
    assert said(frame(beside, message=whole, finish_reason="stop"), DONE) == "The sky is blue."
    assert said(*DELTAS[:2], frame(beside, message=whole), DONE) == "The sky is blue."
    assert said(frame(beside, text="The sky is blue."), finish("stop"), DONE) == "The sky is blue."


def test_a_closing_message_may_differ_by_blanks_and_still_adds_what_was_missing():
    assert said(text("\n\nThe sky"), message("The sky is blue."), DONE) == "\n\nThe sky is blue."
    assert said(text("\n\n"), message("The sky is blue."), DONE).endswith("The sky is blue.")


@pytest.mark.parametrize(
    "lines",
    [
        ["The sky is blue.\n", "The sky is blue."],
        ["No.", " No.", " No. No."],
        ["Row, row, row your boat.\n", "Row, row, row your boat.\n"],
    ],
)
@pytest.mark.parametrize("word", [None, "stop"])
def test_a_line_that_a_model_writes_twice_stays(lines, word):
    parts = [text(line, finish_reason=word) for line in lines]
    assert said(*parts, finish("stop"), DONE) == "".join(lines)


def test_a_usage_behind_words_that_came_with_text_does_not_shorten_the_wait():
    reader = AnswerReader()
    for part in (text("First. ", finish_reason="stop"), USAGE):
        list(reader.feed(part))
    ending = reader.ending
    assert ending.word and not ending.is_summed_up and not ending.is_final


def test_a_closing_frame_adds_the_words_that_were_missing():
    assert said(*DELTAS[:2], message("The sky is blue.")) == "The sky is blue."


def test_a_closing_frame_brings_its_usage():
    usage = {"prompt_tokens": 9, "completion_tokens": 4}
    assert read(*DELTAS, message("The sky is blue.", usage=usage))[-1] == Finish("stop", 9, 4)


@pytest.mark.parametrize("words", [["ha", "ha"], ["1", "1", "1"], ["no ", "no ", "no no "]])
def test_words_that_are_said_twice_stay(words):
    parts = [text(word) for word in words]
    assert said(*parts, text("!"), finish("stop"), DONE) == "".join(words) + "!"


def test_a_verse_that_is_repeated_in_mid_answer_stays():
    verse = "Row, row, row your boat. "
    assert said(text(verse), text(verse), text("The end."), DONE) == verse * 2 + "The end."


@pytest.mark.parametrize(
    "texts", [["The", " sky", " is blue."], ["The", "The sky", "The sky is blue."]]
)
def test_messages_that_grow_or_are_pieces_are_one_answer(texts):
    assert said(*[message(text, finish_reason=None) for text in texts], DONE) == "The sky is blue."


# --- input outside of the format --------------------------------------------------


@pytest.mark.parametrize(
    "noise",
    [
        b"data:\n\nevent: ping\n\n",
        b"data: ping\n\n",
        b"data: null\n\n",
        b"data: []\n\n",
        b"data: [HEARTBEAT]\n\n",
        b"data: : OPENROUTER PROCESSING\n\n",
        b'data: {"choices": null}\n\n',
        b'data: {"choices": [null]}\n\n',
        b'data: {"choices": {}, "error": ""}\n\n',
        b'data: {"choices": [{"index": 1, "delta": {"content": "x"}}]}\n\n',
        b'data: {"choices": [{"delta": []}], "usage": []}\n\n',
    ],
)
def test_noise_takes_nothing_from_an_answer(noise):
    assert said(noise, text("a"), noise, text("b"), noise, finish("stop"), DONE) == "ab"


@pytest.mark.parametrize("label", [b"data: data: ", b"Data: ", b" data: ", b"\xef\xbb\xbfdata: "])
def test_a_line_may_be_labelled_oddly(label):
    parts = [text("a"), text("b"), finish("stop"), DONE]
    assert said(*[label + part[6:] for part in parts]) == "ab"


def test_json_may_be_spread_over_several_data_lines():
    def printed(part: bytes) -> bytes:
        lines = json.dumps(json.loads(part[6:]), indent=1).encode().splitlines()
        return b"".join(b"data: " + line + b"\n" for line in lines) + b"\n"

    assert said(*[printed(part) for part in (text("a"), text("b"), finish("stop"))], DONE) == "ab"


@pytest.mark.parametrize("word", [b"DONE", b'"[DONE]"', b"[DONE] "])
def test_the_end_may_be_written_oddly(word):
    assert said(text("a"), b"data: " + word + b"\n\n") == "a"


def test_what_is_no_answer_at_all_is_malformed():
    with pytest.raises(errors.ProviderMalformed):
        read(b"<html>\n<p>Welcome</p>\n</html>\n")


def test_an_error_without_a_stream_is_that_error():
    with pytest.raises(errors.ProviderRateLimited):
        read(b'{"error": {"message": "slow down", "code": 429}}')
