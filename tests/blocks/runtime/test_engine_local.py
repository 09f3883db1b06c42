"""What only a model on this machine gets: a form of its own, and an end to its loops."""

from __future__ import annotations

from typing import Any

import pytest

from blocks.continuation import Earlier
from blocks.delta import Delta, Done, Item, Text, Usage
from blocks.errors import InvalidOutput
from blocks.runtime.engine import run
from tests.support.blocks.example_spec import spec_of
from tests.support.blocks.fake_provider import FakeProvider

DEMO = "local:smollm2-135m"
SENTENCE = "The sea is salty because of the salt."
LOOP = f"{SENTENCE} " * 9


async def deltas_of(provider: FakeProvider, output: str, **changes: Any) -> list[Delta]:
    spec = spec_of(output, **changes)
    return [delta async for delta in run(spec, "Rivers", {}, providers=provider, seed="s")]


def text_of(deltas: list[Delta]) -> str:
    return "".join(delta.token for delta in deltas if isinstance(delta, Text))


@pytest.mark.parametrize("model", [DEMO, "local:mine.gguf"])
async def test_a_local_model_that_repeats_itself_is_stopped(model: str) -> None:
    provider = FakeProvider([LOOP, FakeProvider.HANG])
    deltas = await deltas_of(provider, "markdown", model=model)
    assert text_of(deltas) == " ".join([SENTENCE] * 3)
    assert deltas[-1] == Done("repetition")
    assert isinstance(deltas[-2], Usage) and deltas[-2].is_estimated
    assert provider.open == 0


async def test_another_model_may_say_what_it_likes() -> None:
    deltas = await deltas_of(FakeProvider(LOOP), "markdown", model="openai:small")
    assert text_of(deltas) == LOOP
    assert deltas[-1] == Done("stop")


async def test_a_loop_that_began_before_the_restart_ends_too() -> None:
    spec = spec_of("markdown", model=DEMO)
    provider = FakeProvider(LOOP)
    deltas = [
        delta
        async for delta in run(
            spec, "Rivers", {}, providers=provider, seed="s", so_far=f"{SENTENCE} {SENTENCE} "
        )
    ]
    assert text_of(deltas) == SENTENCE
    assert deltas[-1] == Done("repetition")


async def test_a_loop_that_began_in_the_continued_answer_ends_too() -> None:
    spec = spec_of("markdown", model="local:mine.gguf")
    earlier = Earlier(text=f"{SENTENCE} Why? {SENTENCE} Why? The sea")
    provider = FakeProvider([" is salty because of the salt. Why? ", LOOP, FakeProvider.HANG])
    deltas = [
        delta
        async for delta in run(spec, "Rivers", {}, providers=provider, seed="s", earlier=earlier)
    ]
    assert text_of(deltas) == " is salty because of the salt."
    assert deltas[-1] == Done("repetition")


async def test_the_demo_model_is_asked_in_its_own_form() -> None:
    provider = FakeProvider("1. Rain falls\n2. Rivers flow\n3. Sea fills\n4. Clouds form\n")
    deltas = await deltas_of(provider, "diagram", model=DEMO)
    (request,) = provider.requests
    assert request.schema is None
    assert request.grammar.startswith("root")
    assert request.sampling["dry_multiplier"] == 0.8
    assert (request.temperature, request.max_tokens) == (0.4, 200)
    assert Item("/edges/0", {"from": "n1", "to": "n2"}) in deltas


async def test_a_model_that_never_finds_the_form_is_asked_a_bounded_number_of_times() -> None:
    provider = FakeProvider(*["nothing"] * 20)
    with pytest.raises(InvalidOutput):
        await deltas_of(provider, "quiz", model=DEMO)
    assert len(provider.requests) == 12  # two attempts at three questions, and three more each
    assert max(request.temperature for request in provider.requests) <= 1.0
