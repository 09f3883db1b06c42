"""The pages in Chromium: asking on home, without a connection, and where something is off."""

from __future__ import annotations

import pytest

from tests.frontend.conftest import RunPages, over_one

pytestmark = pytest.mark.timeout(660)  # a whole file of tests, each with its own limit


@over_one("sse")
def test_a_lost_network_a_dead_server_and_a_full_one(run_pages: RunPages, transport: str) -> None:
    run_pages("away", transport)


@over_one("websocket")
def test_what_is_switched_off_and_who_is_signed_out(run_pages: RunPages, transport: str) -> None:
    run_pages("switched-off", transport)


@over_one("websocket")
def test_a_place_in_line_and_a_time_to_try_again(run_pages: RunPages, transport: str) -> None:
    run_pages("refused-for-now", transport)


def test_home_on_phones(run_pages: RunPages) -> None:
    run_pages("home")
