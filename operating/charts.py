"""The geometry of charts: numbers in, numbers out. Templates draw them as SVG.

A unit is a pixel at the natural size; a chart grows and shrinks with its column.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

WIDTH = 720.0
HEIGHT = 180.0
GAP = 3.0
"""Between two columns."""

HEAD = 6.0
"""Room above the highest value: small parts are drawn larger than they are."""

LEAST = 2.0
"""A value above zero is drawn at least so high, or one failure among thousands would vanish."""


@dataclass(frozen=True, slots=True)
class Box:
    """A part of a column, or a bar."""

    kind: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Column:
    """A step of a chart: its parts, from the bottom up, and the area that is clicked."""

    number: int
    x: float
    width: float
    parts: list[Box]


@dataclass(frozen=True, slots=True)
class Line:
    """Values over the steps of a chart; a step without a value interrupts it."""

    kind: str
    runs: list[str]  # points of a polyline each
    dots: list[tuple[float, float]]  # values without neighbours, which a line would not show


def columns(steps: Sequence[Sequence[tuple[str, int]]]) -> list[Column]:
    """Draw stacked columns.

    Args:
        steps: for each step, its parts from the bottom up: the kind and the value of each.
    """
    top = max((sum(value for _, value in parts) for parts in steps), default=0)
    wide = WIDTH / max(1, len(steps))
    found = []
    for number, parts in enumerate(steps):
        x, y, boxes = number * wide + GAP / 2, HEIGHT, []
        for kind, value in parts:
            if value:
                height = max(LEAST, value / top * (HEIGHT - HEAD))
                y -= height
                boxes.append(Box(kind, _round(x), _round(y), _round(wide - GAP), _round(height)))
        found.append(Column(number, _round(number * wide), _round(wide), boxes))
    return found


def lines(named: Iterable[tuple[str, Sequence[float | None]]]) -> list[Line]:
    """Draw lines on one scale that begins at zero.

    Args:
        named: the kind of each line, and its value at each step; None: there is none.
    """
    series = list(named)
    top = max((value for _, values in series for value in values if value is not None), default=0)
    drawn = []
    for kind, values in series:
        wide = WIDTH / max(1, len(values))
        runs: list[list[tuple[float, float]]] = [[]]
        for number, value in enumerate(values):
            if value is None:
                runs.append([])
            else:
                share = value / top if top else 0
                y = HEIGHT - share * (HEIGHT - HEAD)
                runs[-1].append((_round((number + 0.5) * wide), _round(y)))
        drawn.append(
            Line(
                kind,
                [" ".join(f"{x},{y}" for x, y in run) for run in runs if len(run) > 1],
                [run[0] for run in runs if len(run) == 1],
            )
        )
    return drawn


def shares(values: Sequence[int]) -> list[float]:
    """Return the lengths of bars in per cent of the longest."""
    top = max(values, default=0)
    return [_round(max(1.0, 100 * value / top)) if value else 0.0 for value in values]


def ticks(count: int, at_most: int = 6) -> list[int]:
    """Return the steps to name below a chart: the first, and as many as have room."""
    every = max(1, -(-count // at_most))
    return list(range(0, count, every))


def _round(value: float) -> float:
    return round(value, 2)
