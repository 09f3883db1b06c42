"""The source of all peers: paced tokens for one viewer, or for all viewers of a channel.

A prompt says what to send: `n250e20.` is 250 tokens, one every 20 ms. `p8000` before the dot is a
pause of 8,000 ms before the first token. `c3` makes the source a channel: all viewers of channel 3
get the tokens of one source, from their arrival on. A token is its due time in ns, on the
system's monotonic clock, and a space.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

STREAM_ID = "0123456789abcdefghijkl"  # the length of a real id
_PROMPT = re.compile(r"n(\d+)e(\d+(?:\.\d+)?)(?:p(\d+))?(?:c(\d+))?\.")

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

T = TypeVar("T")


class Event(NamedTuple):
    type: str  # "chunk" or "complete"
    seq: int
    token: str  # empty at the end

    def json(self) -> str:
        """Return the same JSON as the product's."""
        fields: dict[str, Any] = {"type": self.type, "stream_id": STREAM_ID, "seq": self.seq}
        if self.token:
            fields["token"] = self.token
        return _encode(fields)


@dataclass(frozen=True)
class Asked:
    tokens: int
    every_seconds: float
    pause_seconds: float
    channel: str  # empty: a source of its own

    @classmethod
    def in_prompt(cls, prompt: str) -> Asked:
        """Read a prompt.

        Raises:
            ValueError: it says nothing of tokens.
        """
        if not (found := _PROMPT.fullmatch(prompt)):
            raise ValueError(f"A prompt is like n250e20., not {prompt!r}.")
        tokens, every_ms, pause_ms, channel = found.groups()
        return cls(int(tokens), float(every_ms) / 1000, int(pause_ms or 0) / 1000, channel or "")


async def _paced(asked: Asked, encode: Callable[[Event], T]) -> AsyncIterator[T]:
    """Yield each token when it is due, then the end. A late reader gets missed tokens at once."""
    loop = asyncio.get_running_loop()
    due = loop.time() + asked.pause_seconds
    for seq in range(asked.tokens):
        due += asked.every_seconds
        if (wait := due - loop.time()) > 0:
            await asyncio.sleep(wait)
        yield encode(Event("chunk", seq, f"{round(due * 1e9)} "))
    yield encode(Event("complete", asked.tokens, ""))


class _Channel:
    """One source and a queue for each viewer."""

    def __init__(self, asked: Asked, encode: Callable[[Event], Any]) -> None:
        self.viewers: list[asyncio.Queue[Any]] = []
        self._task = asyncio.create_task(self._send(asked, encode))

    async def _send(self, asked: Asked, encode: Callable[[Event], Any]) -> None:
        async for encoded in _paced(asked, encode):  # encoded once for all viewers
            for viewer in self.viewers:
                viewer.put_nowait(encoded)
        for viewer in self.viewers:
            viewer.put_nowait(None)
        del _channels[asked.channel]


_channels: dict[str, _Channel] = {}


async def _joined(asked: Asked, encode: Callable[[Event], T]) -> AsyncIterator[T]:
    if asked.channel not in _channels:
        _channels[asked.channel] = _Channel(asked, encode)
    queue: asyncio.Queue[T | None] = asyncio.Queue()
    _channels[asked.channel].viewers.append(queue)
    while (encoded := await queue.get()) is not None:
        yield encoded


def events(prompt: str, encode: Callable[[Event], T]) -> AsyncIterator[T]:
    """Yield the encoded events that a prompt asks for.

    Args:
        encode: turns an event into what the framework sends.

    Raises:
        ValueError: the prompt says nothing of tokens.
    """
    asked = Asked.in_prompt(prompt)
    return _joined(asked, encode) if asked.channel else _paced(asked, encode)
