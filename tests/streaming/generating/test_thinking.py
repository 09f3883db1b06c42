"""Viewers are told that the model thinks: at most once a second, never late, never stored."""

from __future__ import annotations

import asyncio
import json
from itertools import pairwise

import pytest

from blocks.models import BlockType
from streaming.generating.thinking import ThinkingTime
from streaming.loop.bell import Bell
from streaming.models import Stream
from streaming.process import Process
from tests.conftest import MakeBlock, Play
from tests.support.streaming.browser import Browser
from tests.support.streaming.dictated import DictatedProvider
from tests.support.streaming.redis_logs import eventually
from tests.support.streaming.viewing import read, start


class Clock:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


class Told:
    """Stands for a writer; refuses while it is `busy`."""

    def __init__(self) -> None:
        self.since: list[int] = []
        self.is_busy = False

    def tell_thinking(self, since_ms: int) -> bool:
        if not self.is_busy:
            self.since.append(since_ms)
        return not self.is_busy


def test_it_is_told_at_most_once_a_second_and_counts_from_its_beginning() -> None:
    clock, told = Clock(), Told()
    thinking = ThinkingTime(clock)
    for _ in range(300):  # a piece every 10 ms
        thinking.tell(told)  # type: ignore[arg-type]
        clock.seconds += 0.01
    assert told.since[0] == 0
    assert len(told.since) == 3
    assert all(1_000 <= after - before < 1_020 for before, after in pairwise(told.since))


def test_it_begins_anew_after_a_piece_of_the_answer_but_not_sooner_than_a_second_later() -> None:
    clock, told = Clock(), Told()
    thinking = ThinkingTime(clock)
    thinking.tell(told)  # type: ignore[arg-type]
    clock.seconds += 0.5
    thinking.end()
    thinking.tell(told)  # type: ignore[arg-type]
    assert told.since == [0]
    clock.seconds += 0.5
    thinking.tell(told)  # type: ignore[arg-type]
    assert told.since == [0, 500]


def test_what_could_not_be_told_is_told_with_the_next_piece() -> None:
    clock, told = Clock(), Told()
    thinking = ThinkingTime(clock)
    told.is_busy = True
    thinking.tell(told)  # type: ignore[arg-type]
    told.is_busy = False
    clock.seconds += 0.05
    thinking.tell(told)  # type: ignore[arg-type]
    assert told.since == [50]


@pytest.mark.parametrize("streaming", [True, False])
async def test_a_viewer_sees_the_thinking_before_the_text_and_the_row_does_not_keep_it(
    process: Process, block: BlockType, model: DictatedProvider, streaming: bool
) -> None:
    started = await start(process, block, streaming=streaming)
    reading = asyncio.ensure_future(read(process, started.feed))
    await eventually(lambda: bool(model.requests and started.feed.bells))
    bell = Bell()
    with started.feed.watched(bell):
        model.think()
        model.think()
        await bell.wait()  # the other viewers are told in the same round
    model.say("The ", "sky")
    model.finish()
    tape = await reading
    chunks = 2 if streaming else 1
    assert tape.types == ["start", "thinking", *["chunk"] * chunks, "complete"]
    assert tape.events[1] == {
        "type": "thinking",
        "stream_id": started.feed.stream_id,
        "since_ms": 0,
    }
    row = await Stream.objects.aget(pk=started.feed.stream_id)
    assert "thinking" not in json.dumps(row.terminal)
    assert row.seq == chunks
    logged = await process.log.read(started.feed.stream_id)
    assert {event.type for event in logged} == {"chunk", "complete"}
    again = await read(process, await process.manager.watch(row.id, row.owner))
    assert "thinking" not in again.types


async def test_thinking_counts_neither_as_the_first_word_nor_as_an_event_to_resume_from(
    process: Process, block: BlockType, model: DictatedProvider, browser: Browser
) -> None:
    reader = await browser.start()
    model.think()
    await reader.until("thinking")
    assert reader.tape.cursor == -1
    document = (await browser.call("GET", f"/api/streams/{reader.stream_id}")).stream()
    assert (document["seq"], document["ttft_ms"]) == (-1, None)


async def test_each_piece_of_the_answer_ends_the_thinking(
    process: Process, make_block: MakeBlock, play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted: list[str] = []
    monkeypatch.setattr(ThinkingTime, "tell", lambda self, writer: noted.append("think"))
    monkeypatch.setattr(ThinkingTime, "end", lambda self: noted.append("end"))
    play({"think": True}, {"think": True}, "- no\n- quiz")
    tape = await read(process, (await start(process, await make_block(output="quiz"))).feed)
    assert tape.types.count("reset") == 1
    assert noted.count("end") == len(tape.types) - 2  # all but the start and the error
    assert noted[:2] == ["think", "think"]
    assert "think" in noted[noted.index("end") :]
