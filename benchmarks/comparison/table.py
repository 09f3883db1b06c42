"""The results as a Markdown table, and its place in a document. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .servers import KINDS, OURS, RAW

Loads = Mapping[str, Mapping[str, Mapping[str, float | None]]]

NONE = "–"


def number(value: float | None) -> str:
    """Format a figure with two or three digits that say something."""
    if value is None:
        return NONE
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def percent(share: float | None) -> str:
    """Format a share. Only what is complete is 100 %."""
    if share is None:
        return NONE
    if share >= 1:
        return "100 %"
    return f"{min(share * 100, 99.9):.3g} %"


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table; the first column is text, the others are figures."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def inserted(document: str, name: str, content: str) -> str:
    """Replace what stands between `<!-- name -->` and `<!-- /name -->`.

    Raises:
        ValueError: the document has no such place.
    """
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, found, rest = document.partition(begin)
    _, found_end, after = rest.partition(end)
    if not found or not found_end:
        raise ValueError(f"The document has no place {begin} … {end}.")
    return f"{before}{begin}\n{content}\n{end}{after}"


def overview(loads: Loads) -> str:
    """Return one row for each server and transport, with the figures that matter most."""
    head = [
        "",
        "200 × 50: CPU µs, p50 / p99 ms",
        "1,000 × 20: CPU µs, p50 / p99 ms",
        "1,000 × 50: CPU µs, p50 / p99 ms, delivered",
        "open, CPU ms",
        "answer of one token, CPU ms",
        "idle, KiB",
        "20 × 50 viewers, CPU µs",
    ]
    rows = [
        [
            _label(kind, transport),
            _steady(loads, "200x50", kind, transport),
            _steady(loads, "1000x20", kind, transport),
            _steady(loads, "1000x50", kind, transport, is_delivery_told=True),
            number(_figure(loads, "idle", kind, transport, "cpu_ms_per_open")),
            number(_figure(loads, "opens", kind, transport, "cpu_ms_per_answer")),
            number(_figure(loads, "idle", kind, transport, "kib_per_stream")),
            number(_figure(loads, "fanout", kind, transport, "cpu_us_per_token")),
        ]
        for kind, transport in _cases(loads)
    ]
    return markdown(head, rows)


def waits(loads: Loads) -> str:
    """Return the waits of new streams in a burst, of a lone stream, and of the event loop."""
    head = [
        "",
        "burst: opened",
        "burst: first token p50 / p99 ms",
        "burst: delivered to the running",
        "lone stream: p50 / p99 ms",
        "1,000 × 20: longest pause of the loop, ms",
    ]
    rows = []
    for kind, transport in _cases(loads):
        burst = _case(loads, "burst", kind, transport)
        lone = _case(loads, "lone", kind, transport)
        first = [number(burst.get(f"first_token_{part}_ms")) for part in ("p50", "p99")]
        alone = [number(lone.get(f"added_{part}_ms")) for part in ("p50", "p99")]
        rows.append(
            [
                _label(kind, transport),
                percent(burst.get("opened")),
                " / ".join(first),
                percent(burst.get("delivered")),
                " / ".join(alone),
                number(_figure(loads, "1000x20", kind, transport, "lag_max_ms")),
            ]
        )
    return markdown(head, rows)


def goals(judgements: Sequence[Mapping[str, Any]]) -> str:
    """Return the goals of our server, with their figures."""
    rows = []
    for each in judgements:
        unit = f" {each['unit']}" if each["unit"] else ""
        bound = f"{'≥' if each['at_least'] else '≤'} {each['bound']:,g}{unit}"
        figure = NONE if each["figure"] is None else f"{each['figure']:,.4g}{unit}"
        rows.append(
            [f"{each['load']}, {each['goal']}", figure, bound, "" if each["met"] else "missed"]
        )
    return markdown(["", "figure", "goal", ""], rows)


def _cases(loads: Loads) -> list[tuple[str, str]]:
    present = {case for cases in loads.values() for case in cases}
    return [
        (name, transport)
        for name, kind in KINDS.items()
        for transport in kind.transports
        if f"{name} {transport}" in present
    ]


def _label(kind: str, transport: str) -> str:
    words = KINDS[kind].label
    if kind in (OURS, RAW) or len(KINDS[kind].transports) > 1:
        words += ", SSE" if transport == "sse" else ", WebSocket"
    return f"**{words}**" if kind == OURS else words


def _case(loads: Loads, load: str, kind: str, transport: str) -> Mapping[str, float | None]:
    return loads.get(load, {}).get(f"{kind} {transport}", {})


def _figure(loads: Loads, load: str, kind: str, transport: str, figure: str) -> float | None:
    return _case(loads, load, kind, transport).get(figure)


def _steady(
    loads: Loads, load: str, kind: str, transport: str, *, is_delivery_told: bool = False
) -> str:
    case = _case(loads, load, kind, transport)
    if not case:
        return NONE
    p50, p99 = number(case["added_p50_ms"]), number(case["added_p99_ms"])
    words = f"{number(case['cpu_us_per_token'])}, {p50} / {p99}"
    delivered = case["delivered"]
    if is_delivery_told or (delivered is not None and delivered < 1):
        words += f", {percent(delivered)}"
    return words
