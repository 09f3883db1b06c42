"""Draws a line chart as SVG. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

WIDTH, HEIGHT = 720, 360
LEFT, RIGHT, TOP, BOTTOM = 64, 170, 44, 52
COLOURS = ("#d9480f", "#1c7ed6", "#2f9e44", "#9c36b5", "#868e96")
INK = "#7a7f87"
"""Readable on white and on black: GitHub shows pictures on both."""

Points = Sequence[tuple[float, float]]


def ticks_up_to(highest: float) -> list[float]:
    """Return three to six round values from 0 to at least the highest one."""
    if highest <= 0:
        return [0.0, 1.0]
    rough = highest / 4
    power = 10 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    return [step * place for place in range(math.ceil(highest / step - 1e-9) + 1)]


def chart(title: str, *, x: str, y: str, lines: Mapping[str, Points]) -> str:
    """Draw one line for each name; the x axis is logarithmic, the y axis begins at 0.

    Args:
        lines: points with positive x, in ascending order.

    Raises:
        ValueError: there are no points.
    """
    places = sorted({place for points in lines.values() for place, _ in points})
    if not places:
        raise ValueError("A chart needs points.")
    ticks = ticks_up_to(max(value for points in lines.values() for _, value in points))
    low, high = math.log(places[0]), math.log(places[-1])

    def across(place: float) -> float:
        share = (math.log(place) - low) / (high - low) if high > low else 0.5
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def down(value: float) -> float:
        return HEIGHT - BOTTOM - value / ticks[-1] * (HEIGHT - TOP - BOTTOM)

    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    parts = [_text(LEFT, 22, title, size=15, weight=600)]
    for tick in ticks:
        parts.append(_line(LEFT, down(tick), right, down(tick), opacity=0.3))
        parts.append(_text(LEFT - 8, down(tick) + 4, f"{tick:,g}", anchor="end"))
    for place in places:
        parts.append(_line(across(place), bottom, across(place), bottom + 5))
        parts.append(_text(across(place), bottom + 19, f"{place:,g}", anchor="middle"))
    parts.append(_text((LEFT + right) / 2, HEIGHT - 10, x, anchor="middle"))
    parts.append(_text(LEFT, TOP - 8, y))
    labels = _apart([(down(points[-1][1]), name) for name, points in lines.items() if points])
    for colour, (name, points) in zip(_colours(len(lines)), lines.items(), strict=True):
        if not points:
            continue
        path = " ".join(f"{across(place):.1f},{down(value):.1f}" for place, value in points)
        parts.append(
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2.5"/>'
        )
        parts += [
            f'<circle cx="{across(place):.1f}" cy="{down(value):.1f}" r="3.5" fill="{colour}"/>'
            for place, value in points
        ]
        parts.append(
            _text(across(points[-1][0]) + 10, labels[name] + 4, name, colour=colour, weight=600)
        )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"'
        f' width="{WIDTH}" height="{HEIGHT}" role="img" font-family="system-ui, sans-serif">\n'
        f"<title>{escape(title)}</title>\n" + "\n".join(parts) + "\n</svg>\n"
    )


def _colours(count: int) -> list[str]:
    return [COLOURS[place % len(COLOURS)] for place in range(count)]


def _apart(wanted: Sequence[tuple[float, str]], gap: float = 15) -> dict[str, float]:
    """Move labels down until none covers another."""
    found: dict[str, float] = {}
    last = -math.inf
    for place, name in sorted(wanted):
        last = max(place, last + gap)
        found[name] = last
    return found


def _line(x1: float, y1: float, x2: float, y2: float, *, opacity: float = 1) -> str:
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
        f' stroke="{INK}" stroke-opacity="{opacity:g}"/>'
    )


def _text(
    x: float,
    y: float,
    words: str,
    *,
    size: int = 12,
    anchor: str = "start",
    colour: str = INK,
    weight: int = 400,
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" font-weight="{weight}"'
        f' text-anchor="{anchor}" fill="{colour}">{escape(words)}</text>'
    )
