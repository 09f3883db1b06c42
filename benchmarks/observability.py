"""CPU per token without metrics and traces, with metrics, and with both.

Three `manage.py serve` run at the same time, each on the memory log: one that counts nothing, one
with `METRICS_TOKEN`, JSON logs and a scrape in the middle of each round, and one that also exports
every trace to a collector. In each round each of them answers the same number of questions, in
turn, and every other round the other way round. The figure is the user and system time of all
threads of the process from the first start to the export of the last span, divided by the tokens.
A ratio compares two sides of one round. The goals apply to medians over the rounds.

Only the default load writes to `results/`.
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
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.support.servers.trace_collector import running_collector

from .load.client import ask_to_start, connect
from .load.servers import ROOT, Server, scripted_server

RESULTS = Path(__file__).parent / "results" / "observability.json"
GOAL = 1.05
"""The maximum CPU per token with metrics, or with both, as a multiple of that without."""

TOKEN = "a-token-for-the-scrape-0123456789"
EXPORT_SECONDS = 0.5
"""Between two exports, and how long a round waits for its last one: half of it must suffice."""

LIMIT_SECONDS = 120.0
SIDES = ("off", "metrics", "traces")
OBSERVED = (str(ROOT / "manage.py"),)
UNOBSERVED = ("-m", "benchmarks.load.unobserved", *OBSERVED)


@contextmanager
def running_sides(given: argparse.Namespace) -> Iterator[dict[str, Server]]:
    """Run the three servers, on one core if the machine has more than one."""
    cores = sorted(os.sched_getaffinity(0))
    core = cores[-1] if len(cores) > 1 else None
    if core is not None:
        os.sched_setaffinity(0, {cores[0]})
    script = {"steps": [{"clock": given.tokens, "every_ms": given.every_ms}]}
    metrics = {"METRICS_TOKEN": TOKEN, "LOG_FORMAT": "json"}
    with ExitStack() as stack:
        collector = stack.enter_context(running_collector())
        delay = {"OTEL_BSP_SCHEDULE_DELAY": str(int(EXPORT_SECONDS * 500))}
        settings = {
            "off": {},
            "metrics": metrics,
            "traces": {**metrics, **collector.environment, **delay},
        }
        yield {
            side: stack.enter_context(
                scripted_server(
                    core,
                    script,
                    streams=given.streams,
                    program=UNOBSERVED if side == "off" else OBSERVED,
                    settings=settings[side],
                )
            )
            for side in SIDES
        }


async def us_per_token(server: Server, given: argparse.Namespace, *, is_scraped: bool) -> float:
    """Have a server answer all questions; return its CPU for a token, in microseconds."""
    before = server.cpu_seconds()
    asked = ask_to_start("sse", server.port)
    connections = [await connect(asked) for _ in range(given.streams)]
    try:
        if is_scraped:
            await asyncio.to_thread(_scrape, server.port)
        await asyncio.wait([each.ended for each in connections], timeout=LIMIT_SECONDS)
    finally:
        for each in connections:
            each.close()
    await asyncio.sleep(EXPORT_SECONDS)
    used = server.cpu_seconds() - before
    tokens = sum(len(list(each.watched.arrivals())) for each in connections)
    due = given.streams * given.tokens
    if tokens != due:
        raise RuntimeError(f"{tokens} of {due} tokens arrived.")
    return used / tokens * 1e6


def _scrape(port: int) -> None:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/metrics", headers={"Authorization": f"Bearer {TOKEN}"}
    )
    with urllib.request.urlopen(request, timeout=LIMIT_SECONDS) as page:
        assert b"liveai_events_total" in page.read()


async def measure(servers: dict[str, Server], given: argparse.Namespace) -> dict[str, list[float]]:
    """Return the CPU per token of each side, in microseconds, one figure a round."""
    found: dict[str, list[float]] = {side: [] for side in servers}
    for number in range(-1, given.rounds):  # the first one warms up
        order = list(servers) if number % 2 else list(servers)[::-1]
        for side in order:
            gc.collect()
            us = await us_per_token(servers[side], given, is_scraped=side != "off")
            if number >= 0:
                found[side].append(us)
        if number >= 0:
            shown = "  ".join(f"{side} {us[-1]:6.1f}" for side, us in found.items())
            print(f"  round {number + 1}: {shown} us   load {os.getloadavg()[0]:.1f}", flush=True)
    return found


def summary(found: dict[str, list[float]]) -> dict[str, Any]:
    """Return the medians, and for each side the ratios to `off` of the same round."""
    ratios = {
        side: sorted(mine / off for mine, off in zip(us, found["off"], strict=True))
        for side, us in found.items()
        if side != "off"
    }
    return {
        "cpu_us_per_token": {side: round(statistics.median(us), 2) for side, us in found.items()},
        "cpu_ratio": {
            side: {
                "median": round(statistics.median(each), 3),
                "from": round(each[0], 3),
                "to": round(each[-1], 3),
            }
            for side, each in ratios.items()
        },
    }


def shortfalls(figures: dict[str, Any]) -> list[str]:
    """Describe the figures that miss their goals."""
    return [
        f"{side}: {ratio['median']:.3f} of the CPU without; the limit is {GOAL}"
        for side, ratio in figures["cpu_ratio"].items()
        if not ratio["median"] <= GOAL
    ]


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bench observability", description=__doc__)
    parser.add_argument("--streams", type=int, default=60, help="answers at a time")
    parser.add_argument("--tokens", type=int, default=300, help="of each answer")
    parser.add_argument("--every-ms", type=float, default=20.0, help="between two tokens")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args(argv)
    if not sys.platform.startswith("linux"):
        print("This benchmark reads another process's CPU clock and needs Linux.")
        return 2
    print(f"{given.streams} answers of {given.tokens} tokens a side and round:")
    load = os.getloadavg()[0]
    with running_sides(given) as servers:
        found = asyncio.run(measure(servers, given))
    figures = {
        "streams": given.streams,
        "tokens": given.tokens,
        "every_ms": given.every_ms,
        "rounds": given.rounds,
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "load_before": round(load, 1),
        "goals": {"cpu_ratio": GOAL},
        **summary(found),
    }
    for side, ratio in figures["cpu_ratio"].items():
        print(
            f"  {side} / off: {ratio['median']:.3f} (rounds: {ratio['from']:.3f} to"
            f" {ratio['to']:.3f})"
        )
    if not argv:
        RESULTS.write_text(json.dumps(figures, indent=1) + "\n")
    short = shortfalls(figures)
    for words in short:
        print(f"  GOAL MISSED: {words}")
    return 1 if short else 0
