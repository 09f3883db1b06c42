"""CPU per token of our processes: one on the memory log, one on Redis, two on Redis.

The scripted provider's load, the same in each case: two processes share what one carries. Each
stream is started by a plain call and has one viewer; with two processes half of the viewers watch
at the other one than that which generates. Counted is the user and system time of the web processes
over a window in which every stream runs, by the clock that the kernel keeps for each process; what
they use while idle is in it (and is told beside it), what Redis and the client use is not. The
cases take turns in each round, in another order each time. Since they run one after the other, on
a machine whose pace changes, each one's CPU time is told in microseconds, and compared in pieces of
a fixed work that ran beside it (`load/pace.py`). A ratio is of two cases of one round; medians over
the rounds are held to the goals.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import uvloop

from tests.faults.redis_server import running_redis

from .load import client
from .load.client import Transport
from .load.elsewhere import Spread
from .load.pace import Pace, running_pace, seconds_per_piece
from .load.report import Figures, figures_of, medians
from .load.servers import Server, cpu_seconds_of, scripted_servers

RESULTS = Path(__file__).parent / "results" / "processes.json"
TRANSPORTS: tuple[Transport, ...] = ("sse", "websocket")
CASES = {"memory": 1, "redis": 1, "two": 2}
"""How many processes each case has; the first is on the memory log, the others are on Redis."""

GOALS = {("redis", "memory"): 2.0, ("two", "redis"): 1.25}
"""The most that the first may use, as a multiple of the second."""

OPEN_EVERY_SECONDS = 0.0137  # no multiple of the time between tokens: those spread evenly
OPEN_AT_MOST_SECONDS = 0.1  # for a start, its viewer and that pause, on a machine that is busy
SETTLE_SECONDS = 0.5
IDLE_SECONDS = 2.0
LIMIT_SECONDS = 20.0  # for what is late; then it was not delivered


@dataclass(frozen=True)
class Side:
    """One of what is compared."""

    servers: list[Server]
    redis_pid: int | None

    def cpu_seconds(self) -> float:
        return sum(server.cpu_seconds() for server in self.servers)

    def redis_cpu_seconds(self) -> float:
        return 0.0 if self.redis_pid is None else cpu_seconds_of(self.redis_pid)


@dataclass(frozen=True)
class Case:
    figures: Figures
    redis_us_per_token: float  # over the whole case
    piece_us: float  # CPU time of the fixed work, in the window

    @property
    def pieces_per_token(self) -> float:
        return self.figures.cpu_us_per_token / self.piece_us


Rounds = dict[tuple[str, Transport], list[Case]]


@contextmanager
def running_sides(given: argparse.Namespace, tokens: int) -> Iterator[tuple[dict[str, Side], Pace]]:
    """The three, all of them idle, on one core if there is another, and that core's pace."""
    cores = sorted(os.sched_getaffinity(0))
    server_core = cores[-1] if len(cores) > 1 and not given.unpinned else None
    if server_core is not None:
        os.sched_setaffinity(0, {cores[0]})  # each Redis inherits this
    script = {"steps": [{"clock": tokens, "every_ms": 1000 / given.rate}]}
    sides = {}
    with ExitStack() as stack:
        for name, count in CASES.items():
            url, pid = "", None
            if name != "memory":
                folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-redis-"))
                redis = stack.enter_context(running_redis(Path(folder)))
                url, pid = redis.url, redis.pid
            servers = stack.enter_context(
                scripted_servers(count, server_core, script, streams=given.streams, redis_url=url)
            )
            sides[name] = Side(servers, pid)
        yield sides, stack.enter_context(running_pace(server_core))


def measure(given: argparse.Namespace) -> tuple[Rounds, dict[str, float]]:
    """The figures of each round, and each side's part of a core while idle."""
    opening = given.streams * OPEN_AT_MOST_SECONDS + 2 * SETTLE_SECONDS
    tokens = round((opening + given.seconds) * given.rate)
    rounds: Rounds = {}
    with running_sides(given, tokens) as (sides, pace):
        time.sleep(IDLE_SECONDS)  # what starts up is no idling
        idle = _idle(sides)
        names = list(CASES)
        for number in range(given.rounds):
            for transport in TRANSPORTS:
                turn = number % len(names)
                for name in names[turn:] + names[:turn]:
                    case = _case(sides[name], pace, transport, given, tokens)
                    rounds.setdefault((name, transport), []).append(case)
                    _print_case(f"round {number + 1}", name, transport, _flat(case))
    return rounds, idle


def _idle(sides: dict[str, Side]) -> dict[str, float]:
    before = {name: side.cpu_seconds() for name, side in sides.items()}
    time.sleep(IDLE_SECONDS)
    return {
        name: round((side.cpu_seconds() - before[name]) / IDLE_SECONDS, 4)
        for name, side in sides.items()
    }


