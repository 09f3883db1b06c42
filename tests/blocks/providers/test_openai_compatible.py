import asyncio
import json
import logging
import traceback

import pytest

from blocks import errors
from blocks.providers.base import Alive, ChatRequest, Finish, Message, Thinking, Token
from blocks.providers.config import ProviderConfig
from blocks.providers.openai_compatible import build
from tests.contracts.provider_contract import (
    CLOSE_SECONDS,
    REQUEST,
    ProviderContract,
    going_on,
    pieces_of,
    text_of,
)
from tests.support.blocks.provider_bench import CANARY, Bench
from tests.support.blocks.shapes import INPUT_TOKENS, REFUSALS, SHAPES
from tests.support.blocks.upstream import WORDS, Behaviour

SCHEMA = {"type": "object", "properties": {"title": {"type": "string"}}}


class TestContract(ProviderContract):
    @pytest.fixture
    def stage(self, bench: Bench) -> Bench:
        return bench

    async def test_closing_while_a_200_has_no_token_yet_stops_the_model(self, bench: Bench):
        bench.upstream.plan(Behaviour(fault="drip"))
        task = asyncio.create_task(pieces_of(bench.provider(), REQUEST))
        await bench.asked()
        task.cancel()
        async with asyncio.timeout(CLOSE_SECONDS):
            await bench.stopped()


# --- products -------------------------------------------------------------------


@pytest.mark.parametrize("shape", sorted(SHAPES))
@pytest.mark.parametrize("how", [{}, {"slice_bytes": 1}, {"crlf": True, "slice_bytes": 3}])
async def test_each_product_is_understood_however_its_bytes_are_cut(bench, shape, how):
    bench.upstream.plan(Behaviour(shape=shape, **how))
    pieces = await pieces_of(bench.provider(), REQUEST)
    assert text_of(pieces) == "".join(WORDS)
    assert pieces[-1] == Finish("stop", INPUT_TOKENS, len(WORDS))


@pytest.mark.parametrize("shape", ["vllm", "ollama", "llama_cpp"])
async def test_reasoning_and_progress_are_signs_of_life_before_the_text(bench, shape):
    bench.upstream.plan(Behaviour(shape=shape))
    pieces = await pieces_of(bench.provider(), REQUEST)
    assert isinstance(pieces[0], Thinking | Alive)
    assert pieces.index(Token(WORDS[0])) > 0


async def test_an_answer_cut_by_the_token_limit_says_so(bench):
    bench.upstream.plan(Behaviour(finish="length"))
    assert (await pieces_of(bench.provider(), REQUEST))[-1].reason == "length"


async def test_a_service_that_does_not_stream_is_understood(bench):
    bench.upstream.plan(Behaviour(fault="whole"))
    pieces = await pieces_of(bench.provider(), REQUEST)
    assert pieces == [Token("".join(WORDS)), Finish("stop", INPUT_TOKENS, len(WORDS))]


@pytest.mark.parametrize("member", sorted(REFUSALS))
async def test_a_refused_member_is_put_another_way_and_remembered(bench, member):
    bench.upstream.plan(Behaviour(refuses=frozenset({member})))
    provider = bench.provider(retries=0)
    request = ChatRequest(REQUEST.messages, 0.4, 9, schema=SCHEMA)
    for _ in range(2):
        assert text_of(await pieces_of(provider, request)) == "".join(WORDS)
    asked = [member in call.body for call in bench.upstream.calls]
    assert asked == [True, False, False]


async def test_a_service_that_refuses_everything_optional_still_answers(bench):
    words = ("```json\n", '{"title"', ':"x"}', "\n```")
    bench.upstream.plan(Behaviour(refuses=frozenset(REFUSALS), words=words))
    request = ChatRequest(REQUEST.messages, 0.4, 9, schema=SCHEMA)
    pieces = await pieces_of(bench.provider(retries=0), request)
    assert text_of(pieces) == "".join(words)
    assert json.dumps(SCHEMA) in bench.upstream.calls[-1].body["messages"][0]["content"]
    assert len(bench.upstream.calls) == 1 + len(REFUSALS)


async def test_a_dialect_that_did_not_help_is_not_remembered(bench):
    refusal = b'{"error": {"message": "temperature is out of range", "param": "temperature"}}'
    bench.upstream.plan(Behaviour(status=400, body=refusal))
    provider = bench.provider()
    with pytest.raises(errors.ProviderRejected):
        await pieces_of(provider, REQUEST)
    bench.upstream.plan(Behaviour())
    await pieces_of(provider, REQUEST)
    assert "temperature" in bench.upstream.calls[-1].body


# --- continuing a partial answer -------------------------------------------------

BEGUN = "The sky is bl"  # in mid-word
CONTINUE_FLAGS = {"continue_final_message": True, "add_generation_prompt": False}


