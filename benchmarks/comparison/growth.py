"""The pictures: how the cost grows with streams, viewers, length and history. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from .loads import GROWTH, STREAMS, VIEWERS
from .picture import Points, chart
from .servers import KINDS
from .table import Loads


def pictures(loads: Loads) -> Iterator[tuple[str, str, str]]:
    """Yield name, title and SVG of each picture whose loads were measured."""
    streams = {**{count: f"streams{count}" for count in STREAMS}, 1_000: "1000x20"}
    viewers = {**{count: f"viewers{count}" for count in VIEWERS}, 500: "fanout500"}
    cpu = "CPU, µs a token"
    if lines := _of_servers(loads, streams, "cpu_us_per_token"):
        title = "CPU per token, by the number of streams"
        yield "streams", title, chart(title, x="streams of 20 tokens/s", y=cpu, lines=lines)
    if lines := _of_servers(loads, streams, "added_p99_ms"):
        title = "Added time, by the number of streams"
        yield "waits", title, chart(title, x="streams of 20 tokens/s", y="p99, ms", lines=lines)
    if lines := _of_servers(loads, viewers, "cpu_us_per_token"):
        title = "CPU per delivery, by the number of viewers"
        x, y = "viewers of one stream of 20 tokens/s", "CPU, µs a delivery"
        yield "viewers", title, chart(title, x=x, y=y, lines=lines)
    if points := _of_sizes(loads, "long", "cpu_us_per_token"):
        title = "CPU per token, by the length of the answer"
        yield (
            "length",
            title,
            chart(title, x="tokens of an answer", y=cpu, lines={"liveai": points}),
        )
    history = {
        words: _of_sizes(loads, "history", f"{words}_ms") for words in ("list", "search", "start")
    }
    if all(history.values()):
        title = "Calls, by the length of the visitor's history"
        yield "history", title, chart(title, x="stored answers", y="ms", lines=history)


def _of_servers(loads: Loads, names: dict[int, str], figure: str) -> dict[str, Points]:
    lines = {
        KINDS[server].label: [
            (count, value)
            for count, load in names.items()
            if (value := loads.get(load, {}).get(f"{server} sse", {}).get(figure)) is not None
        ]
        for server in GROWTH
    }
    return {label: points for label, points in lines.items() if points}


def _of_sizes(loads: Loads, load: str, figure: str) -> Points:
    """Return the points of cases whose names begin with a size: `1000 tokens`."""
    points = [
        (float(case.split()[0]), value)
        for case, figures in loads.get(load, {}).items()
        if (value := figures.get(figure)) is not None
    ]
    return sorted(points)
