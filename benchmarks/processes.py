"""CPU per token of the service: one process in memory, one on Redis, two on Redis.

The load is 200 streams of 50 tokens a second from the scripted provider. That is the most that one
process runs before it refuses more (`STREAM_MAX_RUNNING`), so it makes a second process necessary.
Each side has the same load, so two processes share the load of one. A plain call starts each
stream, and each stream has one viewer. With two processes, half of the viewers watch on the process
that does not generate. All three sides keep their streams open at the same time. They send tokens
in turns of 0.8 s (`load/turns.py`), always in the same order. The figure is the user and system
time of a side's web processes in the last 0.5 s of its turns. It comes from the kernel's
per-process clock. It includes idle use, which is also reported separately, but excludes Redis and
the client. Each ratio compares two turns of one period. The goals apply to medians over the turns.

With less load a token costs more, and two processes cost more relative to one: try `--streams 100`.
Only the default load writes to `results/`.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import math
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import uvloop

from tests.support.faults.redis_server import running_redis

from .load.client import Transport
from .load.elsewhere import Spread
from .load.report import count_within, percentile, received_of
from .load.servers import Server, cpu_seconds_of, scripted_servers
from .load.turns import TURN_SECONDS, Sampled, Schedule, sample, script

RESULTS = Path(__file__).parent / "results" / "processes.json"
TRANSPORTS: tuple[Transport, ...] = ("sse", "websocket")
SIDES = {"memory": 1, "redis": 1, "two": 2}
"""The number of processes of each side. The first side uses the memory log, the others Redis."""

GOALS = {("redis", "memory"): 1.5, ("two", "redis"): 1.25}
"""The maximum CPU of the first side, as a multiple of the second side's."""

OPEN_AT_MOST_SECONDS = 0.1  # for a start and its viewer, on a busy machine
IDLE_SECONDS = 2.0
LIMIT_SECONDS = 60.0  # for late tokens; later ones count as lost

LEAST_OF_TURN = 0.5
"""A turn that delivers less than this share of its due tokens did not include all streams."""

SCHEDULE = Schedule(len(SIDES))


@dataclass(frozen=True)
class Side:
    """One side of the comparison."""

    servers: list[Server]
    redis_pid: int | None

    def cpu_seconds(self) -> float:
        return sum(server.cpu_seconds() for server in self.servers)

    def all_cpu_seconds(self) -> Mapping[str, float]:
        """Return the CPU seconds of the side's processes, its Redis, and the client."""
        return {
            "ours": self.cpu_seconds(),
            "redis": 0.0 if self.redis_pid is None else cpu_seconds_of(self.redis_pid),
            "client": time.process_time(),
        }


@dataclass(frozen=True)
class Figures:
    """The figures of one side on one transport.

    Added time is from a token's due time to its arrival, over all tokens. The other figures are per
    turn.
    """

    delivered: float  # share of all tokens delivered once and in order; 1.0: all
    least_of_turn: float  # lowest share of due tokens that arrived in a turn
    added_p50_ms: float
    added_p99_ms: float
    added_max_ms: float
    cpu_us_per_token: tuple[float, ...]  # for each turn
    tokens_per_second: float
    server_cpu: float  # share of a core
    client_cpu: float
    redis_us_per_token: float


Found = dict[tuple[str, Transport], Figures]


def _opening_seconds(given: argparse.Namespace) -> float:
    return float(given.streams * len(SIDES) * OPEN_AT_MOST_SECONDS)


def _tokens(given: argparse.Namespace) -> int:
    """Return the number of tokens of each stream."""
    return SCHEDULE.tokens(
        opening_seconds=_opening_seconds(given), turns=given.turns, rate=given.rate
    )


