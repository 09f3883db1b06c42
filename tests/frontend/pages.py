"""Runs the tests of the pages in a real headless Chromium (`frontend/tests/server/pages`).

Each file of them starts its servers itself: those are killed, started again and switched in
between. A machine without Chromium fails here, and `frontend/tests/server/browser.ts` says what to
do. They stand in several files of Python's tests, so that two workers can share them.
"""

from __future__ import annotations

import sys

from tests.frontend.node import FRONTEND, run_vitest

PAGES = FRONTEND / "tests" / "server" / "pages"


def run_pages(file: str) -> None:
    run_vitest(f"tests/server/pages/{file}.test.ts", LIVEAI_PYTHON=sys.executable)
