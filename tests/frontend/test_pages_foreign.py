"""Pages of other sites, in Chromium."""

from __future__ import annotations

from tests.frontend.conftest import RunPages


def test_a_foreign_page_starts_no_answer_and_the_sites_own_pages_do(run_pages: RunPages) -> None:
    run_pages("foreign")


def test_a_page_of_a_listed_site_asks_with_a_token(run_pages: RunPages) -> None:
    run_pages("other-site")
