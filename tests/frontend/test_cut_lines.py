"""The TypeScript client against a real server whose connections are cut at random points."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.frontend.node import run_vitest
from tests.support.servers.harness import Database, running
from tests.support.sizes import sized

SCRIPTS = Path(__file__).parent / "scripts"
RUNS = sized(60, 200)

pytestmark = pytest.mark.timeout(660)  # run_vitest has a limit of its own


def test_answers_over_cut_lines_end_as_the_servers_do(template: Path, tmp_path: Path) -> None:
    """At least three cuts each, on both transports, some going over from one to the other."""
    script = {"AI_MODEL": "scripted:cut-lines", "AI_SCRIPTS_DIR": str(SCRIPTS)}
    database = Database(template, tmp_path / "database")
    with running("serve", database, environment=script) as server:
        run_vitest("tests/server/cut-lines.test.ts", LIVEAI_URL=server.url, LIVEAI_RUNS=str(RUNS))
        server.assert_unharmed()
