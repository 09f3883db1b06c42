"""Added latency and CPU per token on both transports, compared with a raw ASGI server.

Two servers share one core and a lightweight client has another. One is `manage.py serve` with the
scripted provider. The other is bare uvicorn with the same settings, which writes the same frames at
the same pace. Each token carries its due time. In each round the servers first run one after the
other, to measure latency. Then they run concurrently, to measure the ratio of their CPU. The speed
of a shared machine varies over time, so a ratio of two different moments means little. The goals
apply to medians over the rounds.
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
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import uvloop

from .load import client
from .load.client import Transport
from .load.prompts import prompt_of
from .load.report import Figures, figures_of, medians
from .load.servers import Server, our_server, raw_server

RESULTS = Path(__file__).parent / "results" / "latency.json"
TRANSPORTS: tuple[Transport, ...] = ("sse", "websocket")
MAX_ADDED_P99_MS = 50.0
MAX_RATIO = 1.5

OPEN_EVERY_SECONDS = 0.0137  # not a multiple of the token interval, so tokens spread evenly
SETTLE_SECONDS = 0.5
LIMIT_SECONDS = 15.0  # for late tokens; later ones count as lost

Rounds = dict[tuple[str, Transport], list[Figures]]
TOGETHER = "with "
"""Prefix of a server's name in the figures of the concurrent run."""


def measure(given: argparse.Namespace) -> Rounds:
    cores = sorted(os.sched_getaffinity(0))
    server_core = cores[-1] if len(cores) > 1 else None
    if server_core is not None:
        os.sched_setaffinity(0, {cores[0]})
    opening = given.streams * OPEN_EVERY_SECONDS + 2 * SETTLE_SECONDS
    tokens = round((opening + given.seconds) * given.rate)
    every_ms = 1000 / given.rate
    rounds: Rounds = {}
    with (
        our_server(server_core, tokens=tokens, every_ms=every_ms, streams=given.streams) as ours,
        raw_server(server_core) as raw,
    ):
        for number in range(given.rounds):
            for transport in TRANSPORTS:
                for names in (("raw",), ("liveai",), ("raw", "liveai")):
                    servers = [raw if name == "raw" else ours for name in names]
                    prefix = TOGETHER if len(names) > 1 else ""
                    for name, figures in zip(
                        names, _case(servers, transport, given, tokens), strict=True
                    ):
                        rounds.setdefault((prefix + name, transport), []).append(figures)
                        when = f"round {number + 1}"
                        _print_case(when, prefix + name, transport, asdict(figures))
    return rounds


def _case(
    servers: list[Server], transport: Transport, given: argparse.Namespace, tokens: int
) -> list[Figures]:
    """Return the figures of servers that carry the same load at the same time."""

    async def ask(port: int, _: int) -> client.Ask:
        return client.ask_to_start(transport, port, prompt_of(tokens, 1000 / given.rate))

    async def work() -> list[client.Run]:
        return await asyncio.gather(
            *(
                client.run(
                    partial(ask, server.port),
                    streams=given.streams,
                    open_every_seconds=OPEN_EVERY_SECONDS,
                    settle_seconds=SETTLE_SECONDS,
                    window_seconds=given.seconds,
                    limit_seconds=LIMIT_SECONDS,
                    server_cpu=server.cpu_seconds,
                )
                for server in servers
            )
        )

    gc.collect()
    gc.disable()  # the client's GC pauses would look like the server's
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            received = runner.run(work())
    finally:
        gc.enable()
    return [figures_of(run, tokens=tokens) for run in received]


def summary(rounds: Rounds) -> dict[str, Any]:
    cases = {f"{name} {transport}": medians(found) for (name, transport), found in rounds.items()}
    ratios = {
        transport: round(
            statistics.median(
                ours.cpu_us_per_token / raw.cpu_us_per_token
                for ours, raw in zip(
                    rounds[TOGETHER + "liveai", transport],
                    rounds[TOGETHER + "raw", transport],
                    strict=True,
                )
            ),
            3,
        )
        for transport in TRANSPORTS
    }
    return {"cpu_ratio": ratios, "medians": cases}


def shortfalls(figures: dict[str, Any]) -> list[str]:
    """Describe the figures that miss their goals."""
    short = []
    for transport in TRANSPORTS:
        ours = figures["medians"][f"liveai {transport}"]
        if ours["delivered"] < 1:
            short.append(f"{transport}: {ours['delivered']:.4%} of the tokens were delivered")
        if ours["added_p99_ms"] >= MAX_ADDED_P99_MS:
            short.append(
                f"{transport}: p99 of added time is {ours['added_p99_ms']:.1f} ms; "
                f"the limit is {MAX_ADDED_P99_MS:.0f} ms"
            )
        if figures["cpu_ratio"][transport] > MAX_RATIO:
            short.append(
                f"{transport}: {figures['cpu_ratio'][transport]:.2f} times the CPU per token of a "
                f"raw ASGI server; the limit is {MAX_RATIO}"
            )
    return short


def _print_case(when: str, name: str, transport: str, f: dict[str, float]) -> None:
    print(
        f"  {when:8} {name:11} {transport:10} {f['delivered']:9.3%} {f['added_p50_ms']:8.2f}"
        f" {f['added_p99_ms']:8.2f} {f['added_max_ms']:8.2f} {f['cpu_us_per_token']:8.1f}"
        f" {f['server_cpu']:8.1%} {f['client_cpu']:8.1%}",
        flush=True,
    )


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bench latency", description=__doc__)
    parser.add_argument("--streams", type=int, default=50)
    parser.add_argument("--rate", type=float, default=50.0, help="tokens per second and stream")
    parser.add_argument(
        "--seconds", type=float, default=5.0, help="duration of the CPU measurement"
    )
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args(argv)
    if not sys.platform.startswith("linux"):
        print("This benchmark reads another process's CPU clock and needs Linux.")
        return 2
    print(
        f"{given.streams} streams x {given.rate:g} tokens/s, added time in ms, CPU in us per token:"
    )
    print(
        f"  {'':8} {'server':11} {'transport':10} {'delivered':>9} {'p50 ms':>8} {'p99 ms':>8}"
        f" {'max ms':>8} {'CPU us':>8} {'of core':>8} {'client':>8}"
    )
    rounds = measure(given)
    figures = summary(rounds)
    for name, middle in figures["medians"].items():
        server, transport = name.rsplit(" ", 1)
        _print_case("median", server, transport, middle)
    for transport, ratio in figures["cpu_ratio"].items():
        print(f"  CPU per token relative to raw ASGI, both at once, {transport}: {ratio:.2f}")
    report = {
        "streams": given.streams,
        "rate": given.rate,
        "seconds": given.seconds,
        "rounds": given.rounds,
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "goals": {"delivered": 1.0, "added_p99_ms": MAX_ADDED_P99_MS, "cpu_ratio": MAX_RATIO},
        **figures,
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(report, indent=1) + "\n")
    short = shortfalls(figures)
    for words in short:
        print(f"  GOAL MISSED: {words}")
    return 1 if short else 0
