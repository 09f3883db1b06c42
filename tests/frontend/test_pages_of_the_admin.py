"""The admin's pages in Chromium."""

from __future__ import annotations

import pytest

from tests.frontend.conftest import RunPages

pytestmark = pytest.mark.timeout(660)  # a whole file of tests, each with its own limit


def test_the_preview_of_a_block_type(run_pages: RunPages) -> None:
    run_pages("block-preview")
