"""Real servers for the fault tests."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.faults.missing import skip_loudly
from tests.support.faults.postgres_server import (
    POSTGRES_BINARIES,
    PostgresDatabase,
    PostgresServer,
    running_postgres,
)
from tests.support.faults.redis_server import REDIS_BINARIES, RedisServer, running_redis
from tests.support.faults.upstream_server import UpstreamServer, running_upstream

_NO_POSTGRES = (
    "no PostgreSQL on this machine, so nothing of it was tested. On Debian: apt install postgresql"
)
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def upstream() -> Iterator[UpstreamServer]:
    """The upstream service of the servers of a file."""
    with running_upstream() as server:
        yield server


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis for this test."""
    with running_redis(tmp_path / "redis") as server:
        yield server


@pytest.fixture(params=REDIS_BINARIES)
def any_redis(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis for this test, once for each installed implementation."""
    with running_redis(tmp_path / "redis", request.param) as server:
        yield server


@pytest.fixture(scope="session")
def postgres_of_session() -> Iterator[PostgresServer]:
    if not POSTGRES_BINARIES:
        skip_loudly(_NO_POSTGRES)
    with running_postgres() as server:
        yield server


@pytest.fixture
def postgres(postgres_of_session: PostgresServer) -> PostgresServer:
    """The shared PostgreSQL of the run, restarted if an earlier test stopped it."""
    if not postgres_of_session.is_running:
        postgres_of_session.start()
    return postgres_of_session


@pytest.fixture(params=POSTGRES_BINARIES or ["none"])
def any_postgres(request: pytest.FixtureRequest) -> Iterator[PostgresServer]:
    """A PostgreSQL for this test, once for each installed version."""
    if not POSTGRES_BINARIES:
        skip_loudly(_NO_POSTGRES)
    with running_postgres(request.param) as server:
        yield server


@pytest.fixture
def postgres_database(postgres: PostgresServer, tmp_path: Path) -> PostgresDatabase:
    """A migrated database for this test, as servers accept it."""
    return postgres.make_migrated(f"test_{next(_numbers)}", tmp_path / "postgres")
