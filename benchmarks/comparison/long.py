"""Long answers: CPU per token by the length of the answers, and how soon a resume catches up.

One server for each length; all run on one core at the same time. Each has the same number of
streams and the same pace. An answer that ends is followed by the next one. One more server carries
the longest answers too, and answers with single tokens beside them. What it uses more than the
server of the longest ones is the cost of its opens. That is subtracted from the other servers, and
so is an idle server. (A process with nothing else to do pays up to a third more for an open.)
"""

from __future__ import annotations

import asyncio
import re
import time
from contextlib import ExitStack
from dataclasses import dataclass
from http.cookies import SimpleCookie

from ..load.client import Connection, Watched, ask_to_watch, connect
from ..load.prompts import prompt_of
from ..load.report import percentile
from .plan import Figures, Found, Plan, on_loop
from .servers import OURS, Started

TITLE = "Answers of 100 to 50,000 tokens, 8 streams × 500 tokens/s of each length"
LENGTHS = (100, 1_000, 10_000, 50_000)
QUICK_LENGTHS = (100, 1_000, 5_000)
STREAMS = 8
EVERY_MS = 2
IDLE_SECONDS = 4.0
SPARE_SECONDS = 15.0

_SEQ = re.compile(rb'"seq":(\d+)')
_ID = re.compile(rb"\nid: ?([\w-]+):\d")


@dataclass
class Done:
    """What a server has answered: `carried` are the tokens of longer answers beside these."""

    opens: int = 0
    tokens: int = 0
    carried: int = 0


def run(plan: Plan) -> Found:
    found: Found = {}
    lengths = QUICK_LENGTHS if plan.quick else LENGTHS
    for number in range(plan.rounds):
        with ExitStack() as stack:
            servers = {
                length: stack.enter_context(
                    plan.started(
                        [prompt_of(each, EVERY_MS) for each in {length, lengths[-1]}],
                        streams=2 * STREAMS,
                        only=[OURS],
                    )
                )[OURS]
                for length in (1, *lengths)
            }
            for length, figures in on_loop(_load(servers)).items():
                found.setdefault(f"{length} tokens", []).append(figures)
                plan.report(f"{length:,} tokens, round {number + 1}", figures)
    return found


async def _load(servers: dict[int, Started]) -> dict[int, Figures]:
    longest = max(servers)
    seconds = longest * EVERY_MS / 1000
    began, before = time.monotonic(), _cpu(servers)
    await asyncio.sleep(IDLE_SECONDS)
    idle = {length: used / (time.monotonic() - began) for length, used in _since(before, servers)}
    began, before = time.monotonic(), _cpu(servers)
    done = {length: Done() for length in servers}
    async with asyncio.TaskGroup() as group:
        resumes = group.create_task(_follow_longest(servers[longest], longest, done[longest]))
        group.create_task(_carry(servers[1], longest, done[1]))
        for length, server in servers.items():
            if length != longest:
                for place in range(STREAMS):
                    group.create_task(_repeat(server, length, seconds, place, done[length]))
    elapsed = time.monotonic() - began
    cpu = {length: used - idle[length] * elapsed for length, used in _since(before, servers)}
    found = figures_of(cpu, done)
    found[longest] |= resumes.result()
    return found


def _cpu(servers: dict[int, Started]) -> dict[int, float]:
    return {length: server.server.cpu_seconds() for length, server in servers.items()}


def _since(before: dict[int, float], servers: dict[int, Started]) -> list[tuple[int, float]]:
    return [(length, used - before[length]) for length, used in _cpu(servers).items()]


def figures_of(cpu: dict[int, float], done: dict[int, Done]) -> dict[int, Figures]:
    """Return the figures of each length, with the cost of opens told by the answers of one token.

    Args:
        cpu: seconds that each length's server used for its answers.
    """
    longest = max(done)
    carried = cpu[longest] * done[1].carried / done[longest].tokens
    open_seconds = (cpu[1] - carried) / done[1].opens
    return {
        length: {
            "cpu_us_per_token": (cpu[length] - each.opens * open_seconds) / each.tokens * 1e6,
            "delivered": each.tokens / (each.opens * length),
        }
        for length, each in done.items()
        if length > 1
    }


