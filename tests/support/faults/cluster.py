"""A whole service for one test: web processes and workers on one Redis, database and upstream.

    with running_cluster(folder, web=2) as cluster:
        async with cluster.visited() as service:
            ...
            cluster.kill(cluster.web[0])
        cluster.ensure(web=2)

The prompts plan the answers of the upstream.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.support.faults.client import Service
from tests.support.faults.plan import Plan
from tests.support.faults.redis_server import RedisServer, free_port, running_redis
from tests.support.faults.upstream_server import UpstreamServer, running_upstream
from tests.support.servers.harness import (
    APPLICATION,
    AnyDatabase,
    Database,
    Server,
    eventually,
    make_template,
)

PREFIX = "faults"  # of all keys

GONE_SECONDS = 20.0
"""After a generator's death, every viewer gets more of its stream, or its end, within this time."""

QUICKLY_GONE_SECONDS = 12.0
"""The same with a quick clock. A busy machine is late by as much as with the true one."""


class Cluster:
    """The processes of one service.

    Attributes:
        web, workers: running processes; killed ones are removed.
        ended: killed or stopped processes.
        environment: for every process started.
    """

    def __init__(
        self,
        database: AnyDatabase,
        redis: RedisServer,
        upstream: UpstreamServer,
        environment: Mapping[str, str],
        *,
        app: str = APPLICATION,
        is_quick: bool = False,
    ) -> None:
        self._app = app
        self._is_quick = is_quick
        self.database = database
        self.redis = redis
        self.upstream = upstream
        self.environment = {
            **upstream.environment,
            "AI_CAN_CONTINUE": "true",
            "REDIS_URL": redis.url,
            "REDIS_PREFIX": PREFIX,
            **environment,
        }
        self.web: list[Server] = []
        self.workers: list[Server] = []
        self.ended: list[Server] = []

    # --- processes --------------------------------------------------------------

    def start(
        self,
        *,
        web: int = 0,
        workers: int = 0,
        port: int = 0,
        environment: Mapping[str, str] = {},
    ) -> list[Server]:
        """Start processes at the same time, and wait until they are ready.

        Args:
            port: reuses the port of an earlier web process.
        """
        started = [self._make("serve", port, environment) for _ in range(web)]
        started += [self._make("work", 0, environment) for _ in range(workers)]
        for server in started:
            server.wait_until_listening()
        return started

    def ensure(self, *, web: int = 0, workers: int = 0) -> None:
        """Start as many processes as are missing."""
        self.start(web=max(0, web - len(self.web)), workers=max(0, workers - len(self.workers)))

    def _make(self, kind: str, port: int, environment: Mapping[str, str]) -> Server:
        if kind == "serve":
            port = port or free_port()  # one that a restarted process finds free
        server = Server(
            kind,
            self.database,
            app=self._app,
            environment={**self.environment, **environment},
            is_quick=self._is_quick,
            port=port,
        )
        (self.workers if kind == "work" else self.web).append(server)
        return server

    def kill(self, server: Server) -> float:
        """Send `kill -9`; return the time on the clock of all records."""
        server.kill()
        at = time.monotonic()
        server.assert_nothing_broke()
        self.take_out(server)
        return at

    def take_out(self, server: Server) -> None:
        """Remove a process that the test ends, or has ended."""
        for servers in (self.web, self.workers):
            if server in servers:
                servers.remove(server)
        self.ended.append(server)

    def end(self) -> None:
        for server in [*self.web, *self.workers]:
            server.popen.terminate()
        for server in [*self.web, *self.workers, *self.ended]:
            server.end()

    def say_all(self) -> None:
        for server in [*self.web, *self.workers, *self.ended]:
            print(f"--- what {server.kind} {server.pid} said ---\n{server.output}")

    # --- visitors -----------------------------------------------------------------

    @property
    def ports(self) -> list[int]:
        return [server.port for server in self.web]

    @contextlib.asynccontextmanager
    async def visited(self) -> AsyncIterator[Service]:
        """Yield a visitor of all web processes, then check that the service is in order.

        A failure prints the output of all processes.
        """
        try:
            yield await Service.arrive(self.ports)
            await self.settle()
        except BaseException:
            self.say_all()
            raise

    # --- observing ------------------------------------------------------------------

    def last_of(self, stream_id: str) -> int:
        """Return the newest seq in a stream's log; -1 if it is empty."""
        last = self.redis.client().hget(f"{PREFIX}:{{{stream_id}}}", "last")
        return -1 if last is None else int(str(last))

    def store_intent_silently(self, stream_id: str) -> None:
        """Store a cancel intent as a process does whose signal then gets lost."""
        self.redis.client().hset(f"{PREFIX}:{{{stream_id}}}", "cancel", "owner")

    def generator_of(self, stream_id: str) -> Server:
        """Return the process named by a stream's row: it has its lock file open."""
        ((name,),) = self.rows("SELECT process FROM streaming_stream WHERE id = ?", stream_id)
        for server in [*self.web, *self.workers]:
            if any(Path(file.path).stem == name for file in server.process.open_files()):
                return server
        raise AssertionError(f"nobody generates {stream_id}")

    async def renewed(self, stream_id: str) -> None:
        """Wait until the owner has just renewed a stream's lease.

        The owner checks the stored state of the stream at that moment, and not again for two
        seconds.
        """
        redis, key = self.redis.client(), f"{PREFIX}:{{{stream_id}}}"
        before = redis.hget(key, "until")
        await eventually(lambda: redis.hget(key, "until") != before)

    async def reached(
        self, stream_ids: Collection[str], seq: int, *, count: int | None = None
    ) -> None:
        """Wait until this many streams exist and each log has an event of this number.

        Args:
            stream_ids: may grow while this waits.
        """

        def has_come() -> bool:
            wanted = len(stream_ids) if count is None else count
            return len(stream_ids) >= wanted and all(
                self.last_of(stream_id) >= seq for stream_id in list(stream_ids)
            )

        await eventually(has_come)

    def release(self, plans: Iterable[Plan]) -> None:
        """Let upstream continue the answers held by these plans, in any call."""
        for plan in plans:
            self.upstream.release(plan.key)

    def unended(self) -> list[tuple[Any, ...]]:
        """Return ids and states of the rows that have no end."""
        return self.rows("SELECT id, status FROM streaming_stream WHERE ended_at IS NULL")

    def recoveries(self, stream_ids: Collection[str]) -> list[int]:
        """Return how often each stream was taken over after its generator's death."""
        counts = dict(self.rows("SELECT id, recoveries FROM streaming_stream"))
        return [counts[stream_id] for stream_id in stream_ids]

    def rows(self, query: str, *values: str) -> list[tuple[Any, ...]]:
        with contextlib.closing(self._connect()) as connection:
            return list(connection.execute(query, values))

    def change(self, statement: str, *values: str) -> None:
        """Change rows without telling the processes."""
        with contextlib.closing(self._connect()) as connection, connection:
            connection.execute(statement, values)

    def _connect(self) -> sqlite3.Connection:
        assert isinstance(self.database, Database), "only the rows of SQLite are read here"
        return sqlite3.connect(self.database.path, timeout=20)

    async def settle(self) -> None:
        """Assert a clean end: live processes are unharmed, and no stream or call is left."""
        await eventually(lambda: not self.unended())
        await asyncio.to_thread(self.upstream.wait_until_closed)
        for server in [*self.web, *self.workers]:
            server.assert_unharmed()


@contextlib.contextmanager
def running_cluster(
    folder: Path,
    *,
    web: int = 2,
    workers: int = 0,
    environment: Mapping[str, str] = {},
    prepare: Callable[[Path], None] = lambda path: None,
    app: str = APPLICATION,
    is_quick: bool = False,
) -> Iterator[Cluster]:
    """Run a cluster that serves, and end it in any case.

    Args:
        folder: created if missing; nothing else may use it.
        prepare: called with the path of the migrated SQLite file before any process starts.
        app: the ASGI application of the web processes.
        is_quick: gives all processes a quick clock, see `quick_clock.py`. It suits tests that wait
            for a death. If processes must survive, a busy machine could make them look dead.
    """
    folder.mkdir(parents=True, exist_ok=True)
    make_template(folder / "template.sqlite3")
    database = Database(folder / "template.sqlite3", folder / "database")
    prepare(database.path)
    with running_redis(folder / "redis") as redis, running_upstream() as upstream:
        cluster = Cluster(database, redis, upstream, environment, app=app, is_quick=is_quick)
        try:
            cluster.start(web=web, workers=workers)
            yield cluster
        finally:
            cluster.end()
