"""A long history: how long a list, a search and a start take, by the number of stored answers."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from ..load.prompts import prompt_of
from ..load.report import percentile
from .owner import Owner
from .plan import Figures, Found, Plan, on_loop
from .servers import OURS, Started

TITLE = "A visitor with 100 to 100,000 stored answers"
ROWS = (100, 1_000, 10_000, 100_000)
CALLS = 30
PROMPT = prompt_of(1, 0)


def run(plan: Plan) -> Found:
    found: Found = {}
    for number in range(plan.rounds):
        with plan.started([PROMPT], streams=CALLS, only=[OURS]) as servers:
            for rows, figures in on_loop(_load(servers[OURS])).items():
                found.setdefault(f"{rows} answers", []).append(figures)
                plan.report(f"{rows:,} answers, round {number + 1}", figures)
    return found


async def _load(server: Started) -> dict[int, Figures]:
    owner = await Owner.arrive(server.server.port)
    stream_id = await owner.start(PROMPT, query="?wait=1")
    found = {}
    for rows in ROWS:
        _fill(_database_of(server.server.pid), stream_id, rows)
        found[rows] = {
            "list_ms": await _median_ms(lambda: owner.get("/api/streams")),
            "search_ms": await _median_ms(lambda: owner.get("/api/streams?q=nowhere")),
            "start_ms": await _median_ms(lambda: owner.start(PROMPT)),
        }
    return found


async def _median_ms(work: Callable[[], Awaitable[Any]]) -> float:
    took = []
    for _ in range(CALLS):
        began = time.perf_counter()
        await work()
        took.append((time.perf_counter() - began) * 1000)
    return percentile(sorted(took), 0.5)


def _database_of(pid: int) -> str:
    entries = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    url = next(entry for entry in entries if entry.startswith(b"DATABASE_URL=")).decode()
    return url.partition("sqlite:///")[2]


def _fill(path: str, stream_id: str, rows: int) -> None:
    """Copy an ended answer until there are so many; each copy is a minute older."""
    with sqlite3.connect(path, timeout=30) as database:
        columns = [row[1] for row in database.execute("PRAGMA table_info(streaming_stream)")]
        copied = {
            "id": "printf('%022d', n)",
            "created_at": "datetime(created_at, '-' || n || ' minutes')",
        }
        values = ", ".join(copied.get(name, f'"{name}"') for name in columns)
        names = ", ".join(f'"{name}"' for name in columns)
        database.execute(
            "WITH RECURSIVE numbers(n) AS"
            " (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :rows)"
            f" INSERT OR IGNORE INTO streaming_stream ({names})"
            f" SELECT {values} FROM streaming_stream, numbers WHERE id = :id",
            {"rows": rows, "id": stream_id},
        )
