"""The loads of the comparison, by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from . import burst, history, long, memory, opens
from .fanout import FanOut
from .plan import Found, Plan
from .servers import FASTAPI, OURS, RAW
from .steady import Steady


class Load(NamedTuple):
    title: str
    run: Callable[[Plan], Found]


_STEADY = {
    "200x50": Steady("200 streams × 50 tokens/s", 200, 20, 0.0137, is_light=True),
    "1000x20": Steady("1,000 streams × 20 tokens/s", 1_000, 50, 0.0093, has_lag=True),
    "1000x50": Steady("1,000 streams × 50 tokens/s, opened over 4 s", 1_000, 20, 0.004),
    "lone": Steady("One stream of 50 tokens/s", 1, 20, 0.0),
}

GROWTH = (OURS, RAW, FASTAPI)
STREAMS = (50, 200, 500)
"""Numbers of streams of the pictures, besides `1000x20`."""
VIEWERS = (5, 25, 100)
"""Viewers of one stream in the pictures, besides `fanout500`."""

LOADS = {
    **{name: Load(load.title, load.run) for name, load in _STEADY.items()},
    "opens": Load(opens.TITLE, opens.run),
    "burst": Load(burst.TITLE, burst.run),
    "idle": Load(memory.IDLE_TITLE, memory.run_idle),
    "ended": Load(memory.ENDED_TITLE, memory.run_ended),
}
for _title, _name, _streams, _viewers in (
    ("20 streams × 50 viewers × 20 tokens/s", "fanout", 20, 50),
    ("500 viewers of one stream of 20 tokens/s", "fanout500", 1, 500),
):
    LOADS[_name] = Load(_title, FanOut(_title, _streams, _viewers).run)
LOADS["long"] = Load(long.TITLE, long.run)
LOADS["history"] = Load(history.TITLE, history.run)
for _streams in STREAMS:
    _title = f"{_streams} streams × 20 tokens/s"
    _steady = Steady(_title, _streams, 50, 0.0093, only=GROWTH, window_seconds=3.0)
    LOADS[f"streams{_streams}"] = Load(_title, _steady.run)
for _viewers in VIEWERS:
    _title = f"{_viewers} viewers of one stream of 20 tokens/s"
    _fanout = FanOut(_title, 1, _viewers, only=GROWTH, window_seconds=3.0)
    LOADS[f"viewers{_viewers}"] = Load(_title, _fanout.run)
