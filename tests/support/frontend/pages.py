"""Runs the tests of the pages in a real headless Chromium (`frontend/tests/server/pages`).

Each of their files starts its own servers, which it kills, restarts and reconfigures. A machine
without Chromium fails here, and `frontend/tests/server/browser.ts` says what to do. Several Python
test files run them, so that two workers can share the work.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from tests.support.frontend.node import FRONTEND, run_vitest

PAGES = FRONTEND / "tests" / "server" / "pages"


_SECOND_TRY = re.compile(r"^ *[✓√] (.*) \(retry x1\)", re.MULTILINE)


def run_pages(file: str, transport: str, template: Path, **environment: str) -> list[str]:
    """Run a file of these tests. Each has two tries: on shared cores, a browser is sometimes late.

    Args:
        transport: run only the tests over this transport; "" for all.
        template: a migrated SQLite file, which the servers copy.
        environment: further variables for the tests.

    Returns:
        The names of the tests that passed only on the second try.
    """
    output = run_vitest(
        f"tests/server/pages/{file}.test.ts",
        "--retry=1",
        "--reporter=verbose",
        *(["--testNamePattern", f"over {transport}"] if transport else []),
        LIVEAI_PYTHON=sys.executable,
        LIVEAI_TEMPLATE=str(template),
        NO_COLOR="1",
        **environment,
    )
    return _SECOND_TRY.findall(output)
