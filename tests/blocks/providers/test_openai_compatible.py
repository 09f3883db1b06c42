import asyncio
import json
import logging
import socket
import traceback
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from blocks import errors
from blocks.providers import chat_completions
from blocks.providers.base import ChatRequest, Finish, Message, Thinking, Token
from blocks.providers.chat_completions import TimeLimits
from blocks.providers.config import ProviderConfig
from blocks.providers.openai_compatible import OpenAICompatibleProvider, build
from tests.contracts.provider_contract import (
    REQUEST,
    ProviderContract,
    first_token,
    going_on,
    pieces_of,
    text_of,
)
from tests.support.blocks.frames import DONE, USAGE, WHOLE, finish, text
from tests.support.blocks.shapes import INPUT_TOKENS, REFUSALS, SHAPES
from tests.support.blocks.upstream import WORDS, Behaviour, Upstream

CANARY = "sk-canary-0123456789abcdef"
LIMITS = TimeLimits(connect=2, first_token=5, idle=5)
SCHEMA = {"type": "object", "properties": {"title": {"type": "string"}}}


class Bench:
    """A provider and its service; delays are recorded instead of awaited."""

    request = REQUEST

    def __init__(self, upstream: Upstream) -> None:
        self.upstream = upstream
        self.waits: list[float] = []
        self.made: list[OpenAICompatibleProvider] = []

    def provider(self, *, limits: TimeLimits = LIMITS, retries: int = 2, **more: object):
        async def sleep(seconds: float) -> None:
            self.waits.append(seconds)

        settings = {"base_url": self.upstream.base_url, "api_key": CANARY, **more}
        provider = OpenAICompatibleProvider(
            "test-model",
            limits=limits,
            retries=retries,
            sleep=sleep,
            jitter=lambda: 1.0,
            **settings,
        )
        self.made.append(provider)
        return provider

    # --- the stage of the contract ---

    async def answering(self):
        self.upstream.plan(Behaviour(continues=True))
        return self.provider(can_continue=True)

    async def silent(self):
        self.upstream.plan(Behaviour(fault="silent"))
        return self.provider(), REQUEST

    async def endless(self):
        self.upstream.plan(Behaviour(fault="stall"))
        return self.provider(), REQUEST

    async def failing(self):
        self.upstream.plan(Behaviour(status=401, body=b'{"error": "http://secret/ {key}"}'))
        return self.provider()

    async def asked(self):
        await self.upstream.until(lambda u: u.open_calls == 1)

    async def stopped(self):
        await self.upstream.until(lambda u: u.closed_early == 1 and u.open_calls == 0)


@pytest_asyncio.fixture
async def bench() -> AsyncIterator[Bench]:
    async with Upstream() as upstream:
        bench = Bench(upstream)
        yield bench
        for provider in bench.made:
            await provider.aclose()


class TestContract(ProviderContract):
    @pytest.fixture
    def stage(self, bench: Bench) -> Bench:
        return bench

    async def test_closing_while_a_200_has_no_token_yet_stops_the_model(self, bench: Bench):
        bench.upstream.plan(Behaviour(fault="drip"))
        task = asyncio.create_task(pieces_of(bench.provider(), REQUEST))
        await bench.asked()
        task.cancel()
        async with asyncio.timeout(1):
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
    assert pieces[0] == Thinking()
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
    assert text_of(pieces).startswith('{"title":"x"}')
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
    assert [p for p in pieces if not isinstance(p, Thinking)] == [Finish("length", INPUT_TOKENS, 0)]


async def test_a_body_without_a_word_is_no_end_of_a_text_that_has_begun(bench):
    bench.upstream.plan(Behaviour(fault="empty"))
    with pytest.raises(errors.ProviderInterrupted):
        await pieces_of(bench.provider(), going_on(REQUEST, BEGUN))


@pytest.mark.parametrize("can_continue", [True, False])
def test_whether_a_service_goes_on_is_for_the_settings_to_say(can_continue):
    assert build("m", ProviderConfig(can_continue=can_continue)).can_continue is can_continue


def test_a_service_is_not_thought_to_go_on():
    assert build("m", ProviderConfig()).can_continue is False


