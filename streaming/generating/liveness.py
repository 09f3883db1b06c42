"""Detects dead processes and their orphans.

A live process holds a file lock and writes heartbeats to the database. It counts as dead when its
lock is free or its last heartbeat is old. The database's clock measures the age, since the clocks
of the machines may disagree. Synchronous; called on a database thread.
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db.models import F
from django.db.models.functions import Now

from ..metrics.counted import viewers_now
from ..models import ServerProcess, Stream

try:
    import fcntl
except ImportError:  # Windows has no such locks: only the heartbeat counts
    fcntl = None  # type: ignore[assignment]

logger = logging.getLogger(__name__)

BEAT_SECONDS = 2.0
DEAD_AFTER_SECONDS = 6.0
MISSED_SECONDS = DEAD_AFTER_SECONDS - BEAT_SECONDS
"""Limit for the gap between our own heartbeats.

After a longer gap, the heartbeats of live processes may be old enough to look dead.
"""


class Liveness:
    """Sends this process's heartbeat and checks those of the others."""

    def __init__(
        self,
        directory: Path,
        *,
        is_worker: bool = False,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._is_worker = is_worker
        self.model_trouble = ""
        """What each heartbeat says to be wrong with the configured model; empty: nothing."""
        self.process_id = secrets.token_urlsafe(16)
        self._directory = directory
        self._has_warned = False
        self._host = socket.gethostname()
        self._lock: int | None = None
        self._now = now
        self._beat_at = now()
        self._back_at = now()  # when heartbeats last resumed after a gap; else when this began

    def begin(self) -> None:
        # Without a lock, e.g. on a read-only disk, only the heartbeat counts (liveai.W004).
        with suppress(OSError):
            self._take_lock()
        self.beat()

    def _take_lock(self) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        if fcntl is not None:
            self._lock = os.open(self._path(self.process_id), os.O_CREAT | os.O_RDWR, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX)

    def beat(self) -> None:
        ServerProcess.objects.update_or_create(
            pk=self.process_id,
            defaults={
                "host": self._host,
                "beat_at": Now(),
                "is_worker": self._is_worker,
                "model_trouble": self.model_trouble,
                "viewers": viewers_now(),
            },
        )
        now = self._now()
        if now - self._beat_at > MISSED_SECONDS:
            self._back_at = now
        self._beat_at = now

    def end(self) -> None:
        """Deregister this process and release its lock."""
        ServerProcess.objects.filter(pk=self.process_id).delete()
        self.unlock()

    def unlock(self) -> None:
        """Release only the lock. Idempotent."""
        if self._lock is not None:
            self._remove_lock(self.process_id)
            os.close(self._lock)
            self._lock = None

    def find_orphans(self, running: Collection[str]) -> list[str]:
        """Find the unended streams without a generator, and deregister dead processes.

        The row of an orphan names a dead process, no process, or this one although `running` lacks
        it. A row without a process was handed over or never taken up. The streams of other live
        processes are never returned.

        Returns:
            Stream ids, oldest stream first.
        """
        # Read the rows first: a process registers before it creates rows.
        rows = Stream.objects.filter(ended_at__isnull=True).exclude(pk__in=running)
        unended = list(rows.order_by("created_at").values_list("id", "process"))
        known = list(
            ServerProcess.objects.exclude(pk=self.process_id).annotate(
                silent_for=Now() - F("beat_at")
            )
        )
        dead = [process for process in known if self._is_dead(process, process.silent_for)]
        living = {process.pk for process in known} - {process.pk for process in dead}
        self._warn_of_company(len(living))
        for process in dead:
            process.delete()
            self._remove_lock(process.pk)
        return [stream_id for stream_id, process in unended if process not in living]

    def _warn_of_company(self, others: int) -> None:
        """Warn once if other processes serve this database, and nothing connects this one to them.

        No setting tells how many processes there are; their rows do.
        """
        if others and not settings.REDIS_URL and not self._has_warned:
            self._has_warned = True
            logger.warning(
                "REDIS_URL is empty, but this database has other processes (%d): they share no"
                " events and limits. Set REDIS_URL, or run one process.",
                others,
            )

    def _is_dead(self, process: ServerProcess, silent_for: timedelta) -> bool:
        if silent_for > timedelta(seconds=DEAD_AFTER_SECONDS):
            return self._could_others_beat() or self._has_let_go(process)
        return self._has_let_go(process)

    def _could_others_beat(self) -> bool:
        """Whether the other processes could recently write heartbeats.

        False if this process has only just started, or recently could not write its own.
        """
        now = self._now()
        return now - self._beat_at <= MISSED_SECONDS and now - self._back_at > DEAD_AFTER_SECONDS

    def _has_let_go(self, process: ServerProcess) -> bool:
        return process.host == self._host and self._is_lock_free(process.pk)

    def _is_lock_free(self, process_id: str) -> bool:
        if fcntl is None:
            return False
        try:
            handle = os.open(self._path(process_id), os.O_RDWR)
        except OSError:
            return False  # no lock file on this disk: only its heartbeat counts
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            os.close(handle)
        return True

    def _remove_lock(self, process_id: str) -> None:
        with suppress(OSError):  # a read-only disk
            self._path(process_id).unlink(missing_ok=True)

    def _path(self, process_id: str) -> Path:
        return self._directory / f"{process_id}.lock"