@contextmanager
def running_sides(given: argparse.Namespace) -> Iterator[dict[str, Side]]:
    """Run the three idle sides, on one core if the machine has more than one."""
    cores = sorted(os.sched_getaffinity(0))
    server_core = cores[-1] if len(cores) > 1 and not given.unpinned else None
    if server_core is not None:
        os.sched_setaffinity(0, {cores[0]})  # each Redis inherits this
    tokens = _tokens(given)
    sides = {}
    with ExitStack() as stack:
        for number, (name, count) in enumerate(SIDES.items()):
            url, pid = "", None
            if name != "memory":
                folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-redis-"))
                redis = stack.enter_context(running_redis(Path(folder)))
                url, pid = redis.url, redis.pid
            said = script(SCHEDULE, number, tokens=tokens, rate=given.rate)
            servers = stack.enter_context(
                scripted_servers(count, server_core, said, streams=given.streams, redis_url=url)
            )
            sides[name] = Side(servers, pid)
        yield sides


def measure(given: argparse.Namespace) -> tuple[Found, dict[str, float]]:
    """Return the figures, and the share of a core that each side uses while idle."""
    found: Found = {}
    tokens = _tokens(given)
    with running_sides(given) as sides:
        time.sleep(IDLE_SECONDS)  # startup work does not count as idle
        idle = _idle(sides)
        for transport in TRANSPORTS:
            sampled = _sample(sides, transport, given)
            for name, side in zip(sides, sampled, strict=True):
                found[name, transport] = figures = figures_of(
                    side, tokens=tokens, due_per_second=given.streams * given.rate
                )
                _print_figures(name, transport, figures)
    return found, idle


def _idle(sides: dict[str, Side]) -> dict[str, float]:
    before = {name: side.cpu_seconds() for name, side in sides.items()}
    time.sleep(IDLE_SECONDS)
    return {
        name: round((side.cpu_seconds() - before[name]) / IDLE_SECONDS, 4)
        for name, side in sides.items()
    }


def _sample(
    sides: dict[str, Side], transport: Transport, given: argparse.Namespace
) -> list[Sampled]:
    spreads = [
        Spread([server.port for server in side.servers], transport, elsewhere=given.elsewhere)
        for side in sides.values()
    ]
    work = sample(
        [spread.ask for spread in spreads],
        [side.all_cpu_seconds for side in sides.values()],
        streams=given.streams,
        turns=given.turns,
        limit_seconds=_opening_seconds(given) + LIMIT_SECONDS,
    )
    gc.collect()
    gc.disable()  # the client's GC pauses would look like the server's
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(work)
    finally:
        gc.enable()


def figures_of(side: Sampled, *, tokens: int, due_per_second: float) -> Figures:
    """Compute the figures of one side.

    Args:
        tokens: number of tokens of each stream.
        due_per_second: tokens of all streams per second, within a turn.
    """
    received = received_of(side.watched, tokens=tokens)
    counts = [count_within(turn.window, received.arrivals) for turn in side.turns]
    seconds = sum(turn.seconds for turn in side.turns)
    used = {name: sum(turn.cpu[name] for turn in side.turns) for name in side.turns[0].cpu}
    return Figures(
        delivered=received.delivered,
        least_of_turn=min(
            count / (due_per_second * turn.seconds)
            for turn, count in zip(side.turns, counts, strict=True)
        ),
        added_p50_ms=percentile(received.added_ms, 0.50),
        added_p99_ms=percentile(received.added_ms, 0.99),
        added_max_ms=percentile(received.added_ms, 1.0),
        cpu_us_per_token=tuple(
            turn.cpu["ours"] / count * 1e6 if count else math.inf
            for turn, count in zip(side.turns, counts, strict=True)
        ),
        tokens_per_second=sum(counts) / seconds,
        server_cpu=used["ours"] / seconds,
        client_cpu=used["client"] / seconds,
        redis_us_per_token=used["redis"] / sum(counts) * 1e6 if sum(counts) else math.inf,
    )


def summary(found: Found) -> dict[str, Any]:
    return {
        "cpu_ratio": {
            f"{mine} / {other} {transport}": _ratio(found[mine, transport], found[other, transport])
            for mine, other in GOALS
            for transport in TRANSPORTS
        },
        "sides": {
            f"{name} {transport}": {
                **{key: round(value, 4) for key, value in asdict(figures).items()
                   if key != "cpu_us_per_token"},
                "delivered": figures.delivered,
                "cpu_us_per_token": round(statistics.median(figures.cpu_us_per_token), 2),
            }
            for (name, transport), figures in found.items()
        },
    }  # fmt: skip


