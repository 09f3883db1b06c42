"""The site on a read-only disk: only the places that it names need to be written."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.faults.missing import skip_loudly
from tests.support.faults.postgres_server import PostgresServer
from tests.support.servers.harness import (
    ENVIRONMENT,
    ROOT,
    AnyDatabase,
    Database,
    clean_environment,
    running,
)
from tests.support.servers.read_only import (
    NO_NAMESPACES,
    can_be_read_only,
    read_only,
    run_read_only,
)
from tests.support.servers.visitor import Visitor

KEY = "DJANGO_SECRET_KEY"


@pytest.fixture(autouse=True)
def namespaces(tmp_path: Path) -> None:
    if not can_be_read_only(tmp_path / "probe"):
        skip_loudly(NO_NAMESPACES)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(
    request: pytest.FixtureRequest, template: Path, tmp_path: Path
) -> Iterator[AnyDatabase]:
    if request.param == "sqlite":
        yield Database(template, tmp_path / "data")
        return
    postgres: PostgresServer = request.getfixturevalue("postgres_of_session")
    if not postgres.is_running:
        postgres.start()
    yield postgres.make_migrated("read_only", tmp_path / "data")


async def test_an_answer_is_given_and_kept_with_the_database_elsewhere(
    database: AnyDatabase,
) -> None:
    folder = [database.folder] if isinstance(database, Database) else []
    with running("serve", database, wrapper=read_only(*folder)) as server:
        visitor = await Visitor.arrive(server.port)
        async with await visitor.ask("Why is the sky blue?") as client:
            await client.until(lambda c: c.has_ended)
        _, page = await visitor.call("GET", "/api/streams")
        assert [row["status"] for row in page["results"]] == ["complete"]
        async with await visitor.open("/static/admin/css/base.css") as client:
            assert client.status == 200
        assert "liveai.W004" in server.output
        server.assert_unharmed()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the project without a `var/`, so that the tests don't share one."""
    folder = tmp_path / "checkout"
    for name in ("liveai", "operating", "streaming", "blocks"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copytree(
        ROOT / "frontend", folder / "frontend", ignore=shutil.ignore_patterns("node_modules")
    )
    shutil.copy(ROOT / "manage.py", folder)
    return folder


@pytest.mark.parametrize("command", ["check", "serve", "migrate"])
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({KEY: ""}, "DJANGO_SECRET_KEY is empty, and a key of our own can't be kept in"),
        ({}, "The database can't be used"),
        ({"DATABASE_URL": "sqlite:////nowhere/db.sqlite3"}, "The database can't be used"),
    ],
    ids=["no key", "no var", "no folder"],
)
def test_what_can_not_be_written_is_named_in_words(
    checkout: Path, command: str, changes: dict[str, str], words: str
) -> None:
    env = {**clean_environment(), **ENVIRONMENT, "PYTHONPATH": str(checkout), **changes}
    done = run_read_only([sys.executable, "manage.py", command], cwd=checkout, env=env)
    assert done.returncode != 0
    assert words in done.stderr and "Traceback" not in done.stderr
    if KEY not in changes and command != "migrate":
        assert "liveai.E004" in done.stderr


def test_a_database_is_made_without_a_temporary_folder(checkout: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    url = f"sqlite:///{data}/db.sqlite3"
    env = {**clean_environment(), **ENVIRONMENT, "PYTHONPATH": str(checkout), "DATABASE_URL": url}
    command = [sys.executable, "manage.py", "migrate", "-v0"]
    done = run_read_only(command, data, cwd=checkout, env=env)
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    assert (data / "db.sqlite3").stat().st_size > 100_000
