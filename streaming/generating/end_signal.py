"""The signal `stream_ended`, for code that bills, notifies or counts.

    from django.dispatch import receiver
    from streaming.generating.end_signal import stream_ended

    @receiver(stream_ended)
    def bill(sender, stream_id, user_id, usage, **more): ...

It is sent on a thread of its own, after the row holds the end: a receiver may use the ORM, and
block. Receivers run one after another, those that are coroutine functions last. One that fails is
logged without its exception's text, which may quote what it was given, and stops nothing: neither
the other receivers nor later signals, even if it raises `SystemExit`.

At most once for each stream, over all processes: the update that writes the end to the row
succeeds once. A process that dies between that update and the signal sends none, and nobody sends
it later. The same holds for what waits beyond `WAITING_AT_MOST`, or longer than `CLOSE_SECONDS` at
a shutdown, and for an update that took effect although its connection broke before the reply.
Whoever must miss nothing also looks for rows by `ended_at`. An answer whose row is deleted while it
runs has no end that could be told.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from queue import SimpleQueue
from typing import Any

from asgiref.sync import async_to_sync
from django.db import close_old_connections, connections
from django.dispatch import Signal

from ..loop.log_ids import of_stream
from ..metrics.counted import DROPPED_SIGNALS
from ..models import Stream
from ..protocol.events import Event, code_of
from .spans import Carrier, of_carrier

logger = logging.getLogger(__name__)

stream_ended = Signal()
"""An answer has ended. `sender` is the model `Stream`; no argument holds content.

Arguments: `stream_id`, `block_type` (slug), `model`, `user_id` (None: nobody's here), `status`
(`complete`, `error`, `cancelled`), `code` (finish reason; error code; by whom), `usage`
(`input_tokens`, `output_tokens`, None where unknown; `is_estimated`), `ttft_ms` (or None),
`created_at`, `started_at` (or None), `ended_at` (UTC).
"""

WAITING_AT_MOST = 10_000
"""Ends that wait for slow receivers; further ones are dropped."""

CLOSE_SECONDS = 5.0
"""How long a shutdown waits for receivers."""


class EndSignals:
    """Sends the signal for the ends of one process. `tell` is called on the event loop."""

    def __init__(self) -> None:
        self._ends: SimpleQueue[tuple[Carrier, dict[str, Any]] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._is_dropping = False

    def tell(self, row: Stream, terminal: Event) -> None:
        """Send the signal soon, if anybody listens. Call it after the row holds the end."""
        if not stream_ended.has_listeners(Stream):
            return
        waiting = self._ends.qsize()
        if waiting >= WAITING_AT_MOST:
            DROPPED_SIGNALS.inc()
            if not self._is_dropping:
                logger.warning("Receivers of stream_ended are too slow: signals are dropped.")
            self._is_dropping = True
            return
        if waiting <= WAITING_AT_MOST // 2:  # else each place that gets free would log a line
            self._is_dropping = False
        self._ends.put((row.carrier, _arguments(row, terminal)))
        self._have_thread()

    def _have_thread(self) -> None:
        """Start the thread unless it runs. The next end tries again if there is none to be had."""
        if self._thread is not None and self._thread.is_alive():
            return
        # A daemon: a receiver that hangs must not keep the process from ending.
        thread = threading.Thread(target=self._send_all, name="stream-ends", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:  # the system grants no further thread
            if self._ends.qsize() == 1:  # the first that waits
                logger.error("stream_ended waits for a thread.", exc_info=error)
            return
        self._thread = thread

    def _send_all(self) -> None:
        while (end := self._ends.get()) is not None:
            carrier, arguments = end
            try:
                # With the stream's id the formatter withholds texts.
                with of_carrier(carrier), of_stream(arguments["stream_id"]):
                    _send(arguments)
            except BaseException as error:  # or no further end would be told
                logger.error("stream_ended could not be sent.", exc_info=error)
        connections.close_all()

    async def aclose(self) -> None:
        """Wait for the signals that are due, `CLOSE_SECONDS` at most. Idempotent."""
        if (thread := self._thread) is None:
            return
        self._thread = None
        self._ends.put(None)
        await asyncio.to_thread(thread.join, CLOSE_SECONDS)
        if thread.is_alive():
            logger.warning("A receiver of stream_ended does not return; the shutdown continues.")


def _send(arguments: dict[str, Any]) -> None:
    """Call each receiver, whatever others raise, also what would end the thread.

    Django's `send_robust` lets a `SystemExit` pass, and fails by itself on a receiver that fails
    and has no `__qualname__`.
    """
    blocking, asynchronous = stream_ended._live_receivers(Stream)
    calls = [(receiver, receiver) for receiver in blocking]
    calls += [(receiver, async_to_sync(receiver)) for receiver in asynchronous]
    for receiver, call in calls:
        _close_old_connections()  # also what the one before has broken
        try:
            call(signal=stream_ended, sender=Stream, **arguments)
        except BaseException as error:
            name = getattr(receiver, "__qualname__", type(receiver).__qualname__)
            logger.warning("A receiver of stream_ended failed: %s.", name, exc_info=error)


def _close_old_connections() -> None:
    try:
        close_old_connections()
    except Exception as error:
        logger.warning("A connection of stream_ended can't be closed.", exc_info=error)


def _arguments(row: Stream, terminal: Event) -> dict[str, Any]:
    return {
        "stream_id": row.id,
        "block_type": row.block_type,
        "model": row.model,
        "user_id": row.user_id,
        "status": terminal.type,
        "code": code_of(terminal),
        "usage": {
            "input_tokens": row.input_tokens,
            "output_tokens": row.output_tokens,
            "is_estimated": row.usage_is_estimated,
        },
        "ttft_ms": row.ttft_ms,
        "created_at": row.created_at,
        "started_at": row.started_at,
        "ended_at": row.ended_at,
    }