def _ratio(mine: Figures, other: Figures) -> dict[str, float]:
    """Compare each turn with the other side's; return the ratios' median and quartiles."""
    ratios = [
        my_us / other_us
        for my_us, other_us in zip(mine.cpu_us_per_token, other.cpu_us_per_token, strict=True)
    ]
    low, middle, high = statistics.quantiles(ratios, n=4, method="inclusive")
    return {"median": round(middle, 3), "from": round(low, 3), "to": round(high, 3)}


def shortfalls(figures: dict[str, Any]) -> list[str]:
    """Describe the figures that miss their goals."""
    short = [
        f"{name}: {side['delivered']:.4%} of the tokens were delivered"
        for name, side in figures["sides"].items()
        if side["delivered"] < 1
    ]
    short += [
        f"{name}: only {side['least_of_turn']:.0%} of the due tokens arrived in one turn"
        for name, side in figures["sides"].items()
        if side["least_of_turn"] < LEAST_OF_TURN
    ]
    for (mine, other), goal in GOALS.items():
        for transport in TRANSPORTS:
            name = f"{mine} / {other} {transport}"
            if not (ratio := figures["cpu_ratio"][name]["median"]) <= goal:
                short.append(f"{name}: {ratio:.2f}; the limit is {goal}")
    return short


def _print_figures(name: str, transport: str, f: Figures) -> None:
    print(
        f"  {name:7} {transport:10} {f.delivered:9.3%} {f.added_p50_ms:8.2f}"
        f" {f.added_p99_ms:8.2f} {statistics.median(f.cpu_us_per_token):8.1f}"
        f" {f.server_cpu:8.1%} {f.redis_us_per_token:8.1f} {f.client_cpu:8.1%}",
        flush=True,
    )


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bench processes", description=__doc__)
    parser.add_argument("--streams", type=int, default=200)
    parser.add_argument("--rate", type=float, default=50.0, help="tokens per second and stream")
    parser.add_argument("--turns", type=int, default=40, help="turns in which CPU is measured")
    parser.add_argument(
        "--elsewhere",
        type=float,
        default=0.5,
        help="share of viewers at the process that does not generate their stream",
    )
    parser.add_argument("--unpinned", action="store_true", help="leave the cores to the kernel")
    given = parser.parse_args(argv)
    if given.turns < 2:
        parser.error("--turns must be at least 2: the quartiles of the turns need two.")
    if not sys.platform.startswith("linux"):
        print("This benchmark reads another process's CPU clock and needs Linux.")
        return 2
    print(
        f"{given.streams} streams x {given.rate:g} tokens/s, {given.turns} turns of"
        f" {TURN_SECONDS:g} s per side; added time in ms, CPU in us per token:"
    )
    print(
        f"  {'servers':7} {'transport':10} {'delivered':>9} {'p50 ms':>8} {'p99 ms':>8}"
        f" {'CPU us':>8} {'of core':>8} {'Redis us':>8} {'client':>8}"
    )
    found, idle = measure(given)
    figures = summary(found)
    for name, ratio in figures["cpu_ratio"].items():
        print(
            f"  CPU per token, {name}: {ratio['median']:.2f}"
            f" (half of the turns: {ratio['from']:.2f} to {ratio['to']:.2f})"
        )
    for name, part in idle.items():
        print(f"  idle, {name}: {part:.2%} of a core, included in the figures above")
    report = {
        "streams": given.streams,
        "rate": given.rate,
        "turns": given.turns,
        "turn_seconds": TURN_SECONDS,
        "elsewhere": given.elsewhere,
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "goals": {f"{mine} / {other}": goal for (mine, other), goal in GOALS.items()},
        "idle_of_core": idle,
        **figures,
    }
    if not argv:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps(report, indent=1) + "\n")
    short = shortfalls(figures)
    for words in short:
        print(f"  GOAL MISSED: {words}")
    return 1 if short else 0
