"""A real PostgreSQL cluster for one test run, in a folder that is removed with it.

Debian's programs come first, then those of the package `pgserver`, then those on the PATH.
PostgreSQL refuses root, so for root the programs run as another user, who owns the folder.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TypedDict

import psutil
import psycopg
from psycopg import sql

from tests.support.faults.redis_server import free_port
from tests.support.servers.harness import migrate

START_SECONDS = 30.0
_TEMPLATE = "migrated"


def _account() -> pwd.struct_passwd | None:
    """Return the account to run as if we are root; None if we are not."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise AssertionError("PostgreSQL refuses root, and there is neither `postgres` nor `nobody`")


class _RunAs(TypedDict, total=False):
    """The `subprocess` arguments that run a program as an account."""

    user: int
    group: int
    extra_groups: list[str | int]


def _run_as(account: pwd.struct_passwd | None) -> _RunAs:
    if account is None:
        return {}
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _works(folder: Path) -> bool:
    try:
        for program in ("initdb", "postgres"):
            command = [str(folder / program), "--version"]
            subprocess.run(command, check=True, capture_output=True, cwd="/", **_run_as(_account()))
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


def _version(folder: Path) -> float:
    return float(folder.parent.name)


def _find_binaries() -> dict[str, Path]:
    """Map names to program folders, for each installed and usable PostgreSQL."""
    found = {}
    if debian := sorted(Path("/usr/lib/postgresql").glob("[0-9]*/bin"), key=_version):
        found["debian"] = debian[-1]
    spec = find_spec("pgserver")
    if spec is not None and spec.origin is not None:
        found["pgserver"] = Path(spec.origin).parent / "pginstall" / "bin"
    if (program := shutil.which("postgres")) is not None:
        found["path"] = Path(program).resolve().parent
    usable: dict[str, Path] = {}
    for name, folder in found.items():
        if folder.resolve() not in usable.values() and _works(folder):
            usable[name] = folder.resolve()
    return usable


POSTGRES_BINARIES = _find_binaries()
"""Empty: this machine has no usable PostgreSQL, see `scripts/_postgres`."""


