"""Records of everything that clients and generators saw of a stream; one line of JSON a stream.

Tests record while faults are injected, and `checker.check` checks the records afterwards.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

TERMINAL = ("complete", "error", "cancelled")

Event = dict[str, Any]
"""An event as received, parsed."""


@dataclass
class Connection:
    """One connection of a viewer, or one that failed to open.

    `ended_by` is a word: `terminal`, `drop` (by the client itself), `lost`, `reconnect`, `refused`
    (no server there), `http 503`, `closed 1012`, `deadline`, …
    """

    transport: str  # `sse` or `websocket`
    port: int
    asked_after: int  # the cursor that it asked to resume from
    began_at: float  # seconds of a clock that all records share
    events: list[Event] = field(default_factory=list)
    times: list[float] = field(default_factory=list)  # arrival time of each event
    ended_by: str = ""
    ended_at: float = 0.0


@dataclass
class Viewing:
    """One viewer of one stream, over all its connections."""

    name: str
    connections: list[Connection] = field(default_factory=list)

    @property
    def events(self) -> list[Event]:
        return [event for connection in self.connections for event in connection.events]

    @property
    def end(self) -> Event | None:
        return next((e for e in self.events if e["type"] in TERMINAL), None)

    @property
    def ways(self) -> list[str]:
        """How its connections ended, without refusals before the first event.

        On a busy machine, a process may find Redis unreachable for a moment. The contract then
        allows 503, and the client repeats its request.
        """
        ways = [connection.ended_by for connection in self.connections]
        heard = (n for n, c in enumerate(self.connections) if c.events or c.ended_by != "http 503")
        return ways[next(heard, 0) :]

    @property
    def drops(self) -> int:
        """How often the client broke its connection."""
        return sum(connection.ended_by == "drop" for connection in self.connections)


@dataclass
class StreamHistory:
    """Everything known about one stream.

    `log` is what a reader gets from -1 after the end, including unlogged events, or the logged
    events themselves; None: not read. `row` is `GET /api/streams/{id}`. `calls` is the number of
    upstream calls for it; None: not counted. At most 1 + `recoveries` + `retries` are allowed.
    """

    stream_id: str
    viewings: list[Viewing] = field(default_factory=list)
    request_id: str = ""
    prompt: str = ""
    log: list[Event] | None = None
    row: dict[str, Any] | None = None
    calls: int | None = None
    recoveries: int = 0
    retries: int = 0  # by the provider, before its first token
    expected_text: str | None = None  # everything that upstream would say, if known


def write_histories(path: Path, histories: Iterable[StreamHistory], **about: Any) -> None:
    """Write a first line about the run (its seed), then one line for each stream."""
    with path.open("w", encoding="utf-8") as file:
        for record in (about, *map(asdict, histories)):
            file.write(json.dumps(record, ensure_ascii=False) + "\n")


def read_histories(path: Path) -> tuple[dict[str, Any], list[StreamHistory]]:
    """Read a file of `write_histories`: data about the run, and its streams."""
    about, *records = map(json.loads, path.read_text("utf-8").splitlines())
    histories = []
    for record in records:
        viewings = [
            Viewing(viewing["name"], [Connection(**one) for one in viewing["connections"]])
            for viewing in record.pop("viewings")
        ]
        histories.append(StreamHistory(viewings=viewings, **record))
    return about, histories
