"""Reports missing requirements of tests loudly, and as failures where everything is required.

`.ci/run` sets `LIVEAI_REQUIRE_ALL=1`. `tests/conftest.py` imports the hook for every run.
"""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

_SIGN = "MISSING: "


def skip_loudly(what: str) -> NoReturn:
    """Skip the running test, or fail it where skipping is forbidden.

    Args:
        what: the missing requirement and how to install it, in one line.
    """
    if os.environ.get("LIVEAI_REQUIRE_ALL") == "1":
        pytest.fail(f"{what} (LIVEAI_REQUIRE_ALL is set: nothing may be skipped)", pytrace=False)
    pytest.skip(f"{_SIGN}{what}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Report at the end what was missing and how many tests that affected."""
    counts: dict[str, int] = {}
    for report in terminalreporter.getreports("skipped"):
        # A tuple of path, line and reason; a list if the report comes from another process.
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple | list) else ""
        _, sign, what = str(reason).partition(_SIGN)
        if sign:
            counts[what] = counts.get(what, 0) + 1
    if counts:
        terminalreporter.section("NOT TESTED", sep="!", red=True, bold=True)
    for what, count in counts.items():
        terminalreporter.write_line(f"{count} tests were SKIPPED: {what}", red=True)
