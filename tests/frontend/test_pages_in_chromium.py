"""The pages in a real headless Chromium, against real servers of their own (`frontend/tests/server/pages`).

Each file of tests starts its servers itself: those are killed, started again and switched in between.
A machine without Chromium fails here, and `frontend/tests/server/browser.ts` says what to do.
"""

from __future__ import annotations

import sys

import pytest

from tests.frontend.node import FRONTEND, run_vitest

PAGES = FRONTEND / "tests" / "server" / "pages"


def run_pages(file: str) -> None:
    run_vitest(f"tests/server/pages/{file}.test.ts", LIVEAI_PYTHON=sys.executable)


def test_each_block_from_prompt_to_end() -> None:
    run_pages("blocks")


def test_stopped_failed_and_lost_answers() -> None:
    run_pages("ends")


def test_lines_that_are_cut_or_blocked() -> None:
    run_pages("lines")


def test_two_tabs_reloads_and_a_switch_turned_meanwhile() -> None:
    run_pages("tabs")


def test_hostile_output_does_nothing_and_fetches_nothing() -> None:
    run_pages("hostile")


def test_a_thousand_hostile_diagrams() -> None:
    run_pages("diagrams")


def test_axe_finds_nothing() -> None:
    run_pages("accessibility")


def test_the_keyboard_alone() -> None:
    run_pages("keyboard")


def test_the_real_local_model() -> None:
    run_pages("local-model")


def test_every_file_of_pages_is_run(request: pytest.FixtureRequest) -> None:
    """A file that no test here names would never fail."""
    source = request.path.read_text()
    files = [path.name.removesuffix(".test.ts") for path in PAGES.glob("*.test.ts")]
    assert [name for name in files if f'run_pages("{name}")' not in source] == []
