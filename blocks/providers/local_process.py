"""Starts, watches and ends the local model's process.

The code blocks and has no event loop. It runs in a thread of its own, so it works under any loop or
server.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import logging
import os
import secrets
import select
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from blocks.errors import ProviderUnavailable
from blocks.providers.local_weights import check_weights

logger = logging.getLogger(__name__)

SLOTS = 4  # concurrent answers; others wait
SLOT_TOKENS = 3072  # context of each: prompt and answer
START_SECONDS = 120.0  # weights of some GB on a slow disk
STOP_SECONDS = 2.0

_PROGRAM = Path(__file__).with_name("local_child.py")


@dataclass(frozen=True, slots=True)
class ModelProcess:
    """A running process that serves one model on a Unix socket."""

    popen: subprocess.Popen[bytes]
    socket: Path
    api_key: str

    def wait(self) -> int:
        """Block until the process has ended, then remove what a killed one leaves behind."""
        code = self.popen.wait()
        _close_stdin(self.popen)
        shutil.rmtree(self.socket.parent, ignore_errors=True)
        return code

    def stop(self) -> None:
        """End the process by closing its standard input; kill it if that is not enough."""
        _stop(self.popen)
        shutil.rmtree(self.socket.parent, ignore_errors=True)


def start_model(weights: Path, alias: str) -> ModelProcess:
    """Start a process and wait until it serves.

    Raises:
        ProviderUnavailable: it can't start; `detail` says what to do about it.
    """
    if importlib.util.find_spec("xllamacpp") is None:
        raise ProviderUnavailable(
            detail="The local model's library is not installed: pip install xllamacpp, "
            "or set AI_MODEL to another model."
        )
    check_weights(weights)
    api_key = secrets.token_urlsafe(24)
    order = {
        "weights": str(weights),
        "alias": alias,
        "api_key": api_key,
        "threads": thread_count(),
        "slots": SLOTS,
        "slot_tokens": SLOT_TOKENS,
        "parent": os.getpid(),
    }
    try:
        # -P: modules must not come from the program's own folder. A new session: Ctrl+C in the
        # terminal targets the web server, which still needs the model while it drains.
        popen = subprocess.Popen(
            [sys.executable, "-P", str(_PROGRAM)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError:
        raise ProviderUnavailable(detail="The local model's process can't be started.") from None
    assert popen.stdin is not None and popen.stdout is not None
    try:
        popen.stdin.write(json.dumps(order).encode() + b"\n")
        popen.stdin.flush()
        reply = json.loads(_read_line(popen, time.monotonic() + START_SECONDS) or b"{}")
    except (OSError, ValueError):
        reply = {}
    finally:
        popen.stdout.close()
    if "socket" not in reply:
        _stop(popen)
        logger.warning("the local model %s did not start: %s", alias, reply.get("failed", "-"))
        raise ProviderUnavailable(
            detail=f"The local model {alias!r} can't be run on this machine: "
            "check AI_MODEL, or set it to another model."
        )
    return ModelProcess(popen, Path(reply["socket"]), api_key)


def thread_count() -> int:
    """Return the number of usable cores minus one, which is reserved for the web server itself."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, (cores or 1) - 1)


def _read_line(popen: subprocess.Popen[bytes], deadline: float) -> bytes:
    assert popen.stdout is not None
    line = b""
    fd = popen.stdout.fileno()
    while not line.endswith(b"\n"):
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([fd], [], [], left)[0]:
            return b""
        if not (piece := os.read(fd, 4096)):
            return b""
        line += piece
    return line


def _close_stdin(popen: subprocess.Popen[bytes]) -> None:
    if popen.stdin is not None:
        with contextlib.suppress(OSError):  # the process has ended and closed its end of the pipe
            popen.stdin.close()


def _stop(popen: subprocess.Popen[bytes]) -> None:
    _close_stdin(popen)
    try:
        popen.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        popen.kill()
        popen.wait()