async def test_it_goes_on_from_a_text_to_the_character(bench):
    bench.upstream.plan(Behaviour(continues=True))
    pieces = await pieces_of(bench.provider(can_continue=True), going_on(REQUEST, BEGUN))
    assert BEGUN + text_of(pieces) == "".join(WORDS)
    body = bench.upstream.calls[-1].body
    assert body["messages"][-1] == {"role": "assistant", "content": BEGUN}
    assert CONTINUE_FLAGS.items() <= body.items()


@pytest.mark.parametrize("flag", sorted(CONTINUE_FLAGS))
async def test_a_service_that_refuses_the_flags_is_asked_without_them_from_then_on(bench, flag):
    refusal = {"error": {"message": f"Unrecognized request argument supplied: {flag}"}}
    bench.upstream.plan(
        Behaviour(status=400, body=json.dumps(refusal).encode()), Behaviour(continues=True)
    )
    provider = bench.provider(can_continue=True, retries=0)
    for _ in range(2):
        assert BEGUN + text_of(await pieces_of(provider, going_on(REQUEST, BEGUN))) == (
            "".join(WORDS)
        )
    asked = [CONTINUE_FLAGS.keys() & call.body.keys() for call in bench.upstream.calls]
    assert asked == [CONTINUE_FLAGS.keys(), set(), set()]


async def test_with_nothing_left_to_say_the_end_comes_alone(bench):
    bench.upstream.plan(Behaviour(continues=True, finish="length"))
    pieces = await pieces_of(bench.provider(), going_on(REQUEST, "".join(WORDS)))
    assert [p for p in pieces if not isinstance(p, Thinking | Alive)] == [
        Finish("length", INPUT_TOKENS, 0)
    ]


async def test_a_body_without_a_word_is_no_end_of_a_text_that_has_begun(bench):
    bench.upstream.plan(Behaviour(fault="empty"))
    with pytest.raises(errors.ProviderInterrupted):
        await pieces_of(bench.provider(), going_on(REQUEST, BEGUN))


@pytest.mark.parametrize("can_continue", [True, False])
def test_whether_a_service_goes_on_is_for_the_settings_to_say(can_continue):
    assert build("m", ProviderConfig(can_continue=can_continue)).can_continue is can_continue


def test_a_service_is_not_thought_to_go_on():
    assert build("m", ProviderConfig()).can_continue is False


# --- the key --------------------------------------------------------------------


async def test_the_key_is_sent_and_none_is_sent_where_there_is_none(bench):
    await pieces_of(bench.provider(), REQUEST)
    await pieces_of(bench.provider(api_key=""), REQUEST)
    sent = [call.headers.get("authorization") for call in bench.upstream.calls]
    assert sent == [f"Bearer {CANARY}", None]


ECHOES = [
    Behaviour(status=status, body=body, headers=(("X-Echo", "{key}"),))
    for status in (400, 401, 429, 500)
    for body in (
        b"{key}",
        b'{"error": {"message": "bad {key}", "code": "{key}", "type": "{key}", "param": "{key}"}}',
    )
] + [
    Behaviour(headers=(("X-Echo", CANARY),)),
    Behaviour(frames=(b'data: {"error": {"message": "%s"}}\n\n' % CANARY.encode(),)),
    Behaviour(frames=(b"data: %s\n\n" % CANARY.encode(),)),
]


@pytest.mark.parametrize("behaviour", ECHOES)
async def test_the_key_is_in_no_log_line_error_or_repr_even_where_the_service_echoes_it(
    bench, caplog, behaviour
):
    for name in (None, "httpx", "httpcore"):
        caplog.set_level(logging.DEBUG, logger=name)
    bench.upstream.plan(behaviour)
    provider = bench.provider()
    told = ""
    try:
        await pieces_of(provider, REQUEST)
    except errors.GenerationError as error:
        told = "".join(traceback.format_exception(error)) + repr(vars(error)) + str(error)
    lines = caplog.text + "".join(f"{r.msg}{r.args}{r.exc_text}" for r in caplog.records)
    assert "send_request_headers" in lines  # the library's own lines were on
    assert CANARY not in lines + told + repr(provider) + repr(vars(provider))


@pytest.mark.parametrize("key", ["sk-caf\u00e9-canary", "sk\ncanary", "sk\0canary"])
async def test_a_key_that_can_not_be_sent_is_rejected_without_showing_it(bench, caplog, key):
    caplog.set_level(logging.DEBUG)
    with pytest.raises(errors.ProviderRejected, match="AI_API_KEY") as caught:
        await pieces_of(bench.provider(api_key=key), REQUEST)
    assert "canary" not in caplog.text + repr(caught.value)
    assert bench.upstream.calls == []


async def test_a_request_is_in_no_log_line(bench, caplog):
    caplog.set_level(logging.DEBUG)
    bench.upstream.plan(Behaviour(status=400, body=b'{"error": {"message": "prompt: canary"}}'))
    request = ChatRequest((Message("user", "a canary in the prompt"),), 0.4, 9)
    with pytest.raises(errors.ProviderRejected):
        await pieces_of(bench.provider(), request)
    assert "canary" not in caplog.text.replace(CANARY, "")
