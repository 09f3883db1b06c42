"""Streams that are started at one server and watched at another, of one visitor's."""

from __future__ import annotations

from collections.abc import Sequence

from tests.servers.visitor import Visitor

from . import client
from .client import Ask, Transport


class Spread:
    """Starts streams at each port in turn; a part of them is watched at the port after it.

    Args:
        ports: of servers that are one service.
        elsewhere: the part that is watched at another server than the one that generates; with
            one server there is no other.
    """

    def __init__(self, ports: Sequence[int], transport: Transport, *, elsewhere: float) -> None:
        self._visitors: list[Visitor] = []
        self._ports = ports
        self._transport = transport
        self._elsewhere = elsewhere

    async def ask(self, number: int) -> Ask:
        """Start the stream of a number; then what its viewer asks for."""
        if not self._visitors:
            await self._arrive()
        count = len(self._ports)
        turn, place = divmod(number, count)
        status, stream = await self._visitors[place].call(
            "POST", "/api/stream/ai-block/ask-question", {"prompt": "x"}
        )
        assert status == 201, stream
        # Spread evenly: of each server's streams as many as of all.
        is_elsewhere = int((turn + 1) * self._elsewhere) > int(turn * self._elsewhere)
        at = self._visitors[(place + is_elsewhere) % count]
        return client.ask_to_watch(self._transport, at.port, stream["stream_id"], at.headers)

    async def _arrive(self) -> None:
        first = await Visitor.arrive(self._ports[0])
        for port in self._ports:
            visitor = Visitor(port)
            visitor.cookies = dict(first.cookies)
            self._visitors.append(visitor)
