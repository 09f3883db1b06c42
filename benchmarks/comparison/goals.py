"""The goals of the comparison, and whether figures meet them. Pure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .plan import Found
from .servers import FASTAPI, HELD, OURS, RAW
from .steady import TOGETHER

TRANSPORTS = ("sse", "websocket")


@dataclass(frozen=True)
class Goal:
    """A bound of one figure.

    Args:
        load: the load whose figures decide.
        figure: computes the figure; KeyError if a case of the load was not measured.
        at_least: whether the bound is a minimum.
    """

    words: str
    load: str
    figure: Callable[[Found], float]
    bound: float
    unit: str = ""
    at_least: bool = False

    def judge(self, found: Found) -> dict[str, Any] | None:
        """Return the goal, its figure and whether it is met; None if nothing was measured."""
        try:
            value = self.figure(found)
        except KeyError:
            return None
        is_met = value >= self.bound if self.at_least else value <= self.bound
        return {
            "goal": self.words,
            "load": self.load,
            "figure": round(value, 4) if math.isfinite(value) else None,
            "bound": self.bound,
            "unit": self.unit,
            "at_least": self.at_least,
            "met": is_met,
        }


def median(case: str, figure: str) -> Callable[[Found], float]:
    return lambda found: statistics.median(each[figure] for each in found[case])


def least(case: str, figure: str) -> Callable[[Found], float]:
    return lambda found: min(each[figure] for each in found[case])


def ratio(mine: str, other: str, figure: str = "cpu_us_per_token") -> Callable[[Found], float]:
    """Return the median of the ratios of two cases within each round."""
    return lambda found: statistics.median(
        my[figure] / its[figure] if its[figure] else math.inf
        for my, its in zip(found[mine], found[other], strict=True)
    )


def spread(figure: str) -> Callable[[Found], float]:
    """Return the dearest case as a multiple of the cheapest, in the median round."""

    def compute(found: Found) -> float:
        cases = [rounds for rounds in found.values() if figure in rounds[0]]
        if not cases:
            raise KeyError(figure)
        return statistics.median(
            max(each[figure] for each in of_round) / min(each[figure] for each in of_round)
            for of_round in zip(*cases, strict=True)
        )

    return compute


def slowest(*figures: str) -> Callable[[Found], float]:
    """Return the greatest median of several figures, over the cases that have them."""

    def compute(found: Found) -> float:
        medians = [
            median(case, figure)(found)
            for case, rounds in found.items()
            for figure in figures
            if figure in rounds[0]
        ]
        if not medians:
            raise KeyError(figures)
        return max(medians)

    return compute


def fewest(figure: str) -> Callable[[Found], float]:
    """Return the lowest value of a figure over all cases and rounds."""

    def compute(found: Found) -> float:
        values = [each[figure] for rounds in found.values() for each in rounds if figure in each]
        if not values:
            raise KeyError(figure)
        return min(values)

    return compute


def _goals() -> Iterator[Goal]:
    for transport in TRANSPORTS:
        ours, raw, held = f"{OURS} {transport}", f"{RAW} {transport}", f"{HELD} {transport}"
        cpu = f"{transport}: CPU per token relative to raw ASGI"
        light = ratio(TOGETHER + ours, TOGETHER + raw)
        yield Goal(cpu, "200x50", light, 1.25)
        yield Goal(f"{transport}: p50", "200x50", median(ours, "added_p50_ms"), 12, "ms")
        yield Goal(cpu, "1000x20", ratio(ours, raw), 1.3)
        yield Goal(f"{transport}: p99", "1000x20", median(ours, "added_p99_ms"), 130, "ms")
        pause = f"{transport}: longest pause of the loop"
        yield Goal(pause, "1000x20", median(ours, "lag_max_ms"), 20, "ms")
        yield Goal(cpu, "1000x50", ratio(ours, raw), 1.2)
        yield Goal(f"{transport}: p99", "1000x50", median(ours, "added_p99_ms"), 250, "ms")
        for load, least_share in (("200x50", 1), ("1000x20", 1), ("1000x50", 0.99), ("burst", 1)):
            opened, delivered = f"{transport}: opened", f"{transport}: delivered"
            yield Goal(opened, load, least(ours, "opened"), 1, at_least=True)
            yield Goal(delivered, load, least(ours, "delivered"), least_share, at_least=True)
        for load in ("opens", "idle"):  # what is refused costs nothing
            opened = f"{transport}: opened"
            yield Goal(opened, load, least(ours, "opened"), 1, at_least=True)
        yield Goal(f"{transport}: p50", "lone", median(ours, "added_p50_ms"), 1, "ms")
        first = f"{transport}: first token of a new stream"
        yield Goal(f"{first}, p50", "burst", median(ours, "first_token_p50_ms"), 100, "ms")
        yield Goal(f"{first}, p99", "burst", median(ours, "first_token_p99_ms"), 500, "ms")
        memory = f"{transport}: memory of an idle stream"
        most_kib = 25 if transport == "sse" else 30
        yield Goal(memory, "idle", median(ours, "kib_per_stream"), most_kib, "KiB")
        share = f"{transport}: CPU per delivery relative to raw ASGI"
        for load in ("fanout", "fanout500"):
            yield Goal(share, load, ratio(ours, raw), 1.1)
            yield Goal(f"{transport}: delivered", load, least(ours, "delivered"), 1, at_least=True)
        yield Goal(f"{share}, rounds held at 100 ms", "fanout", ratio(held, raw), 0.65)
    opening = ratio(f"{OURS} sse", f"{FASTAPI} sse", "cpu_ms_per_open")
    yield Goal("sse: CPU of an open relative to FastAPI", "idle", opening, 2)
    answer = median(f"{OURS} sse", "kib_per_answer")
    yield Goal("memory of an ended answer of 1,000 tokens", "ended", answer, 29.3, "KiB")
    flat = spread("cpu_us_per_token")
    yield Goal("CPU per token, dearest length relative to the cheapest", "long", flat, 1.15)
    yield Goal("delivered", "long", fewest("delivered"), 1, at_least=True)
    catching_up = slowest("resume_running_ms", "resume_ended_ms")
    yield Goal("resume from the middle, until caught up", "long", catching_up, 100, "ms")


GOALS = tuple(_goals())


def judged(found: Mapping[str, Found]) -> list[dict[str, Any]]:
    """Judge each goal whose load was measured."""
    judgements = [goal.judge(found[goal.load]) for goal in GOALS if goal.load in found]
    return [judgement for judgement in judgements if judgement is not None]


def shortfall(judgement: Mapping[str, Any]) -> str:
    """Describe a missed goal with its figure."""
    words = "at least" if judgement["at_least"] else "at most"
    unit = f" {judgement['unit']}" if judgement["unit"] else ""
    figure = "nothing" if judgement["figure"] is None else f"{judgement['figure']:,.4g}{unit}"
    bound = f"{judgement['bound']:,.4g}{unit}"
    return f"{judgement['load']}, {judgement['goal']}: {figure}; the goal is {words} {bound}"
