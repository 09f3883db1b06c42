"""The pages in Chromium: wrong addresses, wide boards, paper, the system's colours, large text."""

from __future__ import annotations

import pytest

from tests.frontend.conftest import RunPages

pytestmark = pytest.mark.timeout(300)  # a whole file of tests, each with its own limit


def test_wrong_addresses_and_refused_requests(run_pages: RunPages) -> None:
    run_pages("wrong-addresses")


def test_diagrams_on_boards_of_any_width(run_pages: RunPages) -> None:
    run_pages("boards")


def test_what_a_printer_gets(run_pages: RunPages) -> None:
    run_pages("print")


def test_forced_colours_large_text_and_phones(run_pages: RunPages) -> None:
    run_pages("looks")