def is_alive(process: psutil.Process) -> bool:
    """Whether a process runs; False for a zombie."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@dataclass(frozen=True)
class PostgresDatabase:
    """One database, as `tests.support.servers.harness.Server` accepts it."""

    server: PostgresServer
    name: str
    folder: Path

    @property
    def url(self) -> str:
        return self.server.url_of(self.name)


class PostgresServer:
    """One cluster on a loopback port of its own. The constructor does not start it.

    Args:
        binary: a name in `POSTGRES_BINARIES`; None takes the first.
        max_connections: limit of concurrent clients.
    """

    def __init__(self, binary: str | None = None, *, max_connections: int = 100) -> None:
        assert POSTGRES_BINARIES, "no PostgreSQL at all"
        self.binary = binary or next(iter(POSTGRES_BINARIES))
        self.port = free_port()
        self.max_connections = max_connections
        self._programs = POSTGRES_BINARIES[self.binary]
        self._account = _account()
        self._popen: subprocess.Popen[bytes] | None = None
        # Not in pytest's folder, which the account can't access.
        self.folder = Path(tempfile.mkdtemp(prefix="liveai-postgres-"))
        if self._account is not None:
            os.chown(self.folder, self._account.pw_uid, self._account.pw_gid)
        self._data = self.folder / "data"
        self._log = self.folder / "postgres.log"

    @property
    def url(self) -> str:
        """The URL of the database `postgres`, which every cluster has."""
        return self.url_of("postgres")

    def url_of(self, name: str) -> str:
        return f"postgres://postgres@127.0.0.1:{self.port}/{name}"

    @property
    def pid(self) -> int:
        assert self._popen is not None, "not started"
        return self._popen.pid

    @property
    def is_running(self) -> bool:
        return self._popen is not None

    @property
    def output(self) -> str:
        return self._log.read_text("utf-8", "replace") if self._log.exists() else ""

    # --- lifecycle -----------------------------------------------------------

    def start(self) -> None:
        """Start it and wait until it answers; after a kill, committed data is back.

        Raises:
            AssertionError: it ended or took too long; the message contains its output.
        """
        assert self._popen is None, "runs already"
        if not self._data.exists():
            self._make_cluster()
        settings = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "max_connections": self.max_connections,
            # It must survive its own death, but not the machine's.
            "fsync": "off",
            "full_page_writes": "off",
            "shared_buffers": "16MB",
            "dynamic_shared_memory_type": "mmap",  # in its folder, which is removed
        }
        words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with self._log.open("ab") as log:
            self._popen = subprocess.Popen(
                [str(self._programs / "postgres"), "-D", str(self._data), *words],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                **_run_as(self._account),
            )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            assert self._popen.poll() is None, f"{self.binary} ended:\n{self.output}"
            with contextlib.suppress(psycopg.OperationalError), self.connect():
                return
            time.sleep(0.02)
        raise AssertionError(f"{self.binary} does not answer:\n{self.output}")

    def kill(self) -> None:
        """Kill the postmaster and each of its children with SIGKILL, by id. Idempotent.

        Committed data is back after the next `start`.
        """
        if self._popen is None:
            return
        postmaster = psutil.Process(self._popen.pid)
        postmaster.suspend()  # so that it starts no further child
        children = postmaster.children(recursive=True)
        postmaster.kill()
        for child in children:
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()
        self._popen.wait()
        deadline = time.monotonic() + START_SECONDS
        while any(is_alive(child) for child in children):
            assert time.monotonic() < deadline, f"{self.binary} survives SIGKILL"
            time.sleep(0.002)
        self._popen = None

    def end(self) -> None:
        """Kill it and remove its folder. Idempotent."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> PostgresServer:
        if self._popen is None:
            self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def _make_cluster(self) -> None:
        command = [str(self._programs / "initdb"), "-D", str(self._data), "-U", "postgres"]
        options = ["--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]
        made = subprocess.run(
            [*command, *options],
            cwd=self.folder,
            capture_output=True,
            text=True,
            **_run_as(self._account),
        )
        assert made.returncode == 0, made.stdout + made.stderr

    # --- content -------------------------------------------------------------

    @contextlib.contextmanager
    def connect(self, name: str = "postgres") -> Iterator[psycopg.Connection]:
        """Yield a connection in autocommit, closed afterwards."""
        with psycopg.connect(self.url_of(name), autocommit=True, connect_timeout=10) as connection:
            yield connection

    def make_database(self, name: str, *, template: str = "template1") -> str:
        """Create a database and return its URL."""
        with self.connect() as connection:
            words = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
            connection.execute(words.format(sql.Identifier(name), sql.Identifier(template)))
        return self.url_of(name)

    def make_migrated(self, name: str, folder: Path) -> PostgresDatabase:
        """Create a database like `harness.make_template`; migrates once for each cluster.

        Args:
            folder: for the logs of servers on it.
        """
        with self.connect() as connection:
            words = "SELECT 1 FROM pg_database WHERE datname = %s"
            is_there = connection.execute(words, [_TEMPLATE]).fetchone() is not None
        if not is_there:
            migrate(self.make_database(_TEMPLATE))
        folder.mkdir(parents=True, exist_ok=True)
        self.make_database(name, template=_TEMPLATE)
        return PostgresDatabase(self, name, folder)

    def backends(self, name: str | None = None) -> int:
        """Count the connected clients of one database or of all, without this query's own."""
        with self.connect() as connection:
            row = connection.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
                " AND pid <> pg_backend_pid() AND datname = COALESCE(%s::text, datname)",
                [name],
            ).fetchone()
        assert row is not None
        count: int = row[0]
        return count


@contextlib.contextmanager
def running_postgres(
    binary: str | None = None, *, max_connections: int = 100
) -> Iterator[PostgresServer]:
    """Run a cluster that answers, then end and remove it in any case."""
    server = PostgresServer(binary, max_connections=max_connections)
    try:
        server.start()
        yield server
    finally:
        server.end()
