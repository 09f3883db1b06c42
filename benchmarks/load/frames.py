"""What a browser recorded while an answer came, as figures. Pure."""

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
    """Times in ms; None where the case does not measure it."""

    elapsed_ms: float
    """From the key that asks to the frame that shows the end."""
    frame_p50_ms: float
    frame_p95_ms: float
    dropped: float
    """Frames that were not drawn when they were due, as a share of those that were due.

    A gap of 50 ms at 60 frames a second is two dropped of three, not one late frame.
    """
    commits: int
    """React's, of all the page."""
    long_frames: int
    """Of 50 ms and more, as the browser counts them ("long-animation-frame")."""
    longest_frame_ms: float
    painted_ms: float
    """From the server's last word to the first frame after which nothing of the answer changes."""
    typing_p50_ms: float | None = None
    typing_max_ms: float | None = None
    """From a key to the frame that shows its letter."""


def figures_of(sample: Mapping[str, Any]) -> Figures:
    """Of what `frontend/tests/bench/recorder.ts` recorded."""
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
    """Those that the browser counted while the answer came."""
    return [
        frame
        for frame in sample["longFrames"]
        if frame["at"] + frame["duration"] >= sample["liveAt"]
        and frame["at"] <= sample["paintedAt"]
    ]


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that so many percent of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def medians(rounds: Sequence[Figures]) -> dict[str, float | None]:
    """Of each figure over the rounds."""
    found = [asdict(figures) for figures in rounds]
    return {
        name: None if value is None else round(statistics.median(each[name] for each in found), 4)
        for name, value in found[0].items()
    }
