"""A run that adds to earlier answers: the rest of a text, the missing questions of a quiz."""

from __future__ import annotations

from typing import Any

import pytest

from blocks.continuation import NOTHING, Earlier, EndedAnswer
from blocks.delta import Delta, Done, Item, Text
from blocks.errors import EmptyAnswer, GenerationError, InvalidInput
from blocks.providers.base import Message
from blocks.runtime.continuing import earlier_of
from blocks.runtime.engine import run
from tests.blocks.runtime.test_engine import quiz
from tests.support.blocks.example_spec import spec_of
from tests.support.blocks.fake_provider import FakeProvider

BEFORE = Earlier(text="Rivers run down to")
QUIZ_OPTIONS = {"questions": 3, "difficulty": "easy"}


def asked(*replies: object) -> FakeProvider:
    """A model that can't continue a text by itself."""
    provider = FakeProvider(*replies)
    provider.can_continue = False
    return provider


async def collect(
    output: str, provider: FakeProvider, earlier: Earlier, **arguments: Any
) -> tuple[list[Delta], GenerationError | None]:
    found: list[Delta] = []
    options = QUIZ_OPTIONS if output == "quiz" else {}
    try:
        async for delta in run(
            spec_of(output),
            "Rivers",
            options,
            providers=provider,
            seed="s",
            earlier=earlier,
            **arguments,
        ):
            found.append(delta)
    except GenerationError as error:
        return found, error
    return found, None


def text_of(deltas: list[Delta]) -> str:
    return "".join(delta.token for delta in deltas if isinstance(delta, Text))


# --- texts ------------------------------------------------------------------------------------


async def test_a_model_that_can_gets_the_text_as_the_beginning_of_its_answer() -> None:
    provider = FakeProvider(" the sea.")
    found, error = await collect("markdown", provider, BEFORE)
    assert error is None
    assert text_of(found) == " the sea."
    (request,) = provider.requests
    assert [message.role for message in request.messages] == ["system", "user", "assistant"]
    assert request.so_far == BEFORE.text


async def test_any_other_model_is_asked_and_what_it_repeats_is_cut_off() -> None:
    provider = asked("run down to the sea.")
    found, error = await collect("markdown", provider, BEFORE)
    assert error is None
    assert text_of(found) == " the sea."
    (request,) = provider.requests
    *_, answer, question = request.messages
    assert answer == Message("assistant", BEFORE.text)
    assert question.role == "user"
    assert "Continue it exactly where it ended" in question.content
    assert question.content.endswith(BEFORE.text)


async def test_gathered_it_is_one_text() -> None:
    found, _ = await collect("markdown", asked("run down to the sea."), BEFORE, streaming=False)
    assert found[0] == Text(" the sea.")


@pytest.mark.parametrize("end", ["", EmptyAnswer(), BEFORE.text])
async def test_with_nothing_left_to_say_the_answer_is_complete_without_text(end: Any) -> None:
    found, error = await collect("markdown", FakeProvider(end), BEFORE)
    assert error is None
    assert text_of(found) == ""
    assert found[-1] == Done("stop", None, {})


async def test_a_model_that_was_asked_and_says_nothing_has_failed() -> None:
    _, error = await collect("markdown", asked(EmptyAnswer()), BEFORE)
    assert isinstance(error, EmptyAnswer)


async def test_after_a_crash_a_model_goes_on_from_both_texts() -> None:
    provider = FakeProvider("a.")
    found, error = await collect("markdown", provider, BEFORE, so_far=" the se")
    assert error is None
    assert text_of(found) == "a."
    assert provider.requests[0].so_far == "Rivers run down to the se"


async def test_a_block_that_became_a_quiz_does_not_continue_a_text() -> None:
    provider = FakeProvider(quiz("Why?", "How?", "Who?"))
    found, error = await collect("quiz", provider, BEFORE)
    assert error is None
    assert isinstance(found[-1], Done)
    assert all(message.content != BEFORE.text for message in provider.requests[0].messages)


# --- quizzes ----------------------------------------------------------------------------------


