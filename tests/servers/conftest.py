"""Servers for the tests of a file, each with its own database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.servers.harness import Database, Server, running

on_both = pytest.mark.parametrize("server", ["serve", "daphne"], indirect=True, scope="module")
"""For tests of what a server itself does: how it reads, sends, and loses lines."""


@pytest.fixture
def database(template: Path, tmp_path: Path) -> Database:
    return Database(template, tmp_path)


@pytest.fixture(scope="module")
def module_database(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Database:
    return Database(template, tmp_path_factory.mktemp("server"))


@pytest.fixture(scope="module", params=["serve"])
def server(
    request: pytest.FixtureRequest, template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """The same server for all tests of a file: ours, and Daphne for those that are `on_both`."""
    database = Database(template, tmp_path_factory.mktemp(request.param))
    with running(request.param, database) as started:
        yield started
        started.assert_unharmed()
