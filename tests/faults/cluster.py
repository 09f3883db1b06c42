"""A whole service of a test's own: web processes and workers on one Redis and one database, with
an upstream whose answers are planned.

    with running_cluster(folder, web=2) as cluster:
        async with cluster.visited() as service:
            ...
            cluster.kill(cluster.web[0])
        cluster.ensure(web=2)
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.faults.client import Service
from tests.faults.plan import Plan
from tests.faults.redis_server import RedisServer, free_port, running_redis
from tests.faults.upstream_server import UpstreamServer, running_upstream
from tests.servers.harness import (
    APPLICATION,
    AnyDatabase,
    Database,
    Server,
    eventually,
    make_template,
)

PREFIX = "faults"  # of all keys

GONE_SECONDS = 15.0
"""Within this time after a generator's death every viewer has more of its stream, or its end."""


class Cluster:
    """
    Attributes:
        web, workers: those that run; what a test kills is taken out.
        ended: those that were killed or stopped.
        environment: of all that are started.
    """

    def __init__(
        self,
        database: AnyDatabase,
        redis: RedisServer,
        upstream: UpstreamServer,
        environment: Mapping[str, str],
        *,
        app: str = APPLICATION,
    ) -> None:
        self._app = app
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
            port: of the one web process that comes back to where another was.
        """
        started = [self._make("serve", port, environment) for _ in range(web)]
        started += [self._make("work", 0, environment) for _ in range(workers)]
        for server in started:
            server.wait_until_listening()
        return started

    def ensure(self, *, web: int = 0, workers: int = 0) -> None:
        """Start what is missing of so many."""
        self.start(web=max(0, web - len(self.web)), workers=max(0, workers - len(self.workers)))

    def _make(self, kind: str, port: int, environment: Mapping[str, str]) -> Server:
        if kind == "serve":
            port = port or free_port()  # one that the next to come back finds free
        server = Server(
            kind,
            self.database,
            app=self._app,
            environment={**self.environment, **environment},
            port=port,
        )
        (self.workers if kind == "work" else self.web).append(server)
        return server

    def kill(self, server: Server) -> float:
        """`kill -9`; when that was, by the clock of all records."""
        server.kill()
        at = time.monotonic()
        server.assert_nothing_broke()
        self.take_out(server)
        return at

    def take_out(self, server: Server) -> None:
        """It ends, or has ended, by the test's doing."""
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

    # --- who asks -----------------------------------------------------------------

    @property
    def ports(self) -> list[int]:
        return [server.port for server in self.web]

    @contextlib.asynccontextmanager
    async def visited(self) -> AsyncIterator[Service]:
        """A visitor of all web processes. Afterwards the service is held to its order; a failure
        shows what all processes said."""
        try:
            yield await Service.arrive(self.ports)
            await self.settle()
        except BaseException:
            self.say_all()
            raise

    # --- what is going on -----------------------------------------------------------

    def last_of(self, stream_id: str) -> int:
        """The newest seq in a stream's log; -1: none."""
        last = self.redis.client().hget(f"{PREFIX}:{{{stream_id}}}", "last")
        return -1 if last is None else int(str(last))

    def wish_cancel_silently(self, stream_id: str) -> None:
        """Store a cancel as a process does whose signal then gets lost."""
        self.redis.client().hset(f"{PREFIX}:{{{stream_id}}}", "cancel", "owner")

    def generator_of(self, stream_id: str) -> Server:
        """The process whose row a stream's is: it has its lock file open."""
        ((name,),) = self.rows("SELECT process FROM streaming_stream WHERE id = ?", stream_id)
        for server in [*self.web, *self.workers]:
            if any(Path(file.path).stem == name for file in server.process.open_files()):
                return server
        raise AssertionError(f"nobody generates {stream_id}")

    async def renewed(self, stream_id: str) -> None:
        """Wait until a stream's lease has just been prolonged: its process looks at what is stored
        of it then, and not again for two seconds."""
        redis, key = self.redis.client(), f"{PREFIX}:{{{stream_id}}}"
        before = redis.hget(key, "until")
        await eventually(lambda: redis.hget(key, "until") != before)

    async def reached(
        self, stream_ids: Collection[str], seq: int, *, count: int | None = None
    ) -> None:
        """Wait until so many streams are there, and each log has an event of this number.

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
        """Let upstream go on with what these hold back, in whichever call."""
        for plan in plans:
            self.upstream.release(plan.key)

    def unended(self) -> list[tuple[Any, ...]]:
        """Ids and states of the rows that have no end."""
        return self.rows("SELECT id, status FROM streaming_stream WHERE ended_at IS NULL")

    def recoveries(self, stream_ids: Collection[str]) -> list[int]:
        """How often each of these was taken up after its generator's death."""
        counts = dict(self.rows("SELECT id, recoveries FROM streaming_stream"))
        return [counts[stream_id] for stream_id in stream_ids]

    def rows(self, query: str, *values: str) -> list[tuple[Any, ...]]:
        opened = sqlite3.connect(self.database.path, timeout=20)
        with contextlib.closing(opened) as connection:
            return list(connection.execute(query, values))

    def change(self, statement: str, *values: str) -> None:
        """Change rows behind the processes' backs."""
        opened = sqlite3.connect(self.database.path, timeout=20)
        with contextlib.closing(opened) as connection, connection:
            connection.execute(statement, values)

    async def settle(self) -> None:
        """Hold the service to its order, now that all is over: those that live are unharmed, no
        stream runs, and no call is open upstream."""
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
) -> Iterator[Cluster]:
    """A cluster that serves, ended afterwards whatever happened.

    Args:
        folder: its own; made where it is missing.
        prepare: called with the path of the migrated SQLite file before anything is started.
        app: what the web processes serve, if not the project's own application.
    """
    folder.mkdir(parents=True, exist_ok=True)
    make_template(folder / "template.sqlite3")
    database = Database(folder / "template.sqlite3", folder / "database")
    prepare(database.path)
    with running_redis(folder / "redis") as redis, running_upstream() as upstream:
        cluster = Cluster(database, redis, upstream, environment, app=app)
        try:
            cluster.start(web=web, workers=workers)
            yield cluster
        finally:
            cluster.end()
