"""Streams of one visitor that start at one server and are watched at another."""

from __future__ import annotations

from collections.abc import Sequence

from tests.support.servers.visitor import Visitor

from . import client
from .client import Ask, Transport


class Spread:
    """Starts streams at each port in turn; some are watched at the next port.

    Args:
        ports: of servers that form one service.
        elsewhere: share of the streams that are watched at a server that does not generate them. It
            has no effect with only one server.
    """

    def __init__(self, ports: Sequence[int], transport: Transport, *, elsewhere: float) -> None:
        self._visitors: list[Visitor] = []
        self._ports = ports
        self._transport = transport
        self._elsewhere = elsewhere

    async def ask(self, number: int) -> Ask:
        """Start a stream and return the request of its viewer."""
        if not self._visitors:
            await self._arrive()
        count = len(self._ports)
        turn, place = divmod(number, count)
        status, stream = await self._visitors[place].call(
            "POST", "/api/stream/ai-block/ask-question", {"prompt": "x"}
        )
        assert status == 201, stream
        # Spread evenly: the share holds for each server's streams too.
        is_elsewhere = int((turn + 1) * self._elsewhere) > int(turn * self._elsewhere)
        at = self._visitors[(place + is_elsewhere) % count]
        return client.ask_to_watch(self._transport, at.port, stream["stream_id"], at.headers)

    async def _arrive(self) -> None:
        first = await Visitor.arrive(self._ports[0])
        for port in self._ports:
            visitor = Visitor(port)
            visitor.cookies = dict(first.cookies)
            self._visitors.append(visitor)
