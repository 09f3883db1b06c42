"""The loads of the comparison, by name."""

from __future__ import annotations

from collections.abc import Callable

from . import opens
from .plan import Found, Plan
from .steady import Steady

STEADY = {
    "200x50": Steady(
        "200 streams × 50 tokens/s", 200, 20, open_every_seconds=0.0137, is_light=True
    ),
    "1000x20": Steady(
        "1,000 streams × 20 tokens/s", 1_000, 50, open_every_seconds=0.0093, has_lag=True
    ),
    "1000x50": Steady(
        "1,000 streams × 50 tokens/s, opened over 4 s", 1_000, 20, open_every_seconds=0.004
    ),
    "lone": Steady("One stream of 50 tokens/s", 1, 20, open_every_seconds=0.0),
}

LOADS: dict[str, Callable[[Plan], Found]] = {
    **{name: load.run for name, load in STEADY.items()},
    "opens": opens.run,
}

TITLES = {**{name: load.title for name, load in STEADY.items()}, "opens": opens.TITLE}
