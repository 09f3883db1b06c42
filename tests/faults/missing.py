"""What a test needs and this machine lacks: said loudly, and a failure where all is required.

`.ci/run` sets `LIVEAI_REQUIRE_ALL=1`. `tests/conftest.py` takes the hook in, for every run.
"""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

_SIGN = "MISSING: "


def skip_loudly(what: str) -> NoReturn:
    """Skip the test that runs, or fail it where nothing may be skipped.

    Args:
        what: what is missing and how to get it, in one line.
    """
    if os.environ.get("LIVEAI_REQUIRE_ALL") == "1":
        pytest.fail(f"{what} (LIVEAI_REQUIRE_ALL is set: nothing may be skipped)", pytrace=False)
    pytest.skip(f"{_SIGN}{what}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say at the end, where it is seen, what was missing and how many tests that concerned."""
    counts: dict[str, int] = {}
    for report in terminalreporter.getreports("skipped"):
        # A tuple of path, line and reason; of a report that came from another process a list.
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple | list) else ""
        _, sign, what = str(reason).partition(_SIGN)
        if sign:
            counts[what] = counts.get(what, 0) + 1
    if counts:
        terminalreporter.section("NOT TESTED", sep="!", red=True, bold=True)
    for what, count in counts.items():
        terminalreporter.write_line(f"{count} tests were SKIPPED: {what}", red=True)
