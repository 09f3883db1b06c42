"""Each call of a provider is one span, with names and numbers and without content."""

from __future__ import annotations

from contextlib import aclosing
from typing import Any

import pytest
from opentelemetry.trace import SpanKind

from blocks.errors import GenerationError, InvalidOutput, ProviderRejected, ProviderTimeout
from blocks.runtime.engine import run
from tests.support import canaries
from tests.support.blocks.example_spec import spec_of
from tests.support.blocks.fake_provider import FakeProvider
from tests.support.recorded_spans import recorded_spans

SPEC = spec_of("markdown")


def answer(provider: Any) -> Any:
    return run(SPEC, canaries.PROMPT, {}, providers=provider, seed="s")


async def test_a_call_has_the_attributes_of_the_convention_and_no_content() -> None:
    with recorded_spans() as spans:
        assert [delta async for delta in answer(FakeProvider(canaries.ANSWER))]
    span = spans.only()
    assert (span.name, span.kind) == ("chat model", SpanKind.CLIENT)
    attributes = dict(span.attributes or {})
    assert attributes.pop("gen_ai.response.time_to_first_chunk") >= 0
    assert attributes == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "fake",
        "gen_ai.request.model": "model",
        "gen_ai.request.max_tokens": 800,
        "gen_ai.request.temperature": 0.4,
        "gen_ai.output.type": "text",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 10,
        "gen_ai.usage.output_tokens": 5,
    }
    assert span.status.is_ok
    assert canaries.canaries_in(span.to_json()) == []


@pytest.mark.parametrize(
    "error", [ProviderTimeout(), ProviderRejected(detail=canaries.PROMPT), ValueError("x")]
)
async def test_a_failed_call_has_its_code_and_no_text_of_its_exception(error: Exception) -> None:
    error.args = (canaries.PROMPT,)
    with recorded_spans() as spans, pytest.raises(GenerationError):
        [delta async for delta in answer(FakeProvider(["Down", error]))]
    span = spans.only()
    expected = getattr(error, "code", "ValueError")
    assert (span.attributes or {})["error.type"] == expected
    assert not span.status.is_ok and not span.events
    assert canaries.canaries_in(span.to_json()) == []


async def test_an_answer_that_is_stopped_ends_its_span_without_an_error() -> None:
    with recorded_spans() as spans:
        async with aclosing(answer(FakeProvider("Down they go"))) as deltas:
            await anext(deltas)
            assert spans.ended == []
        span = spans.only()
    assert span.status.is_ok and "error.type" not in (span.attributes or {})
    assert "gen_ai.response.finish_reasons" not in (span.attributes or {})


async def test_a_repair_is_a_second_call() -> None:
    options = {"questions": 2, "difficulty": "easy"}
    deltas = run(spec_of("quiz"), "Rivers", options, providers=FakeProvider("{}", "{}"), seed="s")
    with recorded_spans() as spans, pytest.raises(InvalidOutput):
        [delta async for delta in deltas]
    assert [span.name for span in spans.ended] == ["chat model"] * 2
