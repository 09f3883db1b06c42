"""What the client remembers, how often it asks, and what it never repeats."""

import asyncio
import json
from dataclasses import replace

import pytest

from blocks import errors
from blocks.providers.base import ChatRequest, Message, Thinking
from blocks.providers.chat import completions
from blocks.providers.chat.answer import OutOfTokens
from tests.contracts.provider_contract import REQUEST, pieces_of, text_of
from tests.support.blocks.frames import DONE, THOUGHT, USAGE, finish, text
from tests.support.blocks.shapes import REFUSALS
from tests.support.blocks.upstream import WORDS, Behaviour, Refusal

SCHEMA = {"type": "object"}
USED_UP = Behaviour(frames=(THOUGHT, finish("length"), USAGE, DONE))
LIMIT = "max_tokens"


async def test_the_changes_for_one_request_are_limited(bench, monkeypatch):
    monkeypatch.setattr(completions, "MAX_CHANGES", 2)
    bench.upstream.plan(Behaviour(refuses=frozenset(REFUSALS)))
    with pytest.raises(errors.ProviderRejected):
        await pieces_of(bench.provider(), ChatRequest(REQUEST.messages, 0.4, 9, schema=SCHEMA))
    assert len(bench.upstream.calls) == 3


async def test_a_limit_is_halved_until_it_is_no_answer_any_more(bench):
    refused = Refusal(lambda body: True, {"error": "max_tokens is too large"})
    bench.upstream.plan(Behaviour(refusals=(refused,)))
    with pytest.raises(errors.ProviderRejected):
        await pieces_of(bench.provider(), ChatRequest(REQUEST.messages, 0.4, 70))
    assert [call.body[LIMIT] for call in bench.upstream.calls] == [70, 35, 17]


async def test_thinking_that_was_seen_gets_room_from_then_on(bench):
    bench.upstream.plan(Behaviour(frames=(THOUGHT, text("a"), finish("stop"), DONE)))
    provider = bench.provider(reasoning_tokens=4000)
    for _ in range(3):
        await pieces_of(provider, REQUEST)
    assert [call.body[LIMIT] for call in bench.upstream.calls] == [24, 4024, 4024]


async def test_a_model_that_does_not_think_gets_no_room(bench):
    provider = bench.provider(reasoning_tokens=4000)
    for _ in range(2):
        await pieces_of(provider, REQUEST)
    assert [call.body[LIMIT] for call in bench.upstream.calls] == [24, 24]


async def test_tokens_that_did_not_suffice_are_raised_once_and_further_where_there_was_room(bench):
    bench.upstream.plan(USED_UP)
    provider = bench.provider(reasoning_tokens=4000)
    for _ in range(2):
        with pytest.raises(OutOfTokens):
            await pieces_of(provider, REQUEST)
    assert [call.body[LIMIT] for call in bench.upstream.calls] == [24, 4024, 4024, 16024]


async def test_without_room_to_give_nothing_is_asked_again(bench):
    bench.upstream.plan(USED_UP)
    with pytest.raises(OutOfTokens):
        await pieces_of(bench.provider(reasoning_tokens=0), REQUEST)
    assert len(bench.upstream.calls) == 1


async def test_an_answer_that_has_text_is_never_asked_for_again(bench):
    frames = (THOUGHT, text("a"), finish("length"), DONE)
    bench.upstream.plan(Behaviour(frames=frames))
    pieces = await pieces_of(bench.provider(reasoning_tokens=4000), REQUEST)
    assert text_of(pieces) == "a"
    assert pieces[-1].reason == "length"
    assert len(bench.upstream.calls) == 1


async def test_thinking_is_told_in_both_tries(bench):
    bench.upstream.plan(USED_UP, Behaviour(frames=(THOUGHT, text("a"), finish("stop"), DONE)))
    pieces = await pieces_of(bench.provider(reasoning_tokens=4000), REQUEST)
    assert [isinstance(piece, Thinking) for piece in pieces] == [True, True, False, False]


async def test_answers_side_by_side_each_find_their_way(bench):
    bench.upstream.plan(Behaviour(refuses=frozenset({"temperature", "stream_options"})))
    provider = bench.provider()
    answers = await asyncio.gather(*(pieces_of(provider, REQUEST) for _ in range(5)))
    assert all(text_of(pieces) == "".join(WORDS) for pieces in answers)
    before = len(bench.upstream.calls)
    await pieces_of(provider, REQUEST)
    assert len(bench.upstream.calls) == before + 1


async def test_an_answer_beside_another_does_not_forget_what_that_one_learned(bench):
    first = Behaviour(frames=(THOUGHT, text("a"), finish("stop"), DONE))
    bench.upstream.plan(first, Behaviour(refuses=frozenset({"temperature"})))
    provider = bench.provider()
    beside = provider.stream(REQUEST)
    assert isinstance(await anext(beside), Thinking)
    await pieces_of(provider, REQUEST)  # learns
    assert text_of([piece async for piece in beside]) == "a"
    await pieces_of(provider, REQUEST)
    has_temperature = ["temperature" in call.body for call in bench.upstream.calls]
    assert has_temperature == [True, True, False, False]


@pytest.mark.parametrize("header", [("Content-Encoding", "gzip"), ("Transfer-Encoding", "chunked")])
async def test_an_error_whose_body_can_not_be_read_is_what_its_status_says(bench, header):
    bench.upstream.plan(Behaviour(status=401, body=b'{"error": "no"}', headers=(header,)))
    with pytest.raises(errors.ProviderRejected):
        await pieces_of(bench.provider(), REQUEST)
    assert len(bench.upstream.calls) == 1


async def test_a_refusal_of_the_prompt_is_told_once_and_not_logged(bench, caplog):
    body = {"error": {"message": "filtered: my prompt", "code": "content_filter"}}
    bench.upstream.plan(Behaviour(status=400, body=json.dumps(body).encode()))
    with pytest.raises(errors.Refused) as caught:
        await pieces_of(bench.provider(), REQUEST)
    assert len(bench.upstream.calls) == 1
    assert "my prompt" not in f"{caught.value.message}{caught.value.detail}{caplog.text}"


@pytest.mark.parametrize(
    ("code", "param", "said"),
    [
        ("unsupported_value", "messages[0].role", "unsupported_value messages[0].role"),
        ("weird-{prompt}", "{prompt}", "- -"),
        ("{PROMPT}", "x" * 61, "- -"),
        ("all of: {prompt}", "ümlaut", "- -"),
        ("{part}", "line\nend", "- -"),
    ],
)
async def test_no_word_of_a_service_that_may_be_the_prompts_is_logged(bench, code, param, said):
    prompt = "private4711"
    request = replace(REQUEST, messages=(Message("user", f"Explain: {prompt}!"),))
    fill = {"prompt": prompt, "PROMPT": prompt.upper(), "part": prompt[:7]}
    error = {"message": "no", "code": code.format(**fill), "param": param.format(**fill)}
    bench.upstream.plan(Behaviour(status=422, body=json.dumps({"error": error}).encode()))
    with pytest.raises(errors.ProviderRejected) as caught:
        await pieces_of(bench.provider(), request)
    assert caught.value.detail.endswith(f" It says: {said}.")
