"""Services that fail, fall silent, or end an answer in a way of their own."""

import asyncio
import json
import socket

import pytest

from blocks import errors
from blocks.providers.base import Finish, Token
from blocks.providers.chat import patience
from blocks.providers.chat.patience import TimeLimits
from blocks.providers.openai_compatible import OpenAICompatibleProvider
from tests.contracts.provider_contract import (
    REQUEST,
    first_token,
    pieces_of,
    text_of,
)
from tests.support.blocks.frames import DONE, USAGE, WHOLE, finish, text
from tests.support.blocks.upstream import WORDS, Behaviour


@pytest.mark.parametrize(
    ("behaviour", "error", "calls"),
    [
        (Behaviour(status=429), errors.ProviderRateLimited, 3),
        (Behaviour(status=500), errors.ProviderUnavailable, 3),
        (Behaviour(status=503), errors.ProviderUnavailable, 3),
        (Behaviour(status=400), errors.RequestRejected, 1),
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
    stream = bench.provider(limits=TimeLimits(connect=1, first_token=5, idle=0.5)).stream(REQUEST)
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
    monkeypatch.setattr(patience, "TAIL_SECONDS", 0.05)
    stop = {"finish_reason": "stop"}
    frames = [text(word, **stop) for word in ("Light ", "is ", "scattered.")]
    bench.upstream.plan(Behaviour(frames=(*frames, DONE), every_ms=150))
    assert text_of(await pieces_of(bench.provider(), REQUEST)) == "Light is scattered."


async def test_a_finish_word_ends_an_answer_whose_line_stays_open(bench):
    frames = (text("a"), finish("length"), *[b": keep-alive\n\n"] * 1000)
    bench.upstream.plan(Behaviour(frames=frames, every_ms=20))
    provider = bench.provider(limits=TimeLimits(connect=1, first_token=5, idle=0.5))
    assert (await pieces_of(provider, REQUEST))[-1].reason == "length"
    await bench.stopped()


async def test_the_usage_after_a_finish_word_ends_an_answer_soon(bench, monkeypatch):
    monkeypatch.setattr(patience, "TAIL_SECONDS", 0.05)
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
    provider = bench.provider(limits=TimeLimits(connect=1, first_token=5, idle=1.0))
    seen = []
    async for piece in provider.stream(REQUEST):
        seen.append(piece)
        if len(seen) == 1:
            await asyncio.sleep(1.3)  # the point: longer than the limit
    assert isinstance(seen[-1], Finish)


@pytest.mark.parametrize("url", ["", "not an address", "ftp://example.org", "http://[::1"])
async def test_an_address_that_is_none_is_rejected_in_words(bench, url):
    with pytest.raises(errors.ProviderRejected, match="AI_BASE_URL"):
        await pieces_of(bench.provider(base_url=url), REQUEST)
