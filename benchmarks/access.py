"""Foreign and guessed accesses over every entry point and with every ended right: none succeeds.

Two web processes run on Redis, and on PostgreSQL if it is installed, and a third one where
anonymous use is off. `tests/support/servers/access/` makes the cases from a seed and judges each
answer: it must be a refusal, and the refusals of what exists and of what does not must be the same
to the byte. At the end nothing may have changed, and the owners must still be able to do all of it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import django

from tests.support import signed_tokens
from tests.support.faults.postgres_server import POSTGRES_BINARIES, running_postgres
from tests.support.faults.redis_server import running_redis
from tests.support.servers.access.attack import add_running, attack, cases_of, own_accesses
from tests.support.servers.access.judging import SHOWN, Report
from tests.support.servers.access.people import prepare, state_of
from tests.support.servers.access.rights import rights_of
from tests.support.servers.harness import (
    AnyDatabase,
    Database,
    Server,
    make_template,
    running,
    running_many,
)

RESULTS = Path(__file__).parent / "results" / "access.json"
ENVIRONMENT = {
    **signed_tokens.ENVIRONMENT,
    "STREAM_DEADLINE_SECONDS": "86400",  # the victims' answers must still run at the end
    "PYTHONHASHSEED": "0",  # django-csp writes its directives in the order of a set
}


@contextmanager
def running_site() -> Iterator[tuple[AnyDatabase, list[Server], str]]:
    """Run the processes; yields their database, the processes, and the database's kind."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        redis = stack.enter_context(running_redis(folder / "redis"))
        database: AnyDatabase
        if POSTGRES_BINARIES:
            postgres = stack.enter_context(running_postgres())
            database, kind = postgres.make_migrated("access", folder / "database"), "PostgreSQL"
        else:
            make_template(folder / "template.sqlite3")
            database, kind = Database(folder / "template.sqlite3", folder / "database"), "SQLite"
        environment = {"REDIS_URL": redis.url, **ENVIRONMENT}
        servers = stack.enter_context(running_many(2, database, environment=environment))
        closed = {**environment, "AI_ALLOW_ANONYMOUS": "false"}
        servers.append(stack.enter_context(running("serve", database, environment=closed)))
        yield database, servers, kind


async def measure(
    database: AnyDatabase, servers: list[Server], given: argparse.Namespace
) -> tuple[Report, dict[str, Any]]:
    """Make the accesses; return the report, and figures of what happened around them."""
    *ports, closed_port = [server.port for server in servers]
    people = prepare(database)
    await add_running(people, ports[0])
    before = state_of(database)
    rights = rights_of(people, port=ports[0], closed_port=closed_port)
    cases = cases_of(rights, count=given.accesses, seed=given.seed)
    began = time.monotonic()
    report = await attack(cases, people, ports=ports, closed_port=closed_port)
    seconds = time.monotonic() - began
    report.read_log("".join(server.output for server in servers))
    after = state_of(database)
    failed = await own_accesses(people, ports[1])
    return report, {
        "seconds": round(seconds, 1),
        "changed_tables": [name for name, rows in before.items() if rows != after[name]],
        "owners_refused": [words for one in failed.values() for words in one],
    }


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bench access", description=__doc__)
    parser.add_argument("--accesses", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    given = parser.parse_args(argv)
    django.setup()  # the pages' addresses come from the URL configuration
    print(f"{given.accesses} foreign or guessed accesses, seed {given.seed}:")
    with running_site() as (database, servers, kind):
        print(f"  two processes on Redis and {kind}, and one where anonymous use is off")
        report, around = asyncio.run(measure(database, servers, given))
        for server in servers:
            server.assert_unharmed()
    figures = {
        "seed": given.seed,
        "database": kind,
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "goals": {"succeeded": 0, "different_refusals": 0, "changed": 0, "owners_refused": 0},
        "accesses": report.accesses,
        "succeeded": len(report.succeeded),
        "different_refusals": len(report.different),
        "changed": len(around["changed_tables"]),
        "owners_refused": len(around["owners_refused"]),
        "seconds": around["seconds"],
        "entry_points": dict(sorted(report.by_entry.items())),
        "rights": dict(sorted(report.by_right.items())),
    }
    RESULTS.write_text(json.dumps(figures, indent=1) + "\n")
    wrong = [*report.succeeded, *report.different, *around["owners_refused"]]
    for words in [*wrong[:SHOWN], *around["changed_tables"]]:
        print(f"  GOAL MISSED: {words}")
    print(
        f"  {figures['accesses']} accesses through {len(report.by_entry)} entry points with"
        f" {len(report.by_right)} rights in {figures['seconds']} s: {figures['succeeded']}"
        f" succeeded, {figures['different_refusals']} refusals differed"
    )
    return 1 if wrong or around["changed_tables"] else 0
