from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

import pytest

from blocks.delta import Delta, Done, Item, Reset, Text, Usage
from blocks.errors import (
    EmptyAnswer,
    GenerationError,
    InvalidOutput,
    ProviderInterrupted,
    ProviderRejected,
    ProviderTimeout,
)
from blocks.runtime.engine import run
from blocks.spec import BlockSpec
from tests.support.blocks.example_spec import spec_of
from tests.support.blocks.fake_provider import FakeProvider

HANG = FakeProvider.HANG


def quiz(*texts: str, title: str = "T") -> str:
    questions = [
        {"question": text, "correct": "a", "wrong": ["b", "c", "d"], "explanation": "e"}
        for text in texts
    ]
    return json.dumps({"title": title, "questions": questions})


NODES = json.dumps({"title": "T", "nodes": ["A", "B", "A"]})
EDGES = json.dumps({"edges": [{"from": 1, "to": 2}]})
QUIZ_OPTIONS = {"questions": 2, "difficulty": "easy"}


async def collect(
    spec: BlockSpec,
    providers: Any,
    *,
    streaming: bool = True,
    options: Any = None,
    so_far: str = "",
) -> tuple[list[Delta], GenerationError | None]:
    found: list[Delta] = []
    try:
        async for delta in run(
            spec,
            "Rivers",
            QUIZ_OPTIONS if options is None else options,
            providers=providers,
            seed="s",
            streaming=streaming,
            so_far=so_far,
        ):
            found.append(delta)
    except GenerationError as error:
        return found, error
    return found, None


def items(deltas: list[Delta]) -> dict[str, Any]:
    return {delta.path: delta.value for delta in deltas if isinstance(delta, Item)}


async def test_text_is_yielded_as_it_comes_then_its_usage_and_the_end() -> None:
    found, error = await collect(spec_of("markdown"), FakeProvider("Down they go"))
    assert error is None
    assert found == [
        Text("Down"),
        Text(" the"),
        Text("y go"),
        Usage(10, 5),
        Done("stop", None, {}),
    ]


async def test_text_gathered_is_one_text() -> None:
    found, error = await collect(
        spec_of("markdown"), FakeProvider("Down they go", finish="length"), streaming=False
    )
    assert error is None
    assert found == [Text("Down they go"), Usage(10, 5), Done("length", None, {})]


async def test_the_request_carries_what_the_block_says() -> None:
    provider = FakeProvider("x")
    await collect(
        spec_of("markdown", temperature=0.7, max_tokens=77, system_prompt="Hm."), provider
    )
    (request,) = provider.requests
    assert (request.temperature, request.max_tokens, request.schema) == (0.7, 77, None)
    assert [(m.role, m.content) for m in request.messages] == [
        ("system", "Hm."),
        ("user", "Rivers"),
    ]


async def test_a_structured_answer_streams_chunks_with_paths_and_items() -> None:
    found, error = await collect(spec_of("quiz"), FakeProvider(quiz("Why?", "How?")))
    assert error is None
    assert list(items(found)) == ["/title", "/questions/0", "/questions/1"]
    assert all(delta.path for delta in found if isinstance(delta, Text))
    done = found[-1]
    assert isinstance(done, Done)
    assert done.result is not None
    assert done.result["questions"] == [items(found)["/questions/0"], items(found)["/questions/1"]]


async def test_a_structured_answer_gathered_is_its_valid_items_alone() -> None:
    provider = FakeProvider(quiz("Why?", "why", "How?"))
    found, error = await collect(spec_of("quiz"), provider, streaming=False)
    assert error is None
    assert [type(delta) for delta in found] == [Item, Item, Item, Usage, Done]
    assert None not in items(found).values()
    assert isinstance(found[-1], Done)
    assert found[-1].dropped == {"duplicate_question": 1}


@pytest.mark.parametrize("streaming", [True, False])
async def test_a_diagram_is_one_run_over_two_calls(streaming: bool) -> None:
    provider = FakeProvider(NODES, EDGES)
    found, error = await collect(spec_of("diagram"), provider, streaming=streaming, options={})
    assert error is None
    assert [delta for delta in found if isinstance(delta, Usage)] == [Usage(10, 5)] * 2
    done = found[-1]
    assert isinstance(done, Done)
    assert done.dropped == {"duplicate_node": 1}
    assert done.result is not None
    assert done.result["source"].startswith("flowchart TD\n")
    assert [request.repeat_penalty for request in provider.requests] == [1.1, None]


async def test_usage_comes_right_after_its_call() -> None:
    found, _ = await collect(spec_of("diagram"), FakeProvider(NODES, EDGES), options={})
    first = found.index(Usage(10, 5))
    assert found[first + 1] == Item("/edges/0", {"from": "n1", "to": "n2"})


async def test_too_little_is_tried_once_more_after_a_reset() -> None:
    provider = FakeProvider("no JSON at all", quiz("Why?"))
    found, error = await collect(spec_of("quiz"), provider)
    assert error is None
    at = found.index(Reset("retry"))
    assert found[at - 1] == Usage(10, 5)
    assert list(items(found[at:])) == ["/title", "/questions/0"]
    assert isinstance(found[-1], Done)
    assert provider.requests[1].temperature > provider.requests[0].temperature


async def test_what_was_dropped_before_the_reset_is_not_counted() -> None:
    provider = FakeProvider(quiz("", ""), quiz("Why?", "How?"))
    found, error = await collect(spec_of("quiz"), provider)
    assert error is None
    assert Item("/questions/0", None) in found
    assert isinstance(found[-1], Done)
    assert found[-1].dropped == {}


