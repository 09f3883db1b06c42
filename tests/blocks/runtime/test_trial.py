from __future__ import annotations

import itertools
from typing import Any

import pytest

from blocks.errors import EmptyAnswer, GenerationError, ProviderRejected, ProviderUnavailable
from blocks.providers.registry import ProviderConfig, ProviderPool
from blocks.runtime.trial import ADVICE, MAX_TOKENS, Trial, try_model
from tests.support.blocks.fake_provider import FakeProvider


async def trial_of(*reply: object, seconds: float = 5.0) -> tuple[Trial, FakeProvider]:
    fake = FakeProvider(list(reply))
    ticks = itertools.count()
    found = await try_model("openai:x", fake, now=lambda: next(ticks) * 0.25, seconds=seconds)
    return found, fake


async def test_a_model_that_answers_works_and_its_times_are_said() -> None:
    found, fake = await trial_of("yes")
    assert found.code == ""
    assert found.words == "openai:x works: first token after 250 ms, done after 500 ms."
    assert (found.usage.input_tokens, found.usage.output_tokens) == (10, 5)
    (request,) = fake.requests
    assert request.max_tokens == MAX_TOKENS
    assert fake.open == 0


async def test_a_model_that_only_reasons_works() -> None:
    found, _ = await trial_of(FakeProvider.THINK, EmptyAnswer())
    assert (found.code, found.words.startswith("openai:x works")) == ("", True)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ProviderRejected(detail="The service says: no such model."), "no such model"),
        (ProviderUnavailable(), "can't be reached"),
        (EmptyAnswer(), "empty answer"),
        (ValueError("a secret"), "Something went wrong"),
    ],
)
async def test_a_failure_has_a_code_a_reason_and_advice(error: Exception, words: str) -> None:
    found, fake = await trial_of(error)
    expected = error.code if isinstance(error, GenerationError) else "internal"
    assert found.code == expected
    assert words in found.words
    assert "secret" not in found.words
    assert found.advice == ADVICE[expected]
    assert fake.open == 0


async def test_a_silent_model_is_given_up_and_stopped() -> None:
    found, fake = await trial_of(FakeProvider.HANG, seconds=0.01)
    assert found.code == "provider_timeout"
    assert fake.open == 0


async def test_a_model_that_there_is_not_is_no_exception() -> None:
    found: Any = await try_model("nothing:x", ProviderPool(ProviderConfig()), now=lambda: 0.0)
    assert found.code == "provider_rejected"
    assert "nothing:x" in found.words
