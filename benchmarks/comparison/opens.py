"""What the shortest answer costs: the server's CPU for one token to a new visitor."""

from __future__ import annotations

import asyncio
import time
from functools import partial

from ..load.client import Connection, Transport, connect
from ..load.prompts import prompt_of
from ..load.report import percentile, received_of
from .plan import Figures, Found, Plan, on_loop
from .servers import Started

TITLE = "Answers of one token, from open to end, 100 a second"
OPENS = 400
EVERY_SECONDS = 0.01
AFTER_SECONDS = 1.5  # what a server puts off counts too
PROMPT = prompt_of(1, 0)


def run(plan: Plan) -> Found:
    found: Found = {}
    with plan.started([PROMPT], streams=OPENS) as servers:
        plan.each(servers, partial(_measure, 100 if plan.quick else OPENS), found)
    return found


def _measure(opens: int, server: Started, transport: Transport) -> Figures:
    return on_loop(_open(opens, server, transport))


async def _open(opens: int, server: Started, transport: Transport) -> Figures:
    connections: list[Connection] = []
    cpu, began = server.server.cpu_seconds(), time.monotonic()
    for number in range(opens):
        connections.append(await connect(server.ask(transport, PROMPT)))
        await asyncio.sleep(began + (number + 1) * EVERY_SECONDS - time.monotonic())
    await asyncio.wait([connection.ended for connection in connections], timeout=15)
    await asyncio.sleep(AFTER_SECONDS)
    cpu = server.server.cpu_seconds() - cpu
    for connection in connections:
        connection.close()
    watched = [connection.watched for connection in connections]
    first_ms = sorted(
        (arrived - each.asked) / 1e6 for each in watched for _, _, arrived in each.arrivals()
    )
    return {
        "cpu_ms_per_answer": cpu / opens * 1000,
        "opened": received_of(watched, tokens=1).delivered,
        "first_token_p50_ms": percentile(first_ms, 0.50),
        "first_token_p99_ms": percentile(first_ms, 0.99),
    }
