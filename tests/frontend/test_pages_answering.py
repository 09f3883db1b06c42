"""The pages in Chromium: from prompt to end, including failed answers and connections."""

from __future__ import annotations

import pytest

from tests.frontend.conftest import RunPages, over_each, over_one

pytestmark = pytest.mark.timeout(660)  # a whole file of tests, each with its own limit


@over_each
def test_each_block_from_prompt_to_end(run_pages: RunPages, transport: str) -> None:
    run_pages("blocks", transport)


@over_each
def test_stopped_failed_and_lost_answers(run_pages: RunPages, transport: str) -> None:
    run_pages("ends", transport)


@over_one("sse")
def test_thinking_and_refusals(run_pages: RunPages, transport: str) -> None:
    run_pages("thinking", transport)


def test_lines_that_are_cut_or_blocked(run_pages: RunPages) -> None:
    run_pages("lines")


def test_samples_that_need_no_model(run_pages: RunPages) -> None:
    run_pages("samples", "sse")  # they are ordinary streams


@over_each
def test_the_page_of_an_answer(run_pages: RunPages, transport: str) -> None:
    run_pages("answer", transport)


@over_each
def test_a_quiz_that_is_answered_while_it_is_written(run_pages: RunPages, transport: str) -> None:
    run_pages("quiz", transport)
