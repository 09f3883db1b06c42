"""The pages in Chromium: hostile output, and accessibility."""

from __future__ import annotations

import pytest

from tests.frontend.pages import run_pages

pytestmark = pytest.mark.timeout(660)  # a whole file of tests, each with its own limit


def test_hostile_output_does_nothing_and_fetches_nothing() -> None:
    run_pages("hostile")


def test_a_thousand_hostile_diagrams() -> None:
    run_pages("diagrams")


def test_axe_finds_nothing() -> None:
    run_pages("accessibility")