# --- faults ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("behaviour", "error", "calls"),
    [
        (Behaviour(status=429), errors.ProviderRateLimited, 3),
        (Behaviour(status=500), errors.ProviderUnavailable, 3),
        (Behaviour(status=503), errors.ProviderUnavailable, 3),
        (Behaviour(status=400), errors.ProviderRejected, 1),
        (Behaviour(status=401), errors.ProviderRejected, 1),
        (Behaviour(status=403), errors.ProviderRejected, 1),
        (Behaviour(status=404), errors.ProviderRejected, 1),
        (Behaviour(status=302), errors.ProviderRejected, 1),
        (Behaviour(fault="cut"), errors.ProviderInterrupted, 1),
        (Behaviour(fault="cut", after=0), errors.ProviderInterrupted, 3),
        (Behaviour(fault="cut", after=0, shape="vllm", frames=()), errors.ProviderInterrupted, 3),
        (Behaviour(fault="no_end"), errors.ProviderInterrupted, 1),
        (Behaviour(fault="error"), errors.ProviderInterrupted, 1),
        (Behaviour(fault="error", after=0), errors.ProviderUnavailable, 3),
        (Behaviour(fault="malformed"), errors.ProviderMalformed, 1),
        (Behaviour(fault="malformed", after=0), errors.ProviderMalformed, 1),
        (Behaviour(fault="giant_line"), errors.ProviderMalformed, 1),
        (Behaviour(fault="html"), errors.ProviderMalformed, 1),
        (Behaviour(fault="empty"), errors.EmptyAnswer, 1),
        (Behaviour(words=()), errors.EmptyAnswer, 1),
    ],
    ids=lambda value: (
        f"{value.status}-{value.fault}-{value.after}" if isinstance(value, Behaviour) else None
    ),
)
async def test_each_fault_becomes_its_error_and_is_tried_again_only_where_that_may_help(
    bench, behaviour, error, calls
):
    bench.upstream.plan(behaviour)
    with pytest.raises(errors.GenerationError) as caught:
        await pieces_of(bench.provider(), REQUEST)
    assert type(caught.value) is error
    assert len(bench.upstream.calls) == calls
    assert bench.waits == [0.5, 1.0][: calls - 1]


@pytest.mark.parametrize("behaviour", [Behaviour(status=429), Behaviour(fault="cut", after=0)])
async def test_a_trouble_that_passes_is_not_seen(bench, behaviour):
    bench.upstream.plan(behaviour, behaviour, Behaviour())
    assert text_of(await pieces_of(bench.provider(), REQUEST)) == "".join(WORDS)


async def test_text_is_never_asked_for_twice(bench):
    bench.upstream.plan(Behaviour(fault="cut", after=1), Behaviour())
    stream = bench.provider().stream(REQUEST)
    assert await first_token(stream) == Token(WORDS[0])
    with pytest.raises(errors.ProviderInterrupted):
        await anext(stream)
    assert len(bench.upstream.calls) == 1


async def test_the_wait_that_a_service_asks_for_is_kept(bench):
    bench.upstream.plan(Behaviour(status=429, headers=(("Retry-After", "7"),)), Behaviour())
    await pieces_of(bench.provider(), REQUEST)
    assert bench.waits == [7.25]


async def test_a_wait_that_is_too_long_is_told_at_once(bench):
    bench.upstream.plan(Behaviour(status=429, headers=(("Retry-After", "3600"),)), Behaviour())
    with pytest.raises(errors.ProviderRateLimited):
        await pieces_of(bench.provider(), REQUEST)
    assert bench.waits == []


async def test_a_service_that_is_not_there_is_unavailable(bench):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        provider = bench.provider(base_url=f"http://127.0.0.1:{unused.getsockname()[1]}/v1")
        with pytest.raises(errors.ProviderUnavailable):
            await pieces_of(provider, REQUEST)
    assert len(bench.waits) == 2


async def test_a_connection_that_is_not_taken_times_out():
    # A listener with a full queue neither accepts nor refuses further connections.
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for filler in (first, second):
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        provider = OpenAICompatibleProvider(
            "m",
            base_url=f"http://127.0.0.1:{full.getsockname()[1]}",
            limits=TimeLimits(connect=0.1, first_token=5, idle=5),
            retries=0,
        )
        with pytest.raises(errors.ProviderTimeout):
            await pieces_of(provider, REQUEST)
        await provider.aclose()


