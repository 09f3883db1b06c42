"""Services under attack: `manage.py serve` with its default limits.

The service is one process with SQLite and memory, or several processes with PostgreSQL and Redis.
"""

from __future__ import annotations

import http.client
import json
import resource
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from tests.support.faults.postgres_server import running_postgres
from tests.support.faults.redis_server import running_redis
from tests.support.servers.harness import clean_environment, migrate

from .hostile_doors import AUDIENCE, ISSUER, SHARED_KEY, SILENT_ISSUER
from .hostile_streams import HOLD_PROMPT, LONG_PROMPT
from .servers import ROOT, Server, free_port, running

LOG_SECONDS = 20
"""`STREAM_LOG_SECONDS`. Ended logs must expire before the memory is measured.

Their size has a limit of its own.
"""

OPEN_FILES = 1_024
"""The soft limit of a login shell."""

SCRIPT: dict[str, Any] = {
    "model": "bench",
    "replies": [
        {"when": {"prompt_has": HOLD_PROMPT}, "steps": [{"clock": 150, "every_ms": 200}]},
        {"when": {"prompt_has": LONG_PROMPT}, "steps": [{"clock": 2_000}]},
        {"steps": [{"text": "A few words of an answer that comes at once."}]},
    ],
}


@dataclass(frozen=True)
class Service:
    servers: list[Server]
    file: str  # path of the largest served static file
    search_cookie: str  # `sessionid` of the visitor of `long_history.py`
    log: Path  # output of all servers

    @property
    def ports(self) -> list[int]:
        return [server.port for server in self.servers]

    def resident_mib(self) -> list[float]:
        """Return the resident memory of each process."""
        return [psutil.Process(server.pid).memory_info().rss / 2**20 for server in self.servers]


@contextmanager
def besieged(processes: int) -> Iterator[Service]:
    """Run a service, then end it and remove its files.

    Args:
        processes: 1 uses SQLite without Redis; more use a PostgreSQL and a Redis of their own.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-hostile-")))
        (folder / "bench.json").write_text(json.dumps(SCRIPT))
        database, redis = f"sqlite:///{folder}/db.sqlite3", ""
        if processes > 1:
            database = stack.enter_context(running_postgres()).make_database("hostile")
            redis = stack.enter_context(running_redis(folder / "redis")).url
        silent = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        environment = _environment(database, redis, folder, silent.getsockname()[1])
        migrate(database)
        made = _make_history(environment)
        log = folder / "log"
        stderr = stack.enter_context(log.open("ab"))
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(OPEN_FILES, hard), hard))
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        servers = []
        for _ in range(processes):
            port = free_port()
            command = [sys.executable, str(ROOT / "manage.py"), "serve", "--port", str(port)]
            servers.append(
                stack.enter_context(running(command, environment, port, None, stderr=stderr))
            )
        file = next(path for path in made["files"] if _is_served(servers[0].port, path))
        yield Service(servers, file, made["search_cookie"], log)


def _environment(database: str, redis: str, folder: Path, silent_port: int) -> dict[str, str]:
    """Exclude the caller's variables, so that every limit has its default."""
    silent = f"http://127.0.0.1:{silent_port}/jwks"
    caller = {k: v for k, v in clean_environment().items() if not k.startswith("LIMIT_")}
    return {
        **caller,
        "DJANGO_SECRET_KEY": "a key for the servers that are benchmarked: 4fK2mQ9xW7",
        "DATABASE_URL": database,
        "REDIS_URL": redis,
        "AI_MODEL": "scripted:bench",
        "AI_SCRIPTS_DIR": str(folder),
        "AI_STREAMING_ENABLED": "true",
        "AI_ALLOW_ANONYMOUS": "true",
        "SIGN_UP": "open",
        "EMAIL_URL": "dummymail://",
        "JWT_ISSUER": ISSUER,
        "JWT_AUDIENCE": AUDIENCE,
        "JWT_SHARED_KEY": SHARED_KEY,
        "JWT_MORE_ISSUERS": json.dumps(
            [{"issuer": SILENT_ISSUER, "audience": AUDIENCE, "jwks_url": silent}]
        ),
        "STREAM_DRAIN_SECONDS": "0",
        "STREAM_LOG_SECONDS": str(LOG_SECONDS),
    }


def _make_history(environment: dict[str, str]) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.load.long_history"]
    made = subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE)
    found: dict[str, Any] = json.loads(made.stdout)
    return found


def _is_served(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("HEAD", path)
        return connection.getresponse().status == 200
    finally:
        connection.close()
