"""If a cancel races the end, the first one wins, and all viewers see the same end."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections import Counter
from typing import Any

import pytest

from blocks.models import BlockType
from streaming.access.visitor import Visitor
from streaming.errors import Refused
from streaming.models import Stream
from streaming.process import Process
from tests.conftest import MakeBlock, Play
from tests.support.sizes import sized
from tests.support.streaming.asking import new_request_id
from tests.support.streaming.dictated import DictatedProvider
from tests.support.streaming.redis_logs import eventually
from tests.support.streaming.viewing import VISITOR, ends_of, reached, read, start

RACES = sized(240, 1_000)
AT_ONCE = 20
TOKENS = 8
STEPS = 40
"""The most loop steps by which a token, a cancel or a viewer is delayed; no clock is involved."""


async def steps(number: int) -> None:
    """Let all other tasks on the loop take this many steps."""
    for _ in range(number):
        await asyncio.sleep(0)


async def _ended_row(stream_id: str) -> Stream:
    """Return the ended row, which viewers await for a second at most before they see the end."""
    rows = Stream.objects.filter(pk=stream_id, ended_at__isnull=False)
    await eventually(rows.aexists)
    return await rows.aget()


async def race(process: Process, block: BlockType, model: DictatedProvider, seed: int) -> str:
    """Run one stream with two early viewers, a later one and 1 to 3 cancels; return its end.

    At a random token, the model waits until the first cancel is on its way.
    """
    rng = random.Random(seed)
    request_id = str(uuid.UUID(int=rng.getrandbits(128), version=4))
    manager = process.manager
    process.providers.use(block.model, model)
    said_first = rng.randint(0, TOKENS)
    is_cancelling = asyncio.Event()

    async def speak(pauses: list[int]) -> None:
        for number, pause in enumerate(pauses):
            if number == said_first:
                await is_cancelling.wait()
            await steps(pause)
            model.say(f"{number} ")
        await is_cancelling.wait()
        model.finish()

    async def cancel(kind: str, wait: int) -> None:
        await reached(feed, said_first - 1)
        await steps(wait)
        is_cancelling.set()
        if kind == "request":
            ended = await manager.cancel_by_request_id(VISITOR, request_id)
            assert ended is not None
        elif kind == "admin":
            ended = await manager.cancel(feed.stream_id, None, by="admin")
        else:
            ended = await manager.cancel(feed.stream_id, VISITOR.owner, by="owner")
        assert ended.window.has_ended

    async def late_viewer(wait: int, stream_id: str) -> Any:
        await steps(wait)
        return await read(process, await manager.watch(stream_id, VISITOR.owner))

    started = await start(process, block, request_id=request_id)
    feed = started.feed
    cancels = [
        cancel(rng.choice(["request", "admin", "owner"]), rng.randrange(STEPS))
        for _ in range(rng.randint(1, 3))
    ]
    *tapes, _ = await asyncio.gather(
        read(process, feed),
        read(process, feed),
        late_viewer(rng.randrange(STEPS), feed.stream_id),
        asyncio.gather(speak([rng.randrange(STEPS) for _ in range(TOKENS)]), *cancels),
    )
    ends = ends_of(tapes)
    assert ends[0] is not None
    assert all(end == ends[0] for end in ends), (seed, ends)
    assert all(tape.text == tapes[0].text for tape in tapes), seed
    row = await _ended_row(feed.stream_id)
    assert row.terminal == ends[0], seed
    assert row.status == ends[0]["type"]
    assert row.text == tapes[0].text
    kind: str = ends[0]["type"]
    return kind


async def test_races_of_cancel_and_completion_have_one_end_each(
    process: Process, make_block: MakeBlock
) -> None:
    rng = random.Random(20261122)
    blocks = [await make_block(f"tale-{n}", model=f"scripted:{n}") for n in range(AT_ONCE)]
    kinds: Counter[str] = Counter()
    models = [DictatedProvider() for _ in range(RACES)]
    for first in range(0, RACES, AT_ONCE):
        races = [
            race(process, block, models[seed], seed) for seed, block in enumerate(blocks, first)
        ]
        kinds.update(await asyncio.gather(*races))
        await steps(rng.randrange(5))
    print(f"{RACES} races: {dict(kinds)}")
    assert set(kinds) == {"complete", "cancelled"}
    assert min(kinds.values()) > RACES / 50, "the races are not races"
    await process.generations.ended(20)
    assert not any(model.calls_open for model in models)


@pytest.mark.parametrize("order", ["the cancel first", "the start first", "both at once"])
async def test_a_cancel_by_request_id_and_its_start_agree_in_any_order(
    process: Process, block: BlockType, play: Play, order: str
) -> None:
    provider = play("The ", {"hang": True})
    for number in range(20):
        request_id = new_request_id()

        async def begin(request_id: str = request_id) -> Any:
            return await start(process, block, request_id=request_id)

        async def cancel(request_id: str = request_id) -> Any:
            return await process.manager.cancel_by_request_id(VISITOR, request_id)

        if order == "the cancel first":
            assert await cancel() is None
            started = await begin()
        elif order == "the start first":
            started = await begin()
            assert await cancel() is started.feed
        else:
            both = [begin(), cancel()] if number % 2 else [cancel(), begin()]
            results = await asyncio.gather(*both)
            started = results[0] if number % 2 else results[1]
        tape = await read(process, started.feed)
        assert tape.terminal is not None
        assert (tape.terminal["type"], tape.terminal["by"]) == ("cancelled", "owner")
    assert provider.calls_open == 0
    if order == "the cancel first":
        assert provider.calls_started == 0


async def test_somebody_elses_cancel_stops_nothing(
    process: Process, block: BlockType, play: Play
) -> None:
    play("The ", {"hang": True})
    request_id = new_request_id()
    started = await start(process, block, request_id=request_id)
    stranger = Visitor("anonymous:b", None, "b")
    with pytest.raises(Refused) as refused:
        await process.manager.cancel(started.feed.stream_id, stranger.owner, by="owner")
    assert refused.value.code == "not_found"
    assert await process.manager.cancel_by_request_id(stranger, request_id) is None
    assert not started.feed.window.has_ended
    assert process.manager.running == 1
