"""The pages in Chromium: other scripts, formulas, and drawings in answers."""

from __future__ import annotations

import pytest

from tests.frontend.conftest import RunPages

pytestmark = pytest.mark.timeout(300)  # a whole file of tests, each with its own limit


def test_texts_are_shown_as_written(run_pages: RunPages) -> None:
    run_pages("texts")
