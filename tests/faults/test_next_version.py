"""A new version is rolled out under load, as `deploy/README.md` says: nothing is lost or doubled.

The folder gets the next version's files, its `migrate` runs while the old code serves, and then
`deploy/rolling-restart` replaces one process after the other.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.faults.audience import ends_of
from tests.support.faults.checkout import COLUMN, NEXT, Checkout
from tests.support.faults.client import Service
from tests.support.faults.drive import add_truth, drive, give_verdict
from tests.support.faults.history import StreamHistory
from tests.support.faults.missing import skip_loudly
from tests.support.faults.nginx_server import NGINX, NO_NGINX, running_nginx
from tests.support.faults.plan import Plan
from tests.support.faults.postgres_server import PostgresDatabase
from tests.support.faults.redis_server import free_port, running_redis
from tests.support.faults.units import Units
from tests.support.faults.upstream_server import running_upstream
from tests.support.servers.harness import Server, eventually

SEED = 20_265
DRAIN_SECONDS = 1
VISITORS = 3
"""Who ask one question after the other, each watched by two viewers."""

OUTLASTS = Plan("outlasts-the-old-version", tokens=40, every_ms=20, hold=1, after=20)
"""Its worker hands it over to the next version's."""

HARMLESS = ("terminal", "drop", "lost", "closed", "closed 1012", "reconnect", "refused")
RETRYABLE = ("http 502", "http 503")
"""Refusals that a start or a viewer may get during the roll-out: the client tries again."""


@dataclass
class Load:
    """Visitors who go on asking until they are told to stop."""

    service: Service
    is_over: asyncio.Event = field(default_factory=asyncio.Event)
    histories: list[StreamHistory] = field(default_factory=list)
    started: set[str] = field(default_factory=set)

    async def run(self) -> None:
        await asyncio.gather(*(self._ask(number) for number in range(VISITORS)))

    async def _ask(self, number: int) -> None:
        for count in itertools.count():
            if self.is_over.is_set():
                return
            await self.watch(Plan(f"asked-{number}-{count}", tokens=40, every_ms=40))

    async def watch(self, plan: Plan) -> None:
        self.histories += await drive(
            self.service,
            [plan],
            seed=SEED,
            drops=1,
            viewers=2,
            deadline_seconds=300,
            on_start=lambda _, stream_id: self.started.add(stream_id),
        )

    async def starts(self, count: int, *, unless: asyncio.Future[None]) -> None:
        """Wait for that many further starts, or until the load has failed."""
        wanted = len(self.started) + count
        await eventually(lambda: len(self.started) >= wanted or unless.done(), timeout_seconds=120)


def rows(database: PostgresDatabase, condition: str = "TRUE") -> int:
    with database.server.connect(database.name) as connection:
        query = f"SELECT count(*) FROM streaming_stream WHERE {condition}"
        found = connection.execute(query).fetchone()  # type: ignore[arg-type]
    assert found is not None
    return int(found[0])


@contextlib.contextmanager
def running_units(
    checkout: Checkout, database: PostgresDatabase, environment: dict[str, str], names: list[str]
) -> Iterator[Units]:
    def make(unit: str) -> Server:
        kind, _, name = unit.partition("@")
        return Server(
            "work" if kind == "worker" else "serve",
            database,
            port=int(name) if kind == "web" else 0,
            environment={**environment, **checkout.environment},
            wrapper=checkout.wrapper,
        )

    units = Units(make)
    try:
        units.start(*names)
        yield units
    except BaseException:
        units.say_all()
        raise
    finally:
        units.end()


@pytest.mark.timeout(600)
async def test_a_new_version_is_rolled_out_under_load_and_nothing_is_lost(
    postgres_database: PostgresDatabase, tmp_path: Path
) -> None:
    if NGINX is None:
        skip_loudly(NO_NGINX)
    database, ports = postgres_database, [free_port(), free_port()]
    names = [f"web@{port}" for port in ports] + ["worker@1", "worker@2"]
    checkout = Checkout(tmp_path / "site")
    with (
        running_redis(tmp_path / "redis") as redis,
        running_upstream() as upstream,
        running_nginx(tmp_path / "nginx", ports) as nginx,
    ):
        environment = {
            **upstream.environment,
            "REDIS_URL": redis.url,
            "AI_CAN_CONTINUE": "true",
            "AI_IDLE_SECONDS": "300",  # one answer is held through the whole roll-out
            "AI_STREAMING_RUNNER": "worker",
            "STREAM_DRAIN_SECONDS": str(DRAIN_SECONDS),
        }
        with running_units(checkout, database, environment, names) as units:
            load = Load(await Service.arrive([nginx.port]))
            asking = asyncio.create_task(load.run())
            watching = asyncio.create_task(load.watch(OUTLASTS))
            await load.starts(VISITORS, unless=asking)

            checkout.check_out_next_version()
            migrating = {**environment, "DATABASE_URL": database.url}
            await asyncio.to_thread(checkout.manage, "migrate", environment=migrating)
            await load.starts(VISITORS, unless=asking)
            assert rows(database, f"{COLUMN} = '{NEXT}'") == 0  # the old version serves on

            await roll_out(checkout, units, names, tmp_path)
            await load.starts(VISITORS, unless=asking)
            load.is_over.set()
            upstream.release(OUTLASTS.key)
            await asyncio.gather(asking, watching)

            histories = load.histories
            for history in histories:
                history.retries = 2  # each worker stopped once: a handover costs a call more
            await add_truth(load.service, histories, upstream)
            give_verdict(histories, seed=SEED, folder=tmp_path)
            for server in units.servers.values():
                server.assert_unharmed()
    assert [one for one in ends_of(histories) if one["type"] != "complete"] == []
    # One row for each start, however often it was repeated, and of both versions.
    assert rows(database) == len(histories) == len({history.stream_id for history in histories})
    made = rows(database, f"{COLUMN} IS NULL"), rows(database, f"{COLUMN} = '{NEXT}'")
    assert made[0] >= 2 * VISITORS and made[1] >= VISITORS and sum(made) == len(histories)
    told = {c.ended_by for h in histories for v in h.viewings for c in v.connections}
    assert told <= {*HARMLESS, *RETRYABLE}
    assert "reconnect" in told or "closed 1012" in told  # the restarts did concern them
    (outlasting,) = [history for history in histories if history.prompt == OUTLASTS.prompt]
    assert outlasting.calls in (2, 3)  # the second worker may have got it from the first


async def roll_out(checkout: Checkout, units: Units, names: list[str], folder: Path) -> None:
    old = dict(units.servers)
    async with units.systemd(folder / "bin") as environment:
        rolling = await asyncio.create_subprocess_exec(
            checkout.folder / "deploy" / "rolling-restart",
            *names,
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await rolling.communicate()
    assert rolling.returncode == 0, said.decode()
    assert units.restarted == list(old.values())
