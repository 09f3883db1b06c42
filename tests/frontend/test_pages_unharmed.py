"""The pages in Chromium: hostile output, and accessibility."""

from __future__ import annotations

import pytest

from tests.frontend.conftest import RunPages

pytestmark = pytest.mark.timeout(660)  # a whole file of tests, each with its own limit


def test_hostile_output_does_nothing_and_fetches_nothing(run_pages: RunPages) -> None:
    run_pages("hostile")


def test_hostile_diagrams(run_pages: RunPages) -> None:
    run_pages("diagrams")


def test_the_operators_pages(run_pages: RunPages) -> None:
    run_pages("operating")


def test_axe_finds_nothing(run_pages: RunPages) -> None:
    run_pages("accessibility", "sse")  # what is shown does not depend on the transport
