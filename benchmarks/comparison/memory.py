"""What idle streams cost to open and to hold, and the memory of an ended answer of 1,000 tokens."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from ..load.client import Connection, Transport, connect
from ..load.prompts import prompt_of
from .plan import Figures, Found, Plan, on_loop
from .servers import OURS, Started

IDLE_TITLE = "1,000 idle streams"
IDLE_STREAMS = 1_000
IDLE = prompt_of(1, 600_000)  # silent for ten minutes
OPEN_EVERY_SECONDS = 0.008
SETTLE_SECONDS = 2.0

ENDED_TITLE = "400 ended answers of 1,000 tokens"
ENDED_ANSWERS = 400
ENDED = prompt_of(1_000, 0)
ENDED_AT_ONCE = 4
"""Few run at a time, so that the memory of running answers hardly counts."""

_PAGE_KIB = os.sysconf("SC_PAGE_SIZE") / 1024


def resident_kib(pid: int) -> float:
    """Return the memory of a process, in KiB."""
    pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
    return int(pages) * _PAGE_KIB


def run_idle(plan: Plan) -> Found:
    """Use new servers in each round: a process keeps memory that it once needed."""
    found: Found = {}
    count = 200 if plan.quick else IDLE_STREAMS
    for number in range(plan.rounds):
        for transport in ("sse", "websocket"):
            with plan.started([IDLE], streams=count) as servers:
                for name, server in servers.items():
                    if transport in server.kind.transports and plan.takes_part(name, number):
                        figures = on_loop(_idle(count, server, transport))
                        found.setdefault(f"{name} {transport}", []).append(figures)
                        plan.report(f"{name} {transport}, round {number + 1}", figures)
    return found


async def _idle(count: int, server: Started, transport: Transport) -> Figures:
    connections: list[Connection] = []
    before, cpu = resident_kib(server.server.pid), server.server.cpu_seconds()
    try:
        for _ in range(count):
            connections.append(await connect(server.ask(transport, IDLE)))
            await asyncio.sleep(OPEN_EVERY_SECONDS)
        await asyncio.sleep(SETTLE_SECONDS)  # what a server puts off counts too
        cpu = server.server.cpu_seconds() - cpu
        return {
            "cpu_ms_per_open": cpu / count * 1000,
            "kib_per_stream": (resident_kib(server.server.pid) - before) / count,
            "opened": sum(1 for each in connections if is_open(each)) / count,
        }
    finally:
        for connection in connections:
            connection.close()


def is_open(connection: Connection) -> bool:
    """Whether the server has kept a stream open. Daphne sends no head before the first part."""
    head = b"".join(connection.watched.pieces[:1])[:20]
    return not connection.ended.done() and (not head or b" 200 " in head or b" 101 " in head)


def run_ended(plan: Plan) -> Found:
    found: Found = {}
    count = 100 if plan.quick else ENDED_ANSWERS
    for number in range(plan.rounds):
        with plan.started([ENDED], streams=count, only=[OURS]) as servers:
            figures = on_loop(_answer(count, servers[OURS], "sse"))
            found.setdefault(f"{OURS} sse", []).append(figures)
            plan.report(f"{OURS} sse, round {number + 1}", figures)
    return found


async def _answer(count: int, server: Started, transport: Transport) -> Figures:
    before = resident_kib(server.server.pid)
    for _ in range(count // ENDED_AT_ONCE):
        connections = [await connect(server.ask(transport, ENDED)) for _ in range(ENDED_AT_ONCE)]
        await asyncio.wait([each.ended for each in connections], timeout=15)
        for each in connections:
            each.close()
    await asyncio.sleep(SETTLE_SECONDS)
    return {"kib_per_answer": (resident_kib(server.server.pid) - before) / count}
