"""Which processes live, and which streams are left by those that do not.

A process holds a file lock while it lives, and beats in the database. It is dead when its lock is
free, or its beat is old, by the clock of the database: those of machines need not agree.
Synchronous; called on a database thread.
"""

from __future__ import annotations

import os
import secrets
import socket
import time
from collections.abc import Callable, Collection
from datetime import timedelta
from pathlib import Path

from django.db.models import F
from django.db.models.functions import Now

from ..models import ServerProcess, Stream

try:
    import fcntl
except ImportError:  # no such locks on Windows: the beat alone tells
    fcntl = None  # type: ignore[assignment]

BEAT_SECONDS = 2.0
DEAD_AFTER_SECONDS = 6.0
MISSED_SECONDS = DEAD_AFTER_SECONDS - BEAT_SECONDS
"""Where our own beats have not come through for so long, others' may be old enough to look dead."""


class Liveness:
    """This process's sign of life, and its eye on the others'."""

    def __init__(
        self,
        directory: Path,
        *,
        is_worker: bool = False,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._is_worker = is_worker
        self.process_id = secrets.token_urlsafe(16)
        self._directory = directory
        self._host = socket.gethostname()
        self._lock: int | None = None
        self._now = now
        self._beat_at = now()
        self._back_at = now()  # when beats came through that had not before, if there were any

    def begin(self) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        if fcntl is not None:
            self._lock = os.open(self._path(self.process_id), os.O_CREAT | os.O_RDWR, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX)
        self.beat()

    def beat(self) -> None:
        ServerProcess.objects.update_or_create(
            pk=self.process_id,
            defaults={"host": self._host, "beat_at": Now(), "is_worker": self._is_worker},
        )
        now = self._now()
        if now - self._beat_at > MISSED_SECONDS:
            self._back_at = now
        self._beat_at = now

    def end(self) -> None:
        """Leave in an orderly way."""
        ServerProcess.objects.filter(pk=self.process_id).delete()
        self.unlock()

    def unlock(self) -> None:
        """Let go of the lock alone. Idempotent."""
        if self._lock is not None:
            self._path(self.process_id).unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = None

    def find_left(self, running: Collection[str]) -> list[str]:
        """Ids of streams that have not ended and that nobody seems to generate: their process is
        dead, has left them, or is this one and they are not among `running`. A living process's
        rows are not touched."""
        # Rows first: each was made by a process that was known before.
        rows = Stream.objects.filter(ended_at__isnull=True).exclude(pk__in=running)
        unended = list(rows.order_by("created_at").values_list("id", "process"))
        known = list(
            ServerProcess.objects.exclude(pk=self.process_id).annotate(
                silent_for=Now() - F("beat_at")
            )
        )
        dead = [process for process in known if self._is_dead(process, process.silent_for)]
        living = {process.pk for process in known} - {process.pk for process in dead}
        for process in dead:
            process.delete()
            self._path(process.pk).unlink(missing_ok=True)
        return [stream_id for stream_id, process in unended if process not in living]

    def _is_dead(self, process: ServerProcess, silent_for: timedelta) -> bool:
        if silent_for > timedelta(seconds=DEAD_AFTER_SECONDS):
            return self._could_others_beat() or self._has_let_go(process)
        return self._has_let_go(process)

    def _could_others_beat(self) -> bool:
        """False: until a moment ago nobody could beat, as far as this process knows. It has only
        just begun, or could not beat itself."""
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
            return False  # not on this disk: its beat will tell
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            os.close(handle)
        return True

    def _path(self, process_id: str) -> Path:
        return self._directory / f"{process_id}.lock"
