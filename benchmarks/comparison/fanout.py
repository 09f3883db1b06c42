"""Loads of many viewers of few streams: CPU per delivery, and added time."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from functools import partial

from ..load import client
from ..load.client import Ask, Transport, ask_to_watch
from ..load.prompts import prompt_of
from ..load.report import figures_of
from .owner import Owner
from .plan import Figures, Found, Plan, on_loop
from .servers import HELD, OURS, Started

EVERY_MS = 50
OPEN_EVERY_SECONDS = 0.005
SETTLE_SECONDS = 0.5
LIMIT_SECONDS = 8.0

_channels = itertools.count()


@dataclass(frozen=True)
class FanOut:
    """A load of viewers who share streams of 20 tokens a second.

    All viewers are there before the first token.
    """

    title: str
    streams: int
    viewers: int
    """Of each stream."""
    window_seconds: float = 5.0
    only: tuple[str, ...] = ()

    def run(self, plan: Plan) -> Found:
        found: Found = {}
        tokens = round((plan.seconds(self.window_seconds) + 2 * SETTLE_SECONDS) * 1000 / EVERY_MS)
        everyone = self.streams * self.viewers
        pause_ms = round(1.5 * everyone * OPEN_EVERY_SECONDS * 1000) + 2_000
        prompt = partial(prompt_of, tokens, EVERY_MS, pause_ms=pause_ms)
        with plan.started([prompt()], streams=everyone, only=self.only) as servers:
            plan.each(servers, partial(self._measure, plan, tokens, prompt), found)
        return found

    def _measure(
        self,
        plan: Plan,
        tokens: int,
        prompt: Callable[..., str],
        server: Started,
        transport: Transport,
    ) -> Figures:
        async def work() -> client.Run:
            is_ours = server.kind.name in (OURS, HELD)
            start = self._started if is_ours else self._channels
            return await client.run(
                await start(server, transport, prompt),
                streams=self.streams * self.viewers,
                open_every_seconds=OPEN_EVERY_SECONDS,
                settle_seconds=SETTLE_SECONDS,
                window_seconds=plan.seconds(self.window_seconds),
                limit_seconds=LIMIT_SECONDS,
                server_cpu=server.server.cpu_seconds,
            )

        return asdict(figures_of(on_loop(work()), tokens=tokens))

    async def _started(
        self, server: Started, transport: Transport, prompt: Callable[..., str]
    ) -> Callable[[int], Awaitable[Ask]]:
        """Start our streams, and return the requests of their viewers."""
        port = server.server.port
        owner = await Owner.arrive(port)
        ids = [await owner.start(prompt()) for _ in range(self.streams)]

        async def ask(number: int) -> Ask:
            return ask_to_watch(transport, port, ids[number % self.streams], owner.headers)

        return ask

    async def _channels(
        self, server: Started, transport: Transport, prompt: Callable[..., str]
    ) -> Callable[[int], Awaitable[Ask]]:
        """Return the requests of a peer's viewers; the first one of a channel starts its source."""
        prompts = [prompt(channel=next(_channels)) for _ in range(self.streams)]

        async def ask(number: int) -> Ask:
            return server.ask(transport, prompts[number % self.streams])

        return ask
