"""A burst of new streams while others run: how long the new ones wait, and what is lost."""

from __future__ import annotations

import asyncio
import time

from ..load.client import Connection, Transport, connect
from ..load.prompts import prompt_of
from ..load.report import percentile, received_of
from .plan import Figures, Found, Plan, on_loop
from .servers import Started

TITLE = "A burst: 500 opens within 2 s, while 200 streams × 20 tokens/s run"
RUNNING = 200
OPENS = 500
BURST_SECONDS = 2.0
EVERY_MS = 50
RUNNING_TOKENS = 240  # 12 s: the running streams open within 3 s, and the burst's answers take 2 s
NEW_TOKENS = 20
LIMIT_SECONDS = 15.0
SETTLE_SECONDS = 1.0

_LONG = prompt_of(RUNNING_TOKENS, EVERY_MS)
_SHORT = prompt_of(NEW_TOKENS, EVERY_MS)


def run(plan: Plan) -> Found:
    found: Found = {}
    with plan.started([_LONG, _SHORT], streams=RUNNING + OPENS) as servers:
        plan.each(servers, _measure, found)
    return found


def _measure(server: Started, transport: Transport) -> Figures:
    return on_loop(_load(server, transport))


async def _load(server: Started, transport: Transport) -> Figures:
    connections: list[Connection] = []
    try:
        await _open(server, transport, _LONG, RUNNING, 3.0, connections)
        await asyncio.sleep(SETTLE_SECONDS)
        await _open(server, transport, _SHORT, OPENS, BURST_SECONDS, connections)
        await asyncio.wait([each.ended for each in connections], timeout=LIMIT_SECONDS)
    finally:
        for connection in connections:
            connection.close()
    running = [each.watched for each in connections[:RUNNING]]
    new = [each.watched for each in connections[RUNNING:]]
    waits = [(each, next(each.arrivals(), None)) for each in new]
    first_ms = sorted(
        (first[2] - each.asked) / 1e6 - EVERY_MS for each, first in waits if first is not None
    )
    return {
        "opened": len(first_ms) / OPENS,
        "first_token_p50_ms": percentile(first_ms, 0.50),
        "first_token_p99_ms": percentile(first_ms, 0.99),
        "delivered": received_of(running, tokens=RUNNING_TOKENS).delivered,
        "delivered_new": received_of(new, tokens=NEW_TOKENS).delivered,
    }


async def _open(
    server: Started,
    transport: Transport,
    prompt: str,
    count: int,
    seconds: float,
    into: list[Connection],
) -> None:
    began = time.monotonic()
    for number in range(count):
        into.append(await connect(server.ask(transport, prompt)))
        await asyncio.sleep(began + (number + 1) * seconds / count - time.monotonic())
