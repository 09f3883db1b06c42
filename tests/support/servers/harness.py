"""Real server processes, each with its own environment and database, ended by process id."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import psutil

from tests.support.canaries import MODEL_KEY, PASSWORD, SECRET_KEY, canaries_in

ROOT = Path(__file__).parents[3]
SCRIPTS = Path(__file__).parent / "scripts"
APPLICATION = "liveai.asgi:application"
START_SECONDS = 60.0
BUSY_SECONDS = 5.0
"""How late anything may be on a machine where other tests use the cores. Time limits add it."""

_LISTENING = re.compile(rb"Listening on (?:http://|TCP address )127\.0\.0\.1:(\d+)")
_WORKING = b"Working: waiting for streams"

_NO_FAULTS = (
    "ASGI callable returned without completing response",  # the server cut off a stalled client
)

NO_LIMITS = {
    "LIMIT_RUNNING_PER_OWNER": "0",
    "LIMIT_RUNNING_PER_ADDRESS": "0",
    "LIMIT_STARTS_PER_MINUTE": "0",
    "LIMIT_STARTS_PER_MINUTE_PER_ADDRESS": "0",
    "LIMIT_TOKENS_PER_DAY": "0",
    "LIMIT_TOKENS_PER_MONTH": "0",
    "LIMIT_ANONYMOUS_STARTS_PER_HOUR": "0",
    "LIMIT_ANONYMOUS_TOKENS_PER_DAY": "0",
    "LIMIT_ANONYMOUS_TOKENS_PER_DAY_PER_ADDRESS": "0",
    "LIMIT_ANONYMOUS_SHARE": "0",
    "LIMIT_ANONYMOUS_SHARE_PER_ADDRESS": "0",
    "STREAM_MAX_WAITING": "0",
    "LIMIT_SOCKETS_PER_OWNER": "0",
    "LIMIT_SOCKETS_PER_ADDRESS": "0",
    "LIMIT_VIEWERS_PER_OWNER": "0",
    "LIMIT_FRAMES_PER_SECOND": "0",
    "LIMIT_REPLAYED_EVENTS_PER_SECOND": "0",
}
"""Tests may start any number of streams from one address."""

ENVIRONMENT = {
    "AI_STREAMING_ENABLED": "true",
    "AI_ALLOW_ANONYMOUS": "true",
    "AI_MODEL": "scripted:live",
    "AI_SCRIPTS_DIR": str(SCRIPTS),
    "STREAM_DRAIN_SECONDS": "1",
    "STREAM_MAX_RUNNING": "1000",
    **NO_LIMITS,
    "DJANGO_SECRET_KEY": SECRET_KEY,
    "AI_API_KEY": MODEL_KEY,
    "PYTHONUNBUFFERED": "1",
    "PYTHONPATH": str(ROOT),
}
ADMIN_PASSWORD = PASSWORD


async def eventually(condition: Callable[[], bool], *, timeout_seconds: float = 60.0) -> None:
    """Poll for a state that a server process does not announce.

    Raises:
        TimeoutError: the condition did not hold in time.
    """
    async with asyncio.timeout(timeout_seconds):
        while not condition():  # noqa: ASYNC110 (there is no event)
            await asyncio.sleep(0.02)


async def assert_can_be_quick(attempt: Callable[[], Awaitable[float]], *, within: float) -> None:
    """Assert that one of five attempts takes less than `within`, in seconds.

    A busy machine delays some attempts; a defect delays all of them. The first quick one ends it.

    Args:
        attempt: makes one attempt and returns what it took.
    """
    took: list[float] = []
    while len(took) < 5:
        took.append(await attempt())
        if took[-1] < within:
            return
    raise AssertionError(f"{took} s, never below {within} s")


class AnyDatabase(Protocol):
    """A database for servers; any number of servers may share it."""

    @property
    def url(self) -> str: ...  # in the form of DATABASE_URL

    @property
    def folder(self) -> Path: ...  # folder of the servers' logs


class Database:
    """A migrated SQLite file for one test."""

    def __init__(self, template: Path, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.path = folder / "db.sqlite3"
        shutil.copy(template, self.path)

    @property
    def url(self) -> str:
        return f"sqlite:///{self.path}"


@functools.cache
def _template() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "template.sqlite3"
        migrate(f"sqlite:///{path}")
        return path.read_bytes()


def make_template(path: Path) -> None:
    """Write a migrated SQLite file with one administrator, `admin`. Migrates once per process."""
    path.write_bytes(_template())


def migrate(url: str) -> None:
    """Migrate the database at a URL, and create its one administrator, `admin`."""
    made = (
        "import django; django.setup();"
        "from django.core.management import call_command;"
        "from django.contrib.auth.models import User;"
        "call_command('migrate', verbosity=0);"
        f"User.objects.create_superuser('admin', password={ADMIN_PASSWORD!r})"
    )
    environment = {**ENVIRONMENT, "DATABASE_URL": url}
    environment["DJANGO_SETTINGS_MODULE"] = "liveai.settings"
    subprocess.run(
        [sys.executable, "-c", made],
        cwd=ROOT,
        env={**clean_environment(), **environment},
        check=True,
    )


class Server:
    """One server process.

    Args:
        kind: `serve` (our launcher), `daphne`, `runserver`, or `work` (a worker, which listens at
            no port).
        app: the ASGI application; only `serve` and `daphne` accept another than the project's.
        is_quick: gives it a quick clock, see `quick_clock.py`.
        has_terminal: gives it a session and a terminal, which sends Ctrl+C to the whole group.
        port: 0 takes any; a restarted server may take the port of its predecessor.
        wrapper: a command that runs the server's command, which is appended to it.
    """

    def __init__(
        self,
        kind: str,
        database: AnyDatabase,
        *,
        app: str = APPLICATION,
        environment: Mapping[str, str] = {},
        is_quick: bool = False,
        has_terminal: bool = False,
        port: int = 0,
        wrapper: Sequence[str] = (),
    ) -> None:
        self.kind = kind
        self.database = database
        self._log = database.folder / f"{kind}-{time.monotonic_ns()}.log"
        address = f"127.0.0.1:{port}"
        command = {
            "serve": [sys.executable, "-m", "tests.support.servers.launch", app, str(port)]
            if app != APPLICATION
            else [sys.executable, "manage.py", "serve", "--port", str(port)],
            "daphne": [sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", str(port), app],
            "runserver": [sys.executable, "manage.py", "runserver", "--noreload", address],
            "work": [sys.executable, "manage.py", "work"],
        }[kind]
        if is_quick:
            command[1:1] = ["-m", "tests.support.servers.quick_clock"]
        command = [*wrapper, *command]
        self._terminal: int | None = None
        stdin = subprocess.DEVNULL
        if has_terminal:
            self._terminal, stdin = os.openpty()
        with self._log.open("wb") as log:
            self.popen = subprocess.Popen(
                ["setsid", "--ctty", *command] if has_terminal else command,
                cwd=ROOT,
                env={
                    **clean_environment(),
                    **ENVIRONMENT,
                    "DATABASE_URL": database.url,
                    **environment,
                },
                stdin=stdin,
                stdout=log,
                stderr=log,
            )
        if has_terminal:
            os.close(stdin)
        self.port = 0

    @property
    def pid(self) -> int:
        return self.popen.pid

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def process(self) -> psutil.Process:
        return psutil.Process(self.pid)

    @property
    def output(self) -> str:
        return self._log.read_bytes().decode("utf-8", "replace")

    def wait_until_listening(self) -> None:
        """Wait until the server listens, or until a worker accepts streams.

        Raises:
            AssertionError: it ended or took too long; the message contains its output.
        """
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            assert self.popen.poll() is None, f"{self.kind} ended:\n{self.output}"
            if self.kind == "work" and _WORKING in self._log.read_bytes():
                return
            if self.port == 0 and (found := _LISTENING.search(self._log.read_bytes())):
                self.port = int(found[1])
            if self.port:
                with contextlib.suppress(OSError):
                    socket.create_connection(("127.0.0.1", self.port), 1).close()
                    return
            time.sleep(0.01)
        raise AssertionError(f"{self.kind} does not listen:\n{self.output}")

    def press_ctrl_c(self) -> None:
        """Send Ctrl+C from the terminal, which signals the whole foreground group."""
        assert self._terminal is not None
        os.write(self._terminal, b"\x03")

    def signal(self, number: int) -> None:
        self.popen.send_signal(number)

    def wait(self, timeout_seconds: float) -> int:
        """Return the exit code.

        Raises:
            AssertionError: it still runs after that time.
        """
        try:
            return self.popen.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.kind} still runs:\n{self.output}") from None

    def kill(self) -> None:
        self.popen.kill()
        self.popen.wait()

    def end(self) -> None:
        """End the process in any state. Idempotent."""
        if self.popen.poll() is None:
            self.popen.send_signal(signal.SIGTERM)
            try:
                self.popen.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()
        if self._terminal is not None:
            os.close(self._terminal)
            self._terminal = None

    def assert_unharmed(self) -> None:
        """Assert that the server runs and has never logged an exception."""
        assert self.popen.poll() is None, f"{self.kind} ended:\n{self.output}"
        self.assert_nothing_broke()

    def assert_kept_secrets(self) -> None:
        """Assert that the server has printed no canary. The message does not repeat the output."""
        found = canaries_in(self.output)
        assert not found, f"{self.kind} has printed {found}: see {self._log}"

    def assert_nothing_broke(self) -> None:
        for line in self.output.splitlines():
            if any(known in line for known in _NO_FAULTS):
                continue
            for sign in ("Traceback (most recent call last)", "ERROR", "Task was destroyed"):
                assert sign not in line, self.output


@contextlib.contextmanager
def running(
    kind: str,
    database: AnyDatabase,
    *,
    app: str = APPLICATION,
    environment: Mapping[str, str] = {},
    is_quick: bool = False,
    has_terminal: bool = False,
    port: int = 0,
    wrapper: Sequence[str] = (),
) -> Iterator[Server]:
    """Run a server that listens, and end it in any case; a failure prints its output."""
    made = [
        Server(
            kind,
            database,
            app=app,
            environment=environment,
            is_quick=is_quick,
            has_terminal=has_terminal,
            port=port,
            wrapper=wrapper,
        )
    ]
    with _run(made):
        yield made[0]


@contextlib.contextmanager
def running_many(
    count: int,
    database: AnyDatabase,
    *,
    kind: str = "serve",
    app: str = APPLICATION,
    environment: Mapping[str, str] = {},
    is_quick: bool = False,
) -> Iterator[list[Server]]:
    """Run several servers on one database, which start at the same time.

    With `REDIS_URL` in the environment they form one service. A server that a test appends to the
    list ends with the others.
    """
    servers = [
        Server(kind, database, app=app, environment=environment, is_quick=is_quick)
        for _ in range(count)
    ]
    with _run(servers):
        yield servers


@contextlib.contextmanager
def _run(servers: list[Server]) -> Iterator[None]:
    try:
        for server in servers:
            server.wait_until_listening()
        yield
    except BaseException:
        for server in servers:
            print(f"--- what {server.kind} {server.pid} said ---\n{server.output}")
        raise
    finally:
        for server in servers:
            server.end()
        for server in servers:
            server.assert_kept_secrets()


def clean_environment() -> dict[str, str]:
    """Return this process's environment without variables that would change a server's settings."""
    names = "SITE_ SERVER_ AI_ STREAM LIMIT_ DJANGO_ DATABASE_ REDIS_ CORS_ LOG_ JOURNAL_ METRICS_"
    ours = (*names.split(), "TRACING", "OTEL_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    if "LIVEAI_COVERAGE" in os.environ and _is_measured():
        kept["COVERAGE_PROCESS_START"] = str(ROOT / "pyproject.toml")
    return kept


def _is_measured() -> bool:
    """Whether this test's servers are measured.

    Fault tests limit times, and kill many servers. Daphne runs the same code as `serve`.
    """
    test = os.environ.get("PYTEST_CURRENT_TEST", "")
    return test.startswith("tests/servers/") and "[daphne" not in test
