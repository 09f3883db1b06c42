"""The PostgreSQL of the fault tests behaves as its faults are named."""

from __future__ import annotations

from pathlib import Path

import psutil
import psycopg
import pytest

from tests.support.faults.postgres_server import PostgresDatabase, PostgresServer, is_alive
from tests.support.servers.harness import eventually, running_many
from tests.support.servers.visitor import Visitor


async def test_it_keeps_what_was_committed_over_a_kill(any_postgres: PostgresServer) -> None:
    url = any_postgres.make_database("mine")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept (value text)")
        connection.execute("INSERT INTO kept VALUES ('über 😀')")
        connection.execute("CHECKPOINT")
        connection.execute("INSERT INTO kept VALUES ('after a checkpoint')")
        await eventually(lambda: any_postgres.backends() == any_postgres.backends("mine") == 1)
        # A backend ends a moment after its client, here the client that counted.
        await eventually(lambda: any_postgres.backends("postgres") == 0)
        processes = [psutil.Process(any_postgres.pid)]
        processes += processes[0].children(recursive=True)
        any_postgres.kill()
        assert not any(is_alive(process) for process in processes)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)
    any_postgres.kill()
    any_postgres.start()
    # The same holds for the client of `start`.
    await eventually(lambda: any_postgres.backends() == 0)
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT value FROM kept").fetchall()
    assert rows == [("über 😀",), ("after a checkpoint",)]


def test_ended_it_leaves_no_process_and_no_folder(any_postgres: PostgresServer) -> None:
    children = psutil.Process(any_postgres.pid).children(recursive=True)
    assert children and any_postgres.folder.exists()
    any_postgres.end()
    assert not any(is_alive(child) for child in children)
    assert not any_postgres.folder.exists()
    any_postgres.end()


def test_each_test_has_a_migrated_database_of_its_own(
    postgres: PostgresServer, postgres_database: PostgresDatabase, tmp_path: Path
) -> None:
    another = postgres.make_migrated("another", tmp_path / "another")
    with psycopg.connect(postgres_database.url, autocommit=True) as connection:
        connection.execute("DELETE FROM auth_user")
    with psycopg.connect(another.url) as connection:
        names = connection.execute("SELECT username FROM auth_user").fetchall()
    assert names == [("admin",)]


async def test_two_servers_run_on_it(postgres_database: PostgresDatabase) -> None:
    with running_many(2, postgres_database) as servers:
        first, second = (server.port for server in servers)
        assert first != second
        visitor = await Visitor.arrive(first)
        async with await visitor.ask("Why is the sky blue?") as client:
            events = await client.until_end()
        assert events[-1]["type"] == "complete"
        stream_id = events[0]["stream_id"]
        await eventually(lambda: statuses(postgres_database) == [("complete",)])
        visitor.port = second  # the same session, and the same row
        assert (await visitor.snapshot(stream_id))["status"] == "complete"
        for server in servers:
            server.assert_unharmed()
        assert postgres_database.server.backends(postgres_database.name) > 0


def statuses(database: PostgresDatabase) -> list[tuple[str]]:
    with psycopg.connect(database.url) as connection:
        return connection.execute("SELECT status FROM streaming_stream").fetchall()
