"""Frames that are pushed past their task: all of them once, whatever the server can do."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable
from contextlib import suppress
from types import SimpleNamespace

import pytest

from blocks.models import BlockType
from streaming.http.event_stream import event_stream
from streaming.loop.bell import Bell
from streaming.loop.push import push_of
from streaming.process import Process
from streaming.protocol.viewer import Viewer
from streaming.watching.hub import Feed
from streaming.websocket.outbox import Outbox
from tests.support.streaming.dictated import DictatedProvider
from tests.support.streaming.sse_reader import SseReader
from tests.support.streaming.tape import Tape
from tests.support.streaming.viewing import start

WORDS = [f"w{n} " for n in range(60)]


class Server:
    """What a server offers. It can push a share of the time, and then not for a while."""

    def __init__(self, seed: int, share: float) -> None:
        self.parts: list[str] = []
        self.pushed = self.sent = 0
        self._bell = Bell()
        self._random = random.Random(seed)
        self._share = share

    async def __call__(self, part: bytes | str) -> None:
        self.sent += 1
        for _ in range(self._random.randrange(3)):  # the client keeps it waiting
            await asyncio.sleep(0)
        self.parts.append(part if isinstance(part, str) else part.decode())
        self._bell.ring()

    def push(self, take: Callable[[], bytes | list[bytes] | None]) -> bool:
        if self._random.random() >= self._share or (taken := take()) is None:
            return False
        self.pushed += 1
        parts = [taken] if isinstance(taken, bytes) else taken
        self.parts += [part.decode() for part in parts]
        self._bell.ring()
        return True

    async def until(self, words: str) -> None:
        """Wait until a part has these words."""
        async with asyncio.timeout(20):
            while not any(words in part for part in self.parts):
                await self._bell.wait()


async def speak(model: DictatedProvider, seed: int) -> None:
    """Say all words, at an uneven pace, then finish."""
    pace = random.Random(seed)
    for word in WORDS:
        model.say(word)
        await asyncio.sleep(pace.choice([0, 0, 0, 0.001, 0.02]))
    model.finish()


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("seed", range(3))
async def test_a_body_has_all_frames_once(
    process: Process, block: BlockType, model: DictatedProvider, seed: int, share: float
) -> None:
    server, tape, reader = Server(seed, share), Tape(), SseReader()
    feed = (await start(process, block)).feed
    body = event_stream(process, feed, Viewer(feed.window, -1), server)  # type: ignore[arg-type]
    speaking = asyncio.ensure_future(speak(model, seed))
    async with asyncio.timeout(20):
        async for _ in body:
            pytest.fail("with a send, nothing is yielded")
    await speaking
    for message in reader.feed("".join(server.parts).encode()):
        tape.take(json.loads(message.data))  # checks the order
    assert tape.text == "".join(WORDS)
    assert tape.terminal is not None
    assert (server.pushed > 0) == (share > 0)
    if share == 1:
        assert server.sent <= 4  # `start`, perhaps what was there already, and the end


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("seed", range(3))
async def test_a_socket_has_all_frames_once(
    process: Process, block: BlockType, model: DictatedProvider, seed: int, share: float
) -> None:
    server, tape = Server(seed, share), Tape()
    outbox = open_outbox(process, server)
    sending = asyncio.ensure_future(outbox.run())
    feed = (await start(process, block)).feed
    viewer = Viewer(feed.window, -1)
    outbox.put(viewer.open().websocket)
    outbox.watching.begin(feed, viewer)
    await speak(model, seed)
    await server.until('"type":"complete"')
    outbox.shut(1000)
    await sending
    for part in server.parts:
        tape.take(json.loads(part))
    assert tape.text == "".join(WORDS)
    assert (server.pushed > 0) == (share > 0)


async def test_what_is_due_besides_frames_is_not_pushed(
    process: Process, block: BlockType, model: DictatedProvider
) -> None:
    """A heartbeat, a lost right and a restart are the task's to carry out."""
    server = Server(0, 1.0)
    feed = await begun(process, block, model)
    running = asyncio.ensure_future(drained(process, feed, server))
    await server.until("w0")
    (connection,) = process.connections
    connection.end_right()
    model.say("secret ")
    async with asyncio.timeout(20):
        await running
    assert "secret" not in "".join(server.parts)
    assert "reconnect" in server.parts[-1]
    model.finish()


async def test_a_middleware_that_wraps_send_hides_push() -> None:
    server = Server(0, 1.0)

    class Protocol:
        async def send(self, message: object) -> None: ...

        push = server.push

    send = Protocol().send

    async def wrapped(message: object) -> None:
        await send(message)

    assert push_of(send) is not None
    assert push_of(wrapped) is None
    assert push_of(SimpleNamespace(push=None)) is None


def open_outbox(process: Process, server: Server) -> Outbox:
    async def close(code: int) -> None: ...

    return Outbox(
        process.connections,
        right=None,
        send=server,
        close=close,
        on_over=lambda: None,
        push=server.push,
    )


async def begun(process: Process, block: BlockType, model: DictatedProvider) -> Feed:
    feed = (await start(process, block)).feed
    model.say(WORDS[0])
    return feed


async def drained(process: Process, feed: Feed, server: Server) -> None:
    with suppress(StopAsyncIteration):
        await anext(event_stream(process, feed, Viewer(feed.window, -1), server))  # type: ignore[arg-type]