def _case(
    side: Side, pace: Pace, transport: Transport, given: argparse.Namespace, tokens: int
) -> Case:
    ports = [server.port for server in side.servers]
    spread = Spread(ports, transport, elsewhere=given.elsewhere)
    marks = []  # of the pace, at the window's begin and end

    def server_cpu() -> float:
        marks.append(pace.mark())
        return side.cpu_seconds()

    async def work() -> client.Run:
        return await client.run(
            spread.ask,
            streams=given.streams,
            open_every_seconds=OPEN_EVERY_SECONDS,
            settle_seconds=SETTLE_SECONDS,
            window_seconds=given.seconds,
            limit_seconds=LIMIT_SECONDS + given.streams * OPEN_AT_MOST_SECONDS,
            server_cpu=server_cpu,
        )

    redis_cpu = side.redis_cpu_seconds()
    gc.collect()
    gc.disable()  # the client's pauses would look like the server's
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            run = runner.run(work())
    finally:
        gc.enable()
    redis_cpu = side.redis_cpu_seconds() - redis_cpu
    return Case(
        figures_of(run, tokens=tokens),
        redis_us_per_token=redis_cpu / (tokens * given.streams) * 1e6,
        piece_us=seconds_per_piece(*marks) * 1e6,
    )


def _flat(case: Case) -> dict[str, float]:
    return {
        **asdict(case.figures),
        "redis_us_per_token": case.redis_us_per_token,
        "piece_us": case.piece_us,
    }


def summary(rounds: Rounds) -> dict[str, Any]:
    cases = {}
    for (name, transport), found in rounds.items():
        cases[f"{name} {transport}"] = {
            **medians([case.figures for case in found]),
            **{
                name: round(statistics.median(getattr(case, name) for case in found), 3)
                for name in ("redis_us_per_token", "piece_us", "pieces_per_token")
            },
        }
    ratios = {
        f"{mine} / {other} {transport}": _ratio(rounds[mine, transport], rounds[other, transport])
        for mine, other in GOALS
        for transport in TRANSPORTS
    }
    return {"cpu_ratio": ratios, "medians": cases}


def _ratio(mine: list[Case], others: list[Case]) -> float:
    ratios = [
        case.pieces_per_token / other.pieces_per_token
        for case, other in zip(mine, others, strict=True)
    ]
    return round(statistics.median(ratios), 3)


def shortfalls(figures: dict[str, Any]) -> list[str]:
    """What misses its goal, in words."""
    short = [
        f"{name}: {case['delivered']:.4%} of the tokens were delivered"
        for name, case in figures["medians"].items()
        if case["delivered"] < 1
    ]
    for (mine, other), goal in GOALS.items():
        for transport in TRANSPORTS:
            name = f"{mine} / {other} {transport}"
            if figures["cpu_ratio"][name] > goal:
                short.append(f"{name}: {figures['cpu_ratio'][name]:.2f}, and may be {goal}")
    return short


def _print_case(when: str, name: str, transport: str, f: dict[str, float]) -> None:
    print(
        f"  {when:8} {name:7} {transport:10} {f['delivered']:9.3%} {f['added_p50_ms']:8.2f}"
        f" {f['added_p99_ms']:8.2f} {f['cpu_us_per_token']:8.1f} {f['server_cpu']:8.1%}"
        f" {f['piece_us']:8.1f} {f['redis_us_per_token']:8.1f} {f['client_cpu']:8.1%}",
        flush=True,
    )


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bench processes", description=__doc__)
    parser.add_argument("--streams", type=int, default=100)
    parser.add_argument("--rate", type=float, default=50.0, help="tokens per second and stream")
    parser.add_argument("--seconds", type=float, default=5.0, help="over which CPU is taken")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--elsewhere", type=float, default=0.5, help="viewers at the other process than generates"
    )
    parser.add_argument("--unpinned", action="store_true", help="leave the cores to the kernel")
    given = parser.parse_args(argv)
    if not sys.platform.startswith("linux"):
        print("This benchmark reads another process's CPU clock and needs Linux.")
        return 2
    print(
        f"{given.streams} streams x {given.rate:g} tokens/s, added time in ms, CPU in us a token:"
    )
    print(
        f"  {'':8} {'servers':7} {'transport':10} {'delivered':>9} {'p50 ms':>8} {'p99 ms':>8}"
        f" {'CPU us':>8} {'of core':>8} {'piece us':>8} {'Redis us':>8} {'client':>8}"
    )
    rounds, idle = measure(given)
    figures = summary(rounds)
    for name, middle in figures["medians"].items():
        side, transport = name.rsplit(" ", 1)
        _print_case("median", side, transport, middle)
    for name, ratio in figures["cpu_ratio"].items():
        print(f"  CPU per token, {name}: {ratio:.2f}")
    for name, part in idle.items():
        print(f"  idle, {name}: {part:.2%} of a core, which is in the figures above")
    report = {
        "streams": given.streams,
        "rate": given.rate,
        "seconds": given.seconds,
        "rounds": given.rounds,
        "elsewhere": given.elsewhere,
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "goals": {f"{mine} / {other}": goal for (mine, other), goal in GOALS.items()},
        "idle_of_core": idle,
        **figures,
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(report, indent=1) + "\n")
    short = shortfalls(figures)
    for words in short:
        print(f"  BELOW: {words}")
    return 1 if short else 0
