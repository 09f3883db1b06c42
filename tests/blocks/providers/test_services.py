"""Every quirk of a service that the docs list, against a server that has it."""

from dataclasses import replace

import pytest

from blocks.errors import GenerationError
from blocks.providers.base import ChatRequest, Finish, Message, Thinking, Token
from tests.contracts.provider_contract import pieces_of
from tests.support.blocks.provider_bench import CANARY
from tests.support.blocks.services.case import Case
from tests.support.blocks.services.table import PATH, cases, rendered

TURNS = (
    Message("system", "Be brief."),
    Message("user", "What is 1 + 1?"),
    Message("assistant", "2"),
    Message("user", "Why is the sky blue?"),
)


async def ask(provider, request: ChatRequest) -> tuple[list, GenerationError | None]:
    """Return the pieces of an answer and the error that ended it."""
    pieces = []
    try:
        async for piece in provider.stream(request):
            pieces.append(piece)
    except GenerationError as error:
        return pieces, error
    return pieces, None


@pytest.mark.parametrize("case", cases(), ids=lambda case: f"{case.services}: {case.quirk}")
async def test_a_service_with_a_quirk_gives_what_the_docs_say(bench, case: Case):
    bench.upstream.plan(*case.plan)
    provider = bench.provider(reasoning_tokens=4000)
    request = ChatRequest(TURNS, 0.4, case.max_tokens, schema=case.schema)
    pieces, error = await ask(provider, request)
    text = "".join(piece.text for piece in pieces if isinstance(piece, Token))
    finishes = [piece for piece in pieces if isinstance(piece, Finish)]
    last = bench.upstream.calls[-1].body

    assert isinstance(error, case.error or type(None))
    assert [finish.reason for finish in finishes] == [case.reason] * (case.error is None)
    assert text == case.text
    assert any(isinstance(piece, Thinking) for piece in pieces) is case.thinks
    assert len(bench.upstream.calls) == case.calls
    assert case.asked.items() <= last.items()
    assert not set(case.not_asked) & set(last)
    assert "What is 1 + 1?" in str(last["messages"]) and "Be brief." in str(last["messages"])
    if case.usage is not None:
        assert (finishes[0].input_tokens, finishes[0].output_tokens) == case.usage
    if error is not None:
        assert case.message in ("", error.message)
        assert CANARY not in f"{error.message}{error.detail}"
    if case.is_remembered or case.is_forgotten:
        assert await pieces_of(provider, request)
        again = case.calls if case.is_forgotten else 1
        assert len(bench.upstream.calls) == case.calls + again


async def test_an_error_in_a_stream_adapts_the_request_as_an_error_by_status_does(bench):
    refusal = b'data: {"error": {"message": "temperature is not supported", "code": 400}}\n\n'
    (good,) = (case.plan[0] for case in cases() if case.quirk == "`[DONE]` without a finish reason")
    bench.upstream.plan(replace(good, frames=(refusal,)), good)
    await pieces_of(bench.provider(), ChatRequest(TURNS, 0.4, 24))
    assert ["temperature" in call.body for call in bench.upstream.calls] == [True, False]


def test_the_table_in_the_docs_is_the_one_that_these_tests_give():
    command = "python -m tests.support.blocks.services.table"
    assert PATH.read_text("utf-8") == rendered(), f"{command} writes it"


def test_every_quirk_is_listed_once():
    listed = [(case.services, case.quirk) for case in cases()]
    assert len(set(listed)) == len(listed)
