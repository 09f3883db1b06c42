"""The pages in Chromium: from prompt to end, including failed answers and connections."""

from __future__ import annotations

import pytest

from tests.frontend.pages import run_pages

pytestmark = pytest.mark.timeout(660)  # a whole file of tests, each with its own limit


def test_each_block_from_prompt_to_end() -> None:
    run_pages("blocks")


def test_stopped_failed_and_lost_answers() -> None:
    run_pages("ends")


def test_lines_that_are_cut_or_blocked() -> None:
    run_pages("lines")