async def test_gathered_nothing_of_the_first_attempt_is_left() -> None:
    provider = FakeProvider(quiz(title="Old"), quiz("Why?", "How?", title="New"))
    found, error = await collect(spec_of("quiz"), provider, streaming=False)
    assert error is None
    assert items(found)["/title"] == "New"
    assert [type(delta) for delta in found] == [Item, Item, Item, Usage, Usage, Done]


@pytest.mark.parametrize("streaming", [True, False])
async def test_too_little_twice_is_invalid_output_with_what_there_is(streaming: bool) -> None:
    provider = FakeProvider("nothing", quiz(), "never asked")
    found, error = await collect(spec_of("quiz"), provider, streaming=streaming)
    assert isinstance(error, InvalidOutput)
    assert items(found)["/title"] == "T"
    assert not [delta for delta in found if isinstance(delta, Done)]
    assert [delta for delta in found if isinstance(delta, Usage)] == [Usage(10, 5)] * 2
    assert len(provider.requests) == 2


async def test_blanks_are_an_empty_answer_and_text_is_never_tried_again() -> None:
    provider = FakeProvider(" \n ", "never asked")
    _, error = await collect(spec_of("markdown"), provider)
    assert isinstance(error, EmptyAnswer)
    assert len(provider.requests) == 1


async def test_cut_by_the_limit_the_open_part_is_void_and_the_rest_good() -> None:
    provider = FakeProvider(quiz("Why?", "How?")[:-30], finish="length")
    found, error = await collect(spec_of("quiz"), provider)
    assert error is None
    assert found[-3] == Item("/questions/1", None)
    done = found[-1]
    assert isinstance(done, Done)
    assert (done.finish_reason, done.dropped) == ("length", {"cut": 1})


async def test_a_part_over_16_kib_is_invalid_output_at_once() -> None:
    provider = FakeProvider(quiz("Why?")[:-2] + ', {"question": "' + "x" * 17_000, "never asked")
    found, error = await collect(spec_of("quiz"), provider)
    assert isinstance(error, InvalidOutput)
    assert items(found)["/questions/0"]
    assert not [delta for delta in found if isinstance(delta, Reset)]
    assert provider.open == 0
    assert len(provider.requests) == 1


@pytest.mark.parametrize("streaming", [True, False])
async def test_a_failure_in_mid_answer_comes_after_what_there_is(streaming: bool) -> None:
    provider = FakeProvider(["Down they ", ProviderTimeout()])
    found, error = await collect(spec_of("markdown"), provider, streaming=streaming)
    assert isinstance(error, ProviderTimeout)
    assert "".join(delta.token for delta in found if isinstance(delta, Text)) == "Down they "
    assert len(found) == (3 if streaming else 1)


@pytest.mark.parametrize("streaming", [True, False])
async def test_a_failure_in_the_second_call_keeps_the_items_and_usage_of_the_first(
    streaming: bool,
) -> None:
    provider = FakeProvider(NODES, ["{", ProviderTimeout()])
    found, error = await collect(spec_of("diagram"), provider, streaming=streaming, options={})
    assert isinstance(error, ProviderTimeout)
    assert items(found)["/nodes/1"] == {"id": "n2", "label": "B"}
    assert Usage(10, 5) in found


async def test_a_provider_that_just_stops_was_interrupted() -> None:
    provider = FakeProvider("Down", finish=None)  # type: ignore[arg-type]
    _, error = await collect(spec_of("markdown"), provider)
    assert isinstance(error, ProviderInterrupted)


@pytest.mark.parametrize("streaming", [True, False])
async def test_a_model_that_can_not_be_had_is_the_provider_s_error(streaming: bool) -> None:
    class NoPool:
        def get(self, model: str) -> Any:
            raise ProviderRejected

    _, error = await collect(spec_of("markdown"), NoPool(), streaming=streaming)
    assert isinstance(error, ProviderRejected)


@pytest.mark.parametrize("streaming", [True, False])
@pytest.mark.parametrize("output", ["markdown", "no-such-output"])
async def test_a_fault_of_ours_is_logged_and_becomes_internal(
    caplog: pytest.LogCaptureFixture, streaming: bool, output: str
) -> None:
    provider = FakeProvider(["Down", ZeroDivisionError("secret")])
    with caplog.at_level(logging.ERROR):
        _, error = await collect(spec_of(output), provider, streaming=streaming)
    assert error is not None
    assert (type(error), error.code) == (GenerationError, "internal")
    assert "secret" not in error.message
    assert caplog.records[0].exc_info


@pytest.mark.parametrize("streaming", [True, False])
async def test_cancelling_closes_the_provider_before_it_returns(streaming: bool) -> None:
    provider = FakeProvider(["Down", HANG])
    task = asyncio.create_task(
        collect(spec_of("markdown"), provider, streaming=streaming)  # keeps waiting
    )
    await provider.hanging.wait()
    assert provider.open == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert provider.open == 0


async def test_cancelling_before_the_first_token_closes_the_provider_too() -> None:
    provider = FakeProvider([HANG])
    task = asyncio.create_task(collect(spec_of("quiz"), provider))
    await provider.hanging.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert provider.open == 0


@pytest.mark.parametrize("output", ["markdown", "quiz"])
async def test_closing_the_run_closes_the_provider_before_it_returns(output: str) -> None:
    provider = FakeProvider(quiz("Why?", "How?"))
    deltas = run(
        spec_of(output), "Rivers", QUIZ_OPTIONS, providers=provider, seed="s", streaming=True
    )
    assert isinstance(await anext(deltas), Text)
    assert provider.open == 1
    await deltas.aclose()
    assert provider.open == 0
