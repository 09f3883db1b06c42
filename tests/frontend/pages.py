"""Runs the tests of the pages in a real headless Chromium (`frontend/tests/server/pages`).

Each of their files starts its own servers, which it kills, restarts and reconfigures. A machine
without Chromium fails here, and `frontend/tests/server/browser.ts` says what to do. Several Python
test files run them, so that two workers can share the work.
"""

from __future__ import annotations

import sys

from tests.frontend.node import FRONTEND, run_vitest

PAGES = FRONTEND / "tests" / "server" / "pages"


def run_pages(file: str) -> None:
    run_vitest(f"tests/server/pages/{file}.test.ts", LIVEAI_PYTHON=sys.executable)
