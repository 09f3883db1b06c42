"""However a generation ends, its stream has exactly one end, and the provider is released."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any, ClassVar

import pytest

from blocks.errors import MAX_REFUSAL_CHARACTERS, GenerationError
from blocks.models import BlockType
from blocks.providers.base import ChatRequest, Piece, Token
from liveai.log_formatter import LogFormatter
from liveai.log_lines import WITHHELD
from streaming.generating import generation as generations
from streaming.models import Stream
from streaming.process import Process
from streaming.protocol.codes import STREAM_ERRORS
from tests.conftest import MODEL, MakeBlock, Play, StartProcess, scripted
from tests.support.streaming.browser import Browser
from tests.support.streaming.dictated import DictatedProvider
from tests.support.streaming.tape import Tape
from tests.support.streaming.viewing import reached, read, start


async def end_of(process: Process, block: BlockType) -> Tape:
    """Start a stream and read it to its end; check that row and log have the same end."""
    started = await start(process, block)
    tape = await read(process, started.feed)
    row = await Stream.objects.aget(pk=started.feed.stream_id)
    assert row.terminal == tape.terminal
    assert row.text == tape.text
    assert row.ended_at is not None
    assert row.seq == tape.cursor
    status = await process.log.status(row.id)
    assert status.terminal is not None
    assert status.terminal.to_dict() == tape.terminal
    assert not status.is_held
    return tape


class Odd:
    """A provider that breaks the contract."""

    is_demo: ClassVar[bool] = False
    model = "x"

    def __init__(self, *, fault: BaseException | None = None) -> None:
        self.fault = fault
        self.may_close = asyncio.Event()
        self.may_close.set()
        self.is_closing = asyncio.Event()
        self.is_closed = asyncio.Event()

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Piece, None]:
        try:
            yield Token("The ")
            if self.fault is not None:
                raise self.fault
            await asyncio.get_running_loop().create_future()
        finally:
            self.is_closing.set()
            await self.may_close.wait()
            self.is_closed.set()

    async def warm(self) -> None: ...

    async def aclose(self) -> None: ...


def use(process: Process, provider: Any) -> None:
    process.providers.use(MODEL, provider)


@pytest.mark.parametrize(
    "code",
    [
        "provider_unavailable",
        "provider_timeout",
        "provider_rejected",
        "provider_rate_limited",
        "provider_malformed",
        "provider_interrupted",
        "empty_answer",
    ],
)
async def test_a_failing_provider_ends_the_stream_with_its_code_and_the_text_so_far(
    process: Process, block: BlockType, play: Play, code: str
) -> None:
    play("The sky ", {"fail": code})
    tape = await end_of(process, block)
    assert tape.types == ["start", "chunk", "error"]
    assert tape.text == "The sky "
    assert tape.terminal is not None
    assert tape.terminal["code"] == code
    assert tape.terminal["retryable"] is STREAM_ERRORS[code]
    assert tape.terminal["message"]


async def test_an_answer_without_the_block_s_form_is_invalid_output_after_one_more_try(
    process: Process, make_block: MakeBlock, play: Play
) -> None:
    provider = play("- no quiz\n- at all")
    tape = await end_of(process, await make_block(output="quiz"))
    assert tape.terminal is not None
    assert (tape.terminal["code"], tape.terminal["retryable"]) == ("invalid_output", True)
    assert provider.calls_started == 2


@pytest.mark.parametrize("streaming", [True, False])
async def test_a_refusal_in_prose_ends_the_stream_with_the_model_s_own_words(
    process: Process,
    make_block: MakeBlock,
    play: Play,
    caplog: pytest.LogCaptureFixture,
    streaming: bool,
) -> None:
    provider = play("I'm sorry, but I can't ", "help with that.")
    block = await make_block(output="quiz")
    started = await start(process, block, streaming=streaming)
    tape = await read(process, started.feed)
    assert tape.types == ["start", "error"]
    assert tape.terminal is not None
    assert (tape.terminal["code"], tape.terminal["retryable"]) == ("refused", False)
    assert tape.terminal["message"] == "I'm sorry, but I can't help with that."
    assert provider.calls_started == 1
    row = await Stream.objects.aget(pk=started.feed.stream_id)
    assert row.terminal == tape.terminal
    assert "help with that" not in caplog.text


async def test_a_long_refusal_is_stored_within_its_bound(
    process: Process, make_block: MakeBlock, play: Play
) -> None:
    play("I can't help with that. ", "Not at all. " * 500)
    tape = await end_of(process, await make_block(output="quiz"))
    assert tape.terminal is not None
    assert tape.terminal["code"] == "refused"
    assert len(tape.terminal["message"]) <= MAX_REFUSAL_CHARACTERS
    assert tape.terminal["message"].startswith("I can't help with that. Not at all.")


async def test_a_refusal_in_a_text_block_is_the_answer(
    process: Process, block: BlockType, play: Play
) -> None:
    play("I can't help with that.")
    tape = await end_of(process, block)
    assert tape.text == "I can't help with that."
    assert tape.types == ["start", "chunk", "complete"]


async def test_an_answer_whose_log_is_lost_in_this_process_ends_as_not_recorded(
    process: Process, block: BlockType, browser: Browser
) -> None:
    provider = DictatedProvider()
    use(process, provider)
    reader = await browser.start()
    provider.say("The ")
    await reader.text("The ")
    await process.log.forget(reader.stream_id)
    provider.say("sky")
    terminal = await reader.end()
    assert (terminal["code"], terminal["retryable"]) == ("store_unavailable", True)
    assert reader.tape.text == "The sky"
    assert (await browser.resource(reader.stream_id))["error"]["code"] == "store_unavailable"


async def test_a_fault_of_ours_is_internal_and_says_nothing_of_itself(
    process: Process,
    block: BlockType,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(caplog.handler, "formatter", LogFormatter())
    use(process, Odd(fault=ValueError("a secret of the house")))
    tape = await end_of(process, block)
    assert tape.terminal is not None
    assert tape.terminal["code"] == "internal"
    assert "secret" not in tape.terminal["message"]
    # The operator sees which stream, what and where. The text might quote the prompt.
    assert f" stream_id={tape.terminal['stream_id']} ERROR " in caplog.text
    assert f"ValueError: {WITHHELD}" in caplog.text and "in stream" in caplog.text
    assert "a secret of the house" not in caplog.text


async def test_a_provider_that_cancels_itself_is_a_fault_of_ours(
    process: Process, block: BlockType
) -> None:
    use(process, Odd(fault=asyncio.CancelledError()))
    tape = await end_of(process, block)
    assert tape.terminal is not None
    assert tape.terminal["code"] == "internal"


async def test_an_answer_that_takes_too_long_is_ended(
    start_process: StartProcess, make_block: MakeBlock
) -> None:
    process = await start_process(STREAM_DEADLINE_SECONDS=0.05)
    provider = scripted("The ", {"hang": True})
    use(process, provider)
    tape = await end_of(process, await make_block())
    assert tape.terminal is not None
    assert tape.terminal["code"] == "deadline_exceeded"
    assert provider.calls_open == 0


async def test_an_answer_of_too_many_events_is_ended_within_its_numbers(
    start_process: StartProcess, make_block: MakeBlock
) -> None:
    process = await start_process(STREAM_MAX_EVENTS=10)
    provider = scripted({"repeat": 50, "steps": ["x"]}, {"hang": True})
    use(process, provider)
    tape = await end_of(process, await make_block())
    assert tape.terminal is not None
    assert (tape.terminal["code"], tape.terminal["seq"]) == ("output_too_long", 9)
    assert tape.text == "x" * 9
    assert provider.calls_open == 0


async def test_a_provider_that_is_slow_to_close_does_not_hold_up_the_end(
    process: Process, block: BlockType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generations, "CLOSE_SECONDS", 0.01)
    provider = Odd()
    provider.may_close.clear()
    use(process, provider)
    started = await start(process, block)
    await reached(started.feed, 0)
    await process.manager.cancel(started.feed.stream_id, None, by="admin")
    assert started.feed.window.has_ended
    assert not provider.is_closed.is_set()
    provider.may_close.set()
    async with asyncio.timeout(10):
        await provider.is_closed.wait()


async def test_the_provider_is_closed_before_the_end_is_seen(
    process: Process, block: BlockType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generations, "CLOSE_SECONDS", 20.0)
    provider = Odd()
    provider.may_close.clear()
    use(process, provider)
    started = await start(process, block)
    await reached(started.feed, 0)
    cancelling = asyncio.ensure_future(
        process.manager.cancel(started.feed.stream_id, None, by="owner")
    )
    await provider.is_closing.wait()
    for _ in range(10):  # enough for a generation that does not wait for its provider
        await asyncio.sleep(0)
    (generation,) = process.generations.all()
    assert not generation.is_ending
    provider.may_close.set()
    await cancelling
    assert started.feed.window.has_ended
    assert provider.is_closed.is_set()


async def test_text_that_no_store_takes_is_repaired_whatever_the_provider_says(
    process: Process, block: BlockType, play: Play
) -> None:
    play("a\ud800", "\0b", "é\udfff\0", "✓")
    tape = await end_of(process, block)
    assert tape.terminal is not None
    assert tape.terminal["type"] == "complete"
    assert tape.text == "a?\ufffdbé?\ufffd✓"


async def test_usage_and_times_are_sent_and_saved(
    process: Process, block: BlockType, play: Play
) -> None:
    play("The sky", {"usage": {"input_tokens": 12, "output_tokens": 34}}, {"finish": "length"})
    tape = await end_of(process, block)
    end = tape.terminal
    assert end is not None
    assert end["finish_reason"] == "length"
    assert end["usage"] == {"input_tokens": 12, "output_tokens": 34}
    assert 0 <= end["ttft_ms"] <= end["duration_ms"]
    row = await Stream.objects.aget(pk=tape.events[0]["stream_id"])
    assert (row.input_tokens, row.output_tokens, row.ttft_ms) == (12, 34, end["ttft_ms"])
    assert row.started_at is not None
    assert row.created_at <= row.started_at <= row.ended_at


async def test_a_block_whose_model_is_unknown_ends_with_an_error_and_not_in_silence(
    process: Process, make_block: MakeBlock
) -> None:
    tape = await end_of(process, await make_block(model="scripted:nowhere"))
    assert tape.types == ["start", "error"]
    assert tape.terminal is not None
    assert tape.terminal["code"] == "provider_rejected"


async def test_a_stream_that_was_taken_over_is_written_no_further(
    process: Process, block: BlockType, play: Play
) -> None:
    provider = play("The ", {"hang": True})
    started = await start(process, block)
    await reached(started.feed, 0)
    stream_id = started.feed.stream_id
    await process.log.release(stream_id, 1)
    epoch = await process.log.acquire(stream_id)
    assert epoch == 2
    process.generations._running[stream_id].stop(generations.Stop("cancelled"))
    await provider.until(lambda p: p.calls_open == 0)
    async with asyncio.timeout(10):
        await process.generations.ended(10)
    assert process.manager.running == 0
    assert not started.feed.window.has_ended
    assert (await process.log.status(stream_id)).is_held


def test_every_error_that_a_block_can_raise_is_an_end_that_clients_know() -> None:
    def below(kind: type[GenerationError]) -> list[type[GenerationError]]:
        return [kind, *(deep for child in kind.__subclasses__() for deep in below(child))]

    for kind in below(GenerationError):
        assert STREAM_ERRORS[kind.code] is kind.retryable


async def test_what_an_upstream_says_it_used_can_be_stored_whatever_it_is(
    process: Process, block: BlockType, play: Play
) -> None:
    play("The sky", {"usage": {"input_tokens": -1, "output_tokens": 10**22}})
    tape = await end_of(process, block)
    assert tape.terminal is not None
    assert tape.terminal["usage"] == {"input_tokens": 0, "output_tokens": 2**31 - 1}


@pytest.mark.parametrize("how", ["cancelled", "deadline_exceeded", "shutting_down"])
async def test_with_streaming_off_a_stopped_answer_shows_what_there_is(
    start_process: StartProcess, make_block: MakeBlock, how: str
) -> None:
    deadline = 0.2 if how == "deadline_exceeded" else 60
    process = await start_process(STREAM_DEADLINE_SECONDS=deadline)
    provider = scripted("The ", "sky ", {"hang": True})
    use(process, provider)
    block = await make_block(on_generator_lost="fail")
    started = await start(process, block, streaming=False)
    reading = asyncio.ensure_future(read(process, started.feed))
    await provider.until(lambda p: p.calls_open == 1)
    if how == "cancelled":
        await asyncio.sleep(0)
        await process.manager.cancel(started.feed.stream_id, None, by="owner")
    elif how == "shutting_down":
        await process.manager.stop()
    tape = await reading
    assert tape.types == ["start", "chunk", how if how == "cancelled" else "error"]
    assert tape.text == "The sky "
    row = await Stream.objects.aget(pk=started.feed.stream_id)
    assert (row.text, row.terminal) == ("The sky ", tape.terminal)
