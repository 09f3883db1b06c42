"""Loads of many streams at one pace: CPU per token, added time, delivery, and the loop's lag."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from ..load import client
from ..load.client import Transport
from ..load.lag import Lag
from ..load.prompts import prompt_of
from ..load.report import figures_of, percentile
from .plan import Figures, Found, Plan, asking, on_loop
from .servers import OURS, RAW, Started

SETTLE_SECONDS = 0.5
LIMIT_SECONDS = 8.0  # for late tokens of the last stream; later ones count as lost

TOGETHER = "together: "
"""Prefix of a name in the figures of the run in which our server and raw ASGI share the core."""


@dataclass(frozen=True)
class Steady:
    """A load of streams that open one by one and then all run for a while.

    Args:
        every_ms: time from token to token of a stream.
        is_light: whether two servers fit on one core, for a ratio that no change of the machine's
            speed affects.
    """

    title: str
    streams: int
    every_ms: int
    open_every_seconds: float  # not a multiple of `every_ms`, so tokens spread evenly
    window_seconds: float = 5.0
    only: tuple[str, ...] = ()
    """The servers that carry it; empty: all."""
    is_light: bool = False
    has_lag: bool = False
    """Whether the lag of the server's loop is measured; the meter costs 0.2 % of a core."""

    def tokens(self, plan: Plan) -> int:
        opening = self.streams * self.open_every_seconds + 2 * SETTLE_SECONDS
        return round((opening + plan.seconds(self.window_seconds)) * 1000 / self.every_ms)

    def run(self, plan: Plan) -> Found:
        found: Found = {}
        prompt = prompt_of(self.tokens(plan), self.every_ms)
        with plan.started([prompt], streams=self.streams, only=self.only) as servers:
            measure = partial(self._alone, plan, prompt)
            plan.each(servers, measure, found)
            if self.is_light and {OURS, RAW} <= set(servers):
                pair = [servers[OURS], servers[RAW]]
                for number in range(plan.rounds):
                    for transport in ("sse", "websocket"):
                        self._together(plan, prompt, pair, transport, found, number)
        return found

    def _alone(self, plan: Plan, prompt: str, server: Started, transport: Transport) -> Figures:
        meter = Lag(server.lag_socket) if self.has_lag and server.lag_socket else None
        run = on_loop(self._load(plan, prompt, server, transport, meter))
        figures = self._figures(plan, run)
        if meter:
            late = sorted(meter.late_ms)
            figures |= {"lag_p99_ms": percentile(late, 0.99), "lag_max_ms": percentile(late, 1.0)}
        return figures

    def _together(
        self,
        plan: Plan,
        prompt: str,
        pair: list[Started],
        transport: Any,
        found: Found,
        number: int,
    ) -> None:
        async def work() -> list[client.Run]:
            loads = [self._load(plan, prompt, server, transport) for server in pair]
            return await asyncio.gather(*loads)

        for server, run in zip(pair, on_loop(work()), strict=True):
            name = f"{TOGETHER}{server.kind.name} {transport}"
            figures = self._figures(plan, run)
            found.setdefault(name, []).append(figures)
            plan.report(f"{name}, round {number + 1}", figures)

    async def _load(
        self,
        plan: Plan,
        prompt: str,
        server: Started,
        transport: Transport,
        meter: Lag | None = None,
    ) -> client.Run:
        return await client.run(
            asking(server, transport, prompt),
            streams=self.streams,
            open_every_seconds=self.open_every_seconds,
            settle_seconds=SETTLE_SECONDS,
            window_seconds=plan.seconds(self.window_seconds),
            limit_seconds=self.open_every_seconds * self.streams + LIMIT_SECONDS,
            server_cpu=server.server.cpu_seconds,
            around=meter,
        )

    def _figures(self, plan: Plan, run: client.Run) -> Figures:
        figures = asdict(figures_of(run, tokens=self.tokens(plan)))
        opened = sum(1 for watched in run.watched if next(watched.arrivals(), None))
        return figures | {"opened": opened / self.streams}
