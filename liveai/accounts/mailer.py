"""Sends e-mails on a thread of its own: a mail server that hangs must not stop all sign-ins."""

from __future__ import annotations

import atexit
import logging
import queue
import threading

from django.core.mail import EmailMessage

logger = logging.getLogger(__name__)

AT_MOST = 100
"""Waiting e-mails of a process. Further ones are dropped, and the log says so."""

END_SECONDS = 5.0
"""How long the end of a process waits for its last e-mails."""


class Mailer:
    """A bounded line of e-mails, and the thread that sends them; it starts with the first one.

    Methods may be called from any thread.
    """

    def __init__(self, *, at_most: int = AT_MOST) -> None:
        self._waiting: queue.Queue[tuple[str, EmailMessage]] = queue.Queue(at_most)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def send(self, name: str, message: EmailMessage) -> None:
        """Send an e-mail soon. It never fails and never waits: answers must not show who gets one.

        Args:
            name: what the log calls it, without the address.
        """
        try:
            self._waiting.put_nowait((name, message))
        except queue.Full:
            logger.error("The e-mail %r was dropped: %d others wait.", name, self._waiting.maxsize)
            return
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="mailer", daemon=True)
                self._thread.start()
                atexit.register(self.flush, END_SECONDS)

    def flush(self, seconds: float) -> bool:
        """Wait until all e-mails are sent or have failed; False: some are left after the time."""
        done = self._waiting.all_tasks_done
        with done:
            return done.wait_for(lambda: not self._waiting.unfinished_tasks, seconds)

    def _run(self) -> None:
        while True:
            name, message = self._waiting.get()
            deliver(name, message)
            self._waiting.task_done()


def deliver(name: str, message: EmailMessage) -> None:
    """Send an e-mail now; log a failure by its kind: its text may quote the address."""
    try:
        message.send()
    except Exception as error:
        logger.error("The e-mail %r could not be sent (%s).", name, type(error).__name__)


mailer = Mailer()