async def test_a_service_without_a_first_token_in_time_times_out(bench):
    bench.upstream.plan(Behaviour(fault="silent"))
    provider = bench.provider(limits=TimeLimits(connect=1, first_token=0.5, idle=5))
    with pytest.raises(errors.ProviderTimeout):
        await pieces_of(provider, REQUEST)
    await bench.stopped()
    assert len(bench.upstream.calls) == 1


async def test_a_service_that_falls_silent_times_out_after_the_idle_limit(bench):
    bench.upstream.plan(Behaviour(fault="stall"))
    stream = bench.provider(limits=TimeLimits(connect=1, first_token=5, idle=0.15)).stream(REQUEST)
    for word in WORDS[:3]:
        assert await anext(stream) == Token(word)
    with pytest.raises(errors.ProviderTimeout):
        await anext(stream)
    await bench.stopped()


@pytest.mark.parametrize(
    "sign", [b": OPENROUTER PROCESSING\n\n", b'data: {"choices":[{"delta":{"content":""}}]}\n\n']
)
async def test_a_service_that_says_it_is_at_work_is_waited_for(bench, sign):
    beats = (sign,) * 12
    frames = (*beats, text("a"), *beats, text("b"), finish("stop"), DONE)
    bench.upstream.plan(Behaviour(frames=frames, every_ms=100))
    provider = bench.provider(limits=TimeLimits(connect=1, first_token=1, idle=1))
    assert text_of(await pieces_of(provider, REQUEST)) == "ab"


async def test_words_after_a_finish_word_are_waited_for(bench, monkeypatch):
    monkeypatch.setattr(chat_completions, "TAIL_SECONDS", 0.05)
    stop = {"finish_reason": "stop"}
    frames = [text(word, **stop) for word in ("Light ", "is ", "scattered.")]
    bench.upstream.plan(Behaviour(frames=(*frames, DONE), every_ms=150))
    assert text_of(await pieces_of(bench.provider(), REQUEST)) == "Light is scattered."


async def test_a_finish_word_ends_an_answer_whose_line_stays_open(bench):
    frames = (text("a"), finish("length"), *[b": keep-alive\n\n"] * 1000)
    bench.upstream.plan(Behaviour(frames=frames, every_ms=20))
    provider = bench.provider(limits=TimeLimits(connect=1, first_token=5, idle=0.1))
    assert (await pieces_of(provider, REQUEST))[-1].reason == "length"
    await bench.stopped()


async def test_the_usage_after_a_finish_word_ends_an_answer_soon(bench, monkeypatch):
    monkeypatch.setattr(chat_completions, "TAIL_SECONDS", 0.05)
    bench.upstream.plan(Behaviour(frames=(text("a"), finish("stop"), USAGE), fault="hold"))
    provider = bench.provider(limits=TimeLimits(connect=1, first_token=60, idle=60))
    assert (await pieces_of(provider, REQUEST))[-1] == Finish("stop", 5, 6)


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/x-ndjson", "text/plain", "", "application/octet-stream"],
)
@pytest.mark.parametrize(
    "frames",
    [
        (text("The "), text("sky"), finish("stop"), DONE),
        tuple(frame[6:-1] for frame in (text("The "), text("sky"), finish("stop"))),
        (WHOLE,),
        (json.dumps(json.loads(WHOLE), indent=2).encode(),),
    ],
    ids=["events", "lines", "document", "printed document"],
)
async def test_a_body_is_read_by_what_it_is_whatever_its_label(bench, content_type, frames):
    bench.upstream.plan(Behaviour(frames=frames, content_type=content_type))
    assert text_of(await pieces_of(bench.provider(), REQUEST)) == "The sky"


async def test_a_reader_that_takes_its_time_is_no_silence_of_the_service(bench):
    bench.upstream.plan(Behaviour(every_ms=20))
    provider = bench.provider(limits=TimeLimits(connect=1, first_token=5, idle=0.2))
    seen = []
    async for piece in provider.stream(REQUEST):
        seen.append(piece)
        if len(seen) == 1:
            await asyncio.sleep(0.3)  # the point: longer than the limit
    assert isinstance(seen[-1], Finish)


@pytest.mark.parametrize("url", ["", "not an address", "ftp://example.org", "http://[::1"])
async def test_an_address_that_is_none_is_rejected_in_words(bench, url):
    with pytest.raises(errors.ProviderRejected, match="AI_BASE_URL"):
        await pieces_of(bench.provider(base_url=url), REQUEST)


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
