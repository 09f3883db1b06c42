"""The pages in Chromium: tabs, reloads, lost sessions, the keyboard, and the real model."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.frontend.conftest import RunPages, over_one
from tests.support.frontend.pages import PAGES

pytestmark = pytest.mark.timeout(660)  # a whole file of tests, each with its own limit


@over_one("websocket")
def test_two_tabs_reloads_and_a_switch(run_pages: RunPages, transport: str) -> None:
    run_pages("tabs", transport)


@over_one("sse")
def test_ten_tabs_with_ten_answers(run_pages: RunPages, transport: str) -> None:
    run_pages("many-tabs", transport)


def test_a_session_that_changes_in_mid_answer(run_pages: RunPages) -> None:
    run_pages("sessions")


def test_accounts(run_pages: RunPages) -> None:
    run_pages("accounts")


def test_exports_and_the_deletion_of_all_answers(run_pages: RunPages) -> None:
    run_pages("own-data")


def test_streams_in_the_admin(run_pages: RunPages) -> None:
    run_pages("admin-streams")


def test_the_keyboard_alone(run_pages: RunPages) -> None:
    run_pages("keyboard")


def test_the_real_local_model(run_pages: RunPages) -> None:
    run_pages("local-model")


def test_every_file_of_pages_is_run() -> None:
    """A file that no test names never fails."""
    source = "".join(path.read_text() for path in Path(__file__).parent.glob("test_pages_*.py"))
    files = [path.name.removesuffix(".test.ts") for path in PAGES.glob("*.test.ts")]
    assert files
    assert [name for name in files if not re.search(rf'run_pages\(\s*"{name}"', source)] == []
