"""What all loads of the comparison share: the plan of a run, and running a client."""

from __future__ import annotations

import asyncio
import gc
import random
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import uvloop

from ..load.client import Ask, Transport, connect
from ..load.prompts import prompt_of
from .servers import GOAL_SERVERS, KINDS, Started, started

Figures = dict[str, float]
Found = dict[str, list[Figures]]
"""The figures of each round, by server and transport: `liveai sse`."""

T = TypeVar("T")
WARM_STREAMS = 40
WARM = prompt_of(20, 10)


@dataclass(frozen=True)
class Plan:
    """A run of the comparison.

    Args:
        servers: names, in the order of the tables.
        core: the servers' core, or None if the machine has one only.
        peer_rounds: of the peers that no goal refers to; they run in the first ones.
        quick: measure for a shorter time.
    """

    servers: Sequence[str]
    rounds: int
    peer_rounds: int
    core: int | None
    quick: bool = False
    report: Callable[[str, Figures], None] = field(default=lambda name, figures: None)
    load: str = ""
    """The load that is measured; some servers carry few."""

    def seconds(self, usual: float) -> float:
        return min(usual, 1.5) if self.quick else usual

    @contextmanager
    def started(
        self, prompts: Sequence[str], *, streams: int, only: Sequence[str] = ()
    ) -> Iterator[dict[str, Started]]:
        """Start the servers of a load, and let each one answer a little before it is measured."""
        names = [
            name
            for name in self.servers
            if (not only or name in only)
            and (not KINDS[name].loads or self.load in KINDS[name].loads)
        ]
        with started(
            names, core=self.core, prompts=[*prompts, WARM], streams=max(streams, WARM_STREAMS)
        ) as found:
            for server in found.values():
                for transport in server.kind.transports:
                    on_loop(warm(server, transport))
            yield found

    def turns(
        self, found: dict[str, Started], number: int
    ) -> Iterator[tuple[str, Started, Transport]]:
        """Yield the cases of a round; every second round has the reverse order."""
        cases = [
            (f"{name} {transport}", server, transport)
            for transport in ("sse", "websocket")
            for name, server in found.items()
            if transport in KINDS[name].transports
        ]
        yield from cases if number % 2 == 0 else reversed(cases)

    def takes_part(self, name: str, number: int) -> bool:
        """Whether a server runs in the round with that number, from 0."""
        return number < (self.rounds if name in GOAL_SERVERS else self.peer_rounds)

    def each(
        self,
        found: dict[str, Started],
        measure: Callable[[Started, Transport], Figures],
        into: Found,
    ) -> None:
        """Measure each server on each of its transports once in each round, one after the other."""
        for number in range(self.rounds):
            for name, server, transport in self.turns(found, number):
                if not self.takes_part(server.kind.name, number):
                    continue
                figures = measure(server, transport)
                into.setdefault(name, []).append(figures)
                self.report(f"{name}, round {number + 1}", figures)


def on_loop(work: Coroutine[Any, Any, T]) -> T:
    """Run a client; its garbage collection would look like a server's pause."""
    gc.collect()
    gc.disable()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(work)
    finally:
        gc.enable()


def asking(server: Started, transport: Transport, prompt: str) -> Callable[[int], Awaitable[Ask]]:
    """Return the request of each connection of a load, as `client.run` wants it."""

    async def ask(server: Started, transport: Transport, prompt: str, _: int) -> Ask:
        return server.ask(transport, prompt)

    return partial(ask, server, transport, prompt)


async def warm(server: Started, transport: Transport) -> None:
    """Let a server answer: the first run of a process is slower than the others."""
    connections = []
    for _ in range(WARM_STREAMS):
        connections.append(await connect(server.ask(transport, WARM)))
        await asyncio.sleep(0.01 * random.random())
    await asyncio.wait([connection.ended for connection in connections], timeout=15)
    for connection in connections:
        connection.close()
