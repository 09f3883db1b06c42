"""The commands of the WebSocket as entry points, and the sockets that send them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from tests.support.servers.access.exchange import TIMEOUT_SECONDS, Answer
from tests.support.servers.access.names import Names, text
from tests.support.servers.access.rights import ASK, READ, START

UPGRADED = 101
"""The status of an answer of frames. Others are that of a refused handshake, or a close code."""

Frame = dict[str, Any]


def is_refused(answer: Answer) -> bool:
    """Whether a socket was not admitted, or refused a command."""
    if answer.status != UPGRADED:
        return answer.status in (403, 4401)
    frames = json.loads(answer.body)
    return bool(frames) and all(frame["type"] == "refused" for frame in frames)


def is_ignored(answer: Answer) -> bool:
    """Whether a socket refused a command that has no answer where nothing is known."""
    return is_refused(answer) or (answer.status == UPGRADED and json.loads(answer.body) == [])


def shows_nothing(answer: Answer) -> bool:
    """Whether a socket was not admitted, or greeted without any stream."""
    if answer.status != UPGRADED:
        return is_refused(answer)
    (hello,) = json.loads(answer.body)
    return hello["type"] == "hello" and hello["active"] == []


@dataclass(frozen=True)
class SocketEntry:
    """A way in over a socket.

    Args:
        needs: what it takes, one of rights.py's.
        build: makes a command; None: opening the socket is all.
        fails: whether an answer gives a stranger nothing.
        has_answer: whether the server answers the command, whatever it names.
    """

    name: str
    needs: str
    build: Callable[[Names, Random], Frame] | None
    fails: Callable[[Answer], bool] = is_refused
    has_answer: bool = True

    def succeeds(self, answer: Answer) -> bool:
        return answer.status == UPGRADED and not self.fails(answer)


SOCKET_ENTRIES = [
    SocketEntry("socket", READ, None, shows_nothing),
    SocketEntry(
        "socket: resume",
        READ,
        lambda n, r: {
            "type": "resume",
            "ref": "here",
            "stream_id": text(n.stream_id),
            "after": r.choice((-1, 0, 1, 10**9)),
        },
    ),
    SocketEntry(
        "socket: continue",
        ASK,
        lambda n, r: {
            "type": "start",
            "ref": "here",
            "block_type": "ask-question",
            "continues": text(n.stream_id),
        },
    ),
    SocketEntry(
        "socket: start",
        START,
        lambda n, r: {
            "type": "start",
            "ref": "here",
            "block_type": "ask-question",
            "prompt": "Why?",
        },
    ),
    SocketEntry(
        "socket: cancel", ASK, lambda n, r: {"type": "cancel", "stream_id": text(n.stream_id)}
    ),
    SocketEntry(
        "socket: cancel by request",
        ASK,
        lambda n, r: {"type": "cancel", "request_id": text(n.request_id)},
        is_ignored,
        has_answer=False,
    ),
    SocketEntry(
        "socket: leave",
        READ,
        lambda n, r: {"type": "leave", "stream_id": text(n.stream_id)},
        is_ignored,
        has_answer=False,
    ),
]
"""Every command that names a stream, and the greeting."""


def _answers(frame: Frame, command: Frame) -> bool:
    """Whether a frame has to do with a command, and not with an earlier one."""
    names = ("ref", "stream_id", "request_id")
    if frame["type"] == "refused" and not any(name in frame for name in names):
        return True  # what it names is too long to be repeated
    echoed = names[:1] if "ref" in command else names[1:]
    return any(name in command and frame.get(name) == command[name] for name in echoed)


class SocketLine:
    """A socket with the headers of its first opening, opened again whenever it was closed."""

    def __init__(self, port: int, headers: Mapping[str, str], random: Random) -> None:
        self._url = f"ws://127.0.0.1:{port}/ws/stream"
        self._headers = dict(headers)
        self._random = random
        self._open: ClientConnection | None = None

    async def ask(self, entry: SocketEntry, names: Names, *, must_answer: bool = False) -> Answer:
        """Open the socket if need be, and send a command.

        Args:
            must_answer: wait for an answer, even if the command has none where nothing is known.

        Raises:
            OSError, TimeoutError
        """
        if entry.build is None:
            await self.aclose()
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                greeting = await self._greeting()
                if entry.build is None:
                    return Answer(UPGRADED, (), json.dumps([greeting]).encode())
                waits = must_answer or entry.has_answer
                frames = await self._frames(entry.build(names, self._random), waits=waits)
                return Answer(UPGRADED, (), json.dumps(frames).encode())
        except InvalidStatus as refused:
            return Answer(refused.response.status_code, (), bytes(refused.response.body or b""))
        except ConnectionClosed as closed:
            self._open = None
            return Answer(closed.rcvd.code if closed.rcvd else 1006)

    async def _greeting(self) -> Frame | None:
        """Open a closed socket, and return its first frame."""
        if self._open is not None:
            return None
        headers, subprotocols = dict(self._headers), None
        if "Authorization" in headers and self._random.random() < 0.5:  # as a page sends a token
            token = headers.pop("Authorization").removeprefix("Bearer ")
            subprotocols = [Subprotocol("liveai"), Subprotocol(f"liveai.token.{token}")]
        query = self._random.choice(("", "?follow=user", "?follow=none"))
        self._open = await connect(
            self._url + query,
            additional_headers=headers,
            subprotocols=subprotocols,
            compression=None,
            proxy=None,
            user_agent_header=None,
            ping_interval=None,
        )
        greeting: Frame = json.loads(await self._open.recv())
        return greeting

    async def _frames(self, command: Frame, *, waits: bool) -> list[Frame]:
        """Send a command and a ping, and return what comes before both have their answers.

        A ping may overtake a command. So only a command without an answer relies on it.
        """
        assert self._open is not None
        if "ref" in command:
            command["ref"] = f"{self._random.getrandbits(32):08x}"
        await self._open.send(json.dumps(command))
        await self._open.send('{"type": "ping"}')
        frames: list[Frame] = []
        has_pong = False
        while not has_pong or (waits and not frames):
            frame = json.loads(await self._open.recv())
            has_pong = has_pong or frame["type"] == "pong"
            if _answers(frame, command):
                frames.append({name: frame[name] for name in frame if name != "ref"})
        return frames

    async def aclose(self) -> None:
        opened, self._open = self._open, None
        if opened is not None:
            opened.transport.abort()
            with suppress(ConnectionClosed):
                await opened.recv()
