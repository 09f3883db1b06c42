"""Computes figures from the browser's recording of an answer. Pure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

FRAME_MS = 1000 / 60


@dataclass(frozen=True)
class Figures:
    """Times in ms; None where the case does not measure the figure."""

    elapsed_ms: float
    """From the key that submits the prompt to the frame that shows the end."""
    frame_p50_ms: float
    frame_p95_ms: float
    dropped: float
    """Frames not drawn when due, as a share of the due frames.

    At 60 frames a second, a gap of 50 ms is two dropped frames of three, not one late frame.
    """
    commits: int
    """Number of React commits on the whole page."""
    long_frames: int
    """Frames of 50 ms and more, as the browser counts them ("long-animation-frame")."""
    longest_frame_ms: float
    painted_ms: float
    """From the server's last event to the first frame after which the answer no longer changes."""
    typing_p50_ms: float | None = None
    typing_max_ms: float | None = None
    """From a key press to the frame that shows its letter."""


def figures_of(sample: Mapping[str, Any]) -> Figures:
    """Compute the figures of a recording of `frontend/tests/bench/recorder.ts`."""
    asked, live, painted = sample["askedAt"], sample["liveAt"], sample["paintedAt"]
    times = [at for at in sample["frames"] if live <= at <= painted]
    gaps = [after - before for before, after in pairwise(times)]
    if not gaps:
        raise ValueError("the browser drew no frames")
    due = [max(1, round(gap / FRAME_MS)) for gap in gaps]
    long = [frame["duration"] for frame in long_frames(sample)]
    lags = sample["keyLags"]
    return Figures(
        elapsed_ms=round(painted - asked, 1),
        frame_p50_ms=round(percentile(gaps, 50), 1),
        frame_p95_ms=round(percentile(gaps, 95), 1),
        dropped=round(1 - len(due) / sum(due), 4),
        commits=sum(asked <= at <= painted for at in sample["commits"]),
        long_frames=len(long),
        longest_frame_ms=round(max(long, default=0.0), 1),
        painted_ms=round(painted - sample["endedAt"], 1),
        typing_p50_ms=round(percentile(lags, 50), 1) if lags else None,
        typing_max_ms=round(max(lags), 1) if lags else None,
    )


def long_frames(sample: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the long frames that the browser reported during the answer."""
    return [
        frame
        for frame in sample["longFrames"]
        if frame["at"] + frame["duration"] >= sample["liveAt"]
        and frame["at"] <= sample["paintedAt"]
    ]


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the smallest value that at least this percentage of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def medians(rounds: Sequence[Figures]) -> dict[str, float | None]:
    """Return the median of each figure over the rounds."""
    found = [asdict(figures) for figures in rounds]
    return {
        name: None if value is None else round(statistics.median(each[name] for each in found), 4)
        for name, value in found[0].items()
    }
