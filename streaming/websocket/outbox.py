"""The outgoing half of a socket: its pending frames, the loop that sends them, and the close."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from ..access.rights import Right
from ..errors import Refused
from ..loop.bell import Bell
from ..loop.push import Push
from ..protocol import events
from ..protocol.codes import (
    CLOSE_BROKEN,
    CLOSE_RESTARTING,
    CLOSE_STALLED,
    CLOSE_UNAUTHENTICATED,
)
from ..protocol.frames import RETRY_MS, encode_json, encode_websocket
from ..watching.connections import Connections
from .watching import Watching

logger = logging.getLogger(__name__)

OUTBOX_AT_MOST = 256
"""Pending control messages; beyond this, the socket executes no further commands."""

CLOSING_SECONDS = 30.0
"""How long the close frame of a stalled socket may wait for the client to read again."""


class Outbox:
    """Sends control messages and the frames of the watched streams, until the socket closes.

    Args:
        connections: the process's open connections; the socket is one of them until it is released.
        right: the session that admitted the visitor; its end closes the socket with 4401.
        send: hands one text frame to the server; waits while the client does not read.
        close: closes the socket with a code.
        on_over: called when the socket begins to close, and again when it is released.
        push: writes frames without waiting; None: the server can't.
    """

    def __init__(
        self,
        connections: Connections,
        *,
        right: Right | None,
        send: Callable[[str], Awaitable[None]],
        close: Callable[[int], Awaitable[None]],
        on_over: Callable[[], None],
        push: Push | None = None,
    ) -> None:
        self._connections = connections
        self._connection = connections.open(right)
        if push is not None:
            self._connection.bell.shortcut = partial(push, self._take_in_step)
        self._send = send
        self._close = close
        self._on_over = on_over
        self._pending: list[str] = []
        self._emptied = Bell()
        self._close_code: int | None = None
        self.watching = Watching(self._connection.bell)
        """The streams whose frames follow the control messages."""

    @property
    def is_full(self) -> bool:
        """Whether the client reads too slowly for further replies."""
        return len(self._pending) > OUTBOX_AT_MOST

    def emptied(self) -> asyncio.Future[None]:
        """Return a future that completes when the pending messages are taken. For one task."""
        return self._emptied.wait()

    def put(self, frame: str) -> None:
        """Queue an encoded frame before those of the watched streams. Never waits."""
        self._pending.append(frame)
        self._connection.bell.ring()

    def put_message(self, message: dict[str, Any]) -> None:
        """Encode and queue a control message. Never waits."""
        self.put(encode_json(message).decode())

    def put_refusal(self, refused: Refused, echo: dict[str, Any]) -> None:
        """Queue the reply to a refused command. Never waits.

        Args:
            echo: the command's own fields by which the client recognizes it.
        """
        message: dict[str, Any] = {
            "type": "refused",
            **echo,
            "code": refused.code,
            "message": refused.message,
        }
        if refused.retry_after_seconds is not None:
            message["retry_after_ms"] = round(refused.retry_after_seconds * 1000)
        message |= refused.extra  # `field`, `selected`
        self.put_message(message)

    def shut(self, code: int) -> None:
        """Close with a code once the pending frames are sent; the first code counts."""
        if self._close_code is None:
            self._close_code = code
        self._stop()
        self._connection.bell.ring()

    def release(self) -> None:
        """Leave the streams and the process's connections. Idempotent; does not end `run`."""
        self._connections.discard(self._connection)
        self._stop()

    def _stop(self) -> None:
        self.watching.leave_all()
        self._on_over()

    async def run(self) -> None:
        """Send frames until the socket is closed. If cancelled, release it without closing.

        `Connections.check` cancels the task of a stalled socket, which is then closed with 1013.
        """
        connection = self._connection
        connection.task = asyncio.current_task()
        try:
            while True:
                if connection.has_lost_right and self._close_code is None:
                    self.shut(CLOSE_UNAUTHENTICATED)
                for text in self._take():
                    connection.is_sending = True
                    await self._send(text)
                    connection.is_sending = False
                    connection.sends += 1
                    if connection.has_lost_right:
                        break
                if not connection.bell.is_rung:  # otherwise there are more frames to send first
                    if self._close_code is not None:
                        return await self._close(self._close_code)
                    if connection.duty == "end":
                        self._reconnect()
                    elif connection.duty == "ping":
                        connection.duty = ""
                        self.put_message({"type": "ping"})
                text = ""  # it may be large, and this task rarely wakes
                await connection.bell.wait()
        except asyncio.CancelledError:
            if not connection.is_stalled:
                raise
            # `Connections.check` cancelled it. The close frame goes out if the client reads again.
            self.release()
            with contextlib.suppress(Exception):
                async with asyncio.timeout(CLOSING_SECONDS):
                    await self._close(CLOSE_STALLED)
        except Exception as error:
            if connection.is_sending:
                # The server rejected the frame: usually the client has disconnected.
                logger.debug("Writing to a socket failed: %r", error)
            else:
                logger.exception("A socket's viewer crashed.")
            with contextlib.suppress(Exception):
                await self._close(CLOSE_BROKEN)  # the client resumes
        finally:
            self.release()

    def _take_in_step(self) -> list[bytes] | None:
        """Take the next frames past the waiting task; None if the task has to wake."""
        connection = self._connection
        if self._pending or self._close_code is not None or connection.is_due:
            return None
        if frames := self.watching.take_in_step():
            connection.sends += 1
        return frames

    def _take(self) -> list[str]:
        """Take all pending frames: control messages first, then those of each watched stream."""
        ready = self._pending
        if ready:
            self._pending = []
            self._emptied.ring()
            return ready + self.watching.take()
        return self.watching.take()

    def _reconnect(self) -> None:
        """Queue `reconnect` for each watched stream, or once if there is none, then the close."""
        if self._close_code is None:
            self._close_code = CLOSE_RESTARTING
        watched: list[str | None] = [*self.watching.ids()]
        self.watching.leave_all()  # none of their frames may follow
        for stream_id in watched or [None]:
            self.put(encode_websocket(events.reconnect(stream_id, retry_ms=RETRY_MS)))
