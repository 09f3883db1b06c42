"""Reasoning before the first word, and refusals in prose."""

from __future__ import annotations

import pytest

from blocks.delta import Done, Reset, Text, Thinking, Usage
from blocks.errors import InvalidOutput, Refused
from blocks.runtime.engine import run
from tests.blocks.runtime.test_engine import collect, items, quiz
from tests.support.blocks.example_spec import spec_of
from tests.support.blocks.fake_provider import FakeProvider

THINK = FakeProvider.THINK
REFUSAL = "I'm sorry, but I can't help with that."
LIST = "- no object\n- at all"


# --- thinking -----------------------------------------------------------------------


async def test_each_piece_of_reasoning_is_yielded_before_the_first_word_alone() -> None:
    provider = FakeProvider([THINK, THINK, "Down", THINK, " they go", THINK])
    found, error = await collect(spec_of("markdown"), provider)
    assert error is None
    assert [type(delta) for delta in found] == [Thinking, Thinking, Text, Text, Text, Usage, Done]


async def test_a_model_may_think_again_before_each_try() -> None:
    provider = FakeProvider([THINK, LIST], [THINK, quiz("Why?", "How?")])
    found, error = await collect(spec_of("quiz"), provider)
    assert error is None
    kinds = [type(delta) for delta in found]
    assert kinds.count(Thinking) == 2
    assert kinds.index(Reset) < len(kinds) - 1 - kinds[::-1].index(Thinking)


async def test_thinking_is_not_gathered_but_yielded_at_once() -> None:
    provider = FakeProvider([THINK, "Down they go", FakeProvider.HANG])
    deltas = run(spec_of("markdown"), "Rivers", {}, providers=provider, seed="s", streaming=False)
    assert await anext(deltas) == Thinking()
    await deltas.aclose()
    found, _ = await collect(spec_of("markdown"), FakeProvider([THINK, "Down"]), streaming=False)
    assert found == [Thinking(), Text("Down"), Usage(10, 5), Done("stop", None, {})]


# --- refusals -------------------------------------------------------------------------


@pytest.mark.parametrize("streaming", [True, False])
@pytest.mark.parametrize("output", ["quiz", "diagram", "json"])
async def test_a_refusal_in_prose_ends_the_run_at_once_in_its_own_words(
    output: str, streaming: bool
) -> None:
    provider = FakeProvider([THINK, REFUSAL])
    found, error = await collect(spec_of(output), provider, streaming=streaming)
    assert isinstance(error, Refused)
    assert error.message == REFUSAL
    assert REFUSAL not in str(error)  # the log's words
    assert found == [Thinking(), Usage(10, 5)]
    assert len(provider.requests) == 1


async def test_brief_prose_that_is_no_refusal_is_quoted_once_the_repair_brought_no_more() -> None:
    provider = FakeProvider("Which class is it for?", "Which level do you need?")
    found, error = await collect(spec_of("quiz"), provider)
    assert isinstance(error, InvalidOutput)
    assert error.message.endswith("It said: “Which level do you need?”")
    assert "level" not in str(error)  # the log's words
    assert len(provider.requests) == 2
    assert not [delta for delta in found if isinstance(delta, Text)]


@pytest.mark.parametrize("second", [LIST, "Rivers run down. " * 40, '{"title": "x"}', ""])
async def test_other_answers_without_the_form_stay_invalid_output(second: str) -> None:
    _, error = await collect(spec_of("quiz"), FakeProvider("Which class is it for?", second))
    assert isinstance(error, InvalidOutput)
    assert error.message == InvalidOutput(noun="a quiz").message


async def test_a_try_with_parts_is_repaired_whatever_is_said_before_them() -> None:
    half = "I cannot find five questions. " + quiz("Why?").replace('"a"', '""')
    provider = FakeProvider(half, quiz("Why?", "How?"))
    found, error = await collect(spec_of("quiz"), provider)
    assert error is None
    assert "/questions/1" in items(found)


async def test_an_idiom_before_an_object_is_no_refusal() -> None:
    provider = FakeProvider("I can't wait to show you this quiz: " + quiz("Why?", "How?"))
    _, error = await collect(spec_of("quiz"), provider)
    assert error is None


async def test_a_provider_s_refusal_passes_through_and_keeps_what_came_before() -> None:
    provider = FakeProvider(["Down they ", Refused("I must\0 stop\ud800 here.")])
    found, error = await collect(spec_of("markdown"), provider)
    assert isinstance(error, Refused)
    assert error.message == "I must\ufffd stop? here."
    assert "".join(delta.token for delta in found if isinstance(delta, Text)) == "Down they "


async def test_a_refusal_in_a_text_block_is_its_answer() -> None:
    found, error = await collect(spec_of("markdown"), FakeProvider(REFUSAL))
    assert error is None
    assert "".join(delta.token for delta in found if isinstance(delta, Text)) == REFUSAL