async def test_a_quiz_asks_for_the_missing_questions_and_drops_those_asked_before() -> None:
    provider = FakeProvider(quiz("WHY does it flow", "Where to?"))
    found, error = await collect("quiz", provider, Earlier(questions=("Why does it flow?",)))
    assert error is None
    done = found[-1]
    assert isinstance(done, Done) and done.result is not None
    assert [question["question"] for question in done.result["questions"]] == ["Where to?"]
    assert done.dropped == {"duplicate_question": 1}
    (request,) = provider.requests
    assert "- Why does it flow?" in request.messages[-1].content
    assert "with 2 different questions" in request.messages[-1].content
    assert request.schema is not None
    assert request.schema["properties"]["questions"]["maxItems"] == 2


async def test_its_second_try_knows_them_too() -> None:
    provider = FakeProvider("no JSON", quiz("Where to?", "Why does it flow?"))
    found, error = await collect("quiz", provider, Earlier(questions=("Why does it flow?",)))
    assert error is None
    first, second = (request.messages[-1].content for request in provider.requests)
    assert second.startswith(first) and "Ask 2 different questions" in second
    assert isinstance(found[-1], Done)
    assert found[-1].dropped == {"duplicate_question": 1}


async def test_its_items_are_numbered_from_zero() -> None:
    found, _ = await collect(
        "quiz", FakeProvider(quiz("Who?")), Earlier(questions=("Why?", "How?"))
    )
    assert [delta.path for delta in found if isinstance(delta, Item)] == ["/title", "/questions/0"]


# --- what a continuation is given -------------------------------------------------------------


def part(*questions: str) -> EndedAnswer:
    asked = [{"question": question} for question in questions]
    return EndedAnswer(result={"title": "T", "questions": asked}, finish_reason="stop")


CUT = EndedAnswer(text="The sky ", finish_reason="length")
FAILED = EndedAnswer(text="is", error="provider_interrupted")
STOPPED = EndedAnswer(text=" blue")
EMPTY = EndedAnswer(error="provider_timeout")


@pytest.mark.parametrize(
    ("answers", "text"),
    [
        ([CUT], "The sky "),
        ([FAILED], "is"),
        ([STOPPED], " blue"),
        ([CUT, FAILED, STOPPED], "The sky is blue"),
        ([CUT, EMPTY], "The sky "),
    ],
)
def test_of_texts_it_is_given_all_of_them(answers: list[EndedAnswer], text: str) -> None:
    assert earlier_of(spec_of("markdown"), answers, {}) == Earlier(text=text)


def test_of_quizzes_it_is_given_all_questions() -> None:
    earlier = earlier_of(spec_of("quiz"), [part("A?"), part("B?")], QUIZ_OPTIONS)
    assert earlier == Earlier(questions=("A?", "B?"))


@pytest.mark.parametrize(
    ("output", "answers", "why"),
    [
        ("markdown", [EndedAnswer(text="All.", finish_reason="stop")], "finished"),
        ("markdown", [CUT, EndedAnswer(text="All.", finish_reason="stop")], "finished"),
        ("markdown", [EndedAnswer(text="No", error="refused")], "declined"),
        ("markdown", [EMPTY], "no text"),
        ("markdown", [EndedAnswer(text=" \n", finish_reason="length")], "no text"),
        ("markdown", [EndedAnswer(text="x" * 200_001)], "200,000"),
        ("markdown", [part("A?")], "finished"),
        ("quiz", [part("A?", "B?", "C?")], "all of its questions"),
        ("quiz", [part("A?"), part("B?", "C?")], "all of its questions"),
        ("quiz", [EMPTY], "quiz failed"),
        ("quiz", [part("A?"), STOPPED], "quiz failed"),
        ("quiz", [EndedAnswer(result={"name": 1}, finish_reason="stop")], "not a quiz"),
        ("diagram", [EndedAnswer(result={}, finish_reason="length")], "can't be continued"),
        ("json", [EndedAnswer(result={}, finish_reason="length")], "can't be continued"),
        ("no-such-output", [CUT], "can't be continued"),
    ],
)
def test_where_nothing_can_be_added_it_is_told_why(
    output: str, answers: list[EndedAnswer], why: str
) -> None:
    with pytest.raises(InvalidInput, match=why) as caught:
        earlier_of(spec_of(output), answers, QUIZ_OPTIONS)
    assert caught.value.field == "continues"


@pytest.mark.parametrize("earlier", [NOTHING, BEFORE, Earlier(questions=("A?", "B?"))])
def test_it_comes_back_from_json(earlier: Earlier) -> None:
    assert Earlier.from_json(earlier.to_json()) == earlier