async def _repeat(server: Started, length: int, seconds: float, place: int, done: Done) -> None:
    """Watch one answer after the other. Single tokens open as often as answers of 100 tokens."""
    pace = max(length, 100) * EVERY_MS / 1000
    begin = time.monotonic() + pace * place / STREAMS
    for number in range(max(1, round(seconds / pace) - 1)):
        await asyncio.sleep(begin + number * pace - time.monotonic())
        done.opens += 1
        connection = await _open(server, length)
        await _wait(connection.ended, pace + SPARE_SECONDS)
        done.tokens += _tokens(connection.watched)
        connection.close()


async def _carry(server: Started, length: int, done: Done) -> None:
    """Watch the longest answers beside single tokens, so that the process is as busy as others."""
    connections = await _open_all(server, length)
    for each in connections:
        await _wait(each.ended, length * EVERY_MS / 1000 + SPARE_SECONDS)
        done.carried += _tokens(each.watched)
        each.close()


async def _open_all(server: Started, length: int) -> list[Connection]:
    connections = []
    for _ in range(STREAMS):
        connections.append(await _open(server, length))
        await asyncio.sleep(0.05)
    return connections


async def _follow_longest(server: Started, length: int, done: Done) -> Figures:
    """Watch the longest answers, and resume each from its middle, before and after its end."""
    connections = await _open_all(server, length)
    done.opens += STREAMS
    seconds = length * EVERY_MS / 1000
    await asyncio.sleep(seconds * 0.8)
    running = sorted([await _catch_up_ms(server, each.watched) for each in connections])
    for each in connections:
        await _wait(each.ended, seconds + SPARE_SECONDS)
    ended = sorted([await _catch_up_ms(server, each.watched) for each in connections])
    done.tokens += sum(_tokens(each.watched) for each in connections)
    for each in connections:
        each.close()
    return {
        "resume_running_ms": percentile(running, 0.5),
        "resume_running_max_ms": running[-1],
        "resume_ended_ms": percentile(ended, 0.5),
        "resume_ended_max_ms": ended[-1],
    }


async def _open(server: Started, length: int) -> Connection:
    return await connect(server.ask("sse", prompt_of(length, EVERY_MS)))


async def _wait(future: asyncio.Future[None], seconds: float) -> None:
    await asyncio.wait([future], timeout=seconds)


def _tokens(watched: Watched) -> int:
    return sum(1 for _ in watched.arrivals())


def newest_of(watched: Watched) -> int:
    """Return the number of the last event that a viewer has received; -1 before the first."""
    seqs = _SEQ.findall(b"".join(watched.pieces[-3:]))
    return int(seqs[-1]) if seqs else -1


async def _catch_up_ms(server: Started, watched: Watched) -> float:
    """Resume from the middle; return the time to the newest event that its first viewer has."""
    head = b"".join(watched.pieces[:20])
    stream_id = _ID.findall(head)[0].decode()
    newest = newest_of(watched)
    headers = {"Cookie": cookies_of(head), "Last-Event-ID": f"{stream_id}:{newest // 2}"}
    resumed = await connect(ask_to_watch("sse", server.server.port, stream_id, headers))
    until = time.monotonic() + SPARE_SECONDS
    while time.monotonic() < until:
        await asyncio.sleep(0.05)
        if newest_of(resumed.watched) >= newest:
            break
    resumed.close()
    return arrival_ms(resumed.watched, newest)


def arrival_ms(watched: Watched, newest: int) -> float:
    """Return the time from the request to the piece that brought an event; infinite if none did."""
    for piece, arrived in zip(watched.pieces, watched.times, strict=True):
        if any(int(seq) >= newest for seq in _SEQ.findall(piece)):
            return (arrived - watched.asked) / 1e6
    return float("inf")


def cookies_of(head: bytes) -> str:
    """Return the header `Cookie` that answers the cookies of a response's head."""
    lines = head.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    jar: SimpleCookie = SimpleCookie()
    for line in lines:
        name, _, value = line.partition(":")
        if name.lower() == "set-cookie":
            jar.load(value.strip())
    return "; ".join(f"{name}={morsel.value}" for name, morsel in jar.items())
