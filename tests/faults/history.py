"""What every client and generator saw of a stream: plain records, one line of JSON a stream.

Recorded while faults are injected, judged afterwards by `checker.check`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

TERMINAL = ("complete", "error", "cancelled")

Event = dict[str, Any]
"""An event as it came over the wire, parsed."""


@dataclass
class Connection:
    """One connection of a viewer, also one that never came about.

    `ended_by` in words: `terminal`, `drop` (the client's own doing), `lost`, `reconnect`,
    `refused` (no server there), `http 503`, `closed 1012`, `deadline`, …
    """

    transport: str  # `sse` or `websocket`
    port: int
    asked_after: int  # the cursor that it asked to go on from
    began_at: float  # seconds of a clock that all records share
    events: list[Event] = field(default_factory=list)
    times: list[float] = field(default_factory=list)  # when each came
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
    def drops(self) -> int:
        """How often the client broke its line."""
        return sum(connection.ended_by == "drop" for connection in self.connections)


@dataclass
class StreamHistory:
    """All that is known of one stream.

    `log` is what an honest reader gets from -1 once all is over, unlogged events included, or the
    logged events themselves; None: not read. `row` is `GET /api/streams/{id}`. `calls` is how
    often upstream was called for it; None: not counted. Allowed are 1 + `recoveries` + `retries`.
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
    expected_text: str | None = None  # all that upstream would say, where that is known


def write_histories(path: Path, histories: Iterable[StreamHistory], **about: Any) -> None:
    """A first line about the run (its seed), then a line for each stream."""
    with path.open("w", encoding="utf-8") as file:
        for record in (about, *map(asdict, histories)):
            file.write(json.dumps(record, ensure_ascii=False) + "\n")


def read_histories(path: Path) -> tuple[dict[str, Any], list[StreamHistory]]:
    """What `write_histories` wrote: about the run, and its streams."""
    about, *records = map(json.loads, path.read_text("utf-8").splitlines())
    histories = []
    for record in records:
        viewings = [
            Viewing(viewing["name"], [Connection(**one) for one in viewing["connections"]])
            for viewing in record.pop("viewings")
        ]
        histories.append(StreamHistory(viewings=viewings, **record))
    return about, histories
