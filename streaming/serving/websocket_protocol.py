"""WebSockets for `serve`: uvicorn's websockets protocol, with limits on the resources of a client.

The parser receives one frame at a time, and no further message until the application has received
the last one.
"""

from __future__ import annotations

import asyncio
from asyncio.transports import BaseTransport
from collections.abc import Callable
from typing import Any

from uvicorn._types import ASGIReceiveEvent, ASGISendEvent
from uvicorn.config import Config
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from ..loop.gate import Gate
from ..loop.small_queue import SmallQueue
from ..protocol.codes import CLOSE_TOO_BIG, CLOSE_TOO_MANY
from ..protocol.commands import MAX_FRAME_BYTES
from .answers import BAD_REQUEST
from .frame_gate import FrameGate, Verdict
from .progress import Progress
from .roster import BoundedState

MESSAGE_SECONDS = 30.0
"""Time from the first byte of a message to its end."""

CONTROLS_PER_SECOND = 100
"""Limit for pings, pongs and closes of a client."""

STALLED_SECONDS = 30.0
"""How long a client may read none of a closing socket's last frames."""

OPEN_STALLED_SECONDS = 90.0
"""The same for an open socket.

More than the 30 s until the application closes it with 1013, plus 30 s to read that frame.
"""

LINGER_SECONDS = 5.0

FLOOD_COST = 10.0
"""Requests that a socket counts as for its address, once it is closed for too many frames.

Otherwise each new socket would bring another burst of frames.
"""

_CLOSE_PROTOCOL_ERROR = 1002
_CLOSE_INVALID_DATA = 1007

_OVERSIZED = " " * (MAX_FRAME_BYTES + 1)
"""Passed to the application in place of a text that was too long to keep."""


class WebSocketProtocol(WebSocketsSansIOProtocol):
    __slots__ = (
        "_at", "_controls", "_gate", "_has_failed", "_message_since", "_messages_seen",
        "_progress", "_roster", "_transport_key", "_unread",
    )  # fmt: skip

    def __init__(
        self,
        config: Config,
        server_state: BoundedState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.queue = SmallQueue()  # type: ignore[assignment]
        self.writable = Gate(is_open=True)  # type: ignore[assignment]
        self._roster = server_state.roster
        self._gate = FrameGate(max_size=config.ws_max_size)
        self._unread = b""
        self._at = 0  # position in `_unread` up to which it has been read
        self._controls = 0  # control frames in this second
        self._messages_seen = 0
        self._message_since: float | None = None
        self._has_failed = False
        self._progress = Progress()

    # --- the connection ------------------------------------------------------------

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(transport)
        self._transport_key = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self._roster.leave(self._transport_key)
        self._unread = b""
        super().connection_lost(exc)

    def check(self, now: float) -> None:
        self._controls = 0
        stalled = self._progress.stalled_seconds(self.transport.get_write_buffer_size(), now)
        if stalled >= (STALLED_SECONDS if self.transport.is_closing() else OPEN_STALLED_SECONDS):
            self.transport.abort()
        if self.read_paused or not self._gate.is_open:
            self._message_since = None
        elif self._message_since is None or self._gate.messages != self._messages_seen:
            self._message_since, self._messages_seen = now, self._gate.messages
        elif now - self._message_since >= MESSAGE_SECONDS:
            self._fail(CLOSE_TOO_BIG, "message not completed in time")

    def _fail(self, code: int, reason: str) -> None:
        if not self._has_failed and not self.close_sent and not self.transport.is_closing():
            self.conn.fail(code, reason)
            self.handle_parser_exception()

    def handle_parser_exception(self) -> None:
        """Send the close frame that `conn` has built, and give the client time to read it."""
        if self._has_failed:
            return
        self._has_failed = True
        assert self.conn.close_sent is not None
        self.queue.put_nowait(
            {
                "type": "websocket.disconnect",
                "code": self.conn.close_sent.code,
                "reason": self.conn.close_sent.reason,
            }
        )
        self.close_sent = True
        self.disconnected = True  # silently drop further messages of the application
        self.stop_keepalive()
        self._linger(b"".join(self.conn.data_to_send()))

    def _linger(self, last_words: bytes = b"") -> None:
        """Discard further bytes of the client, until it has had time to read the close frame.

        Closing the socket at once, with unread bytes, would send a reset and lose the frame.
        """
        self._unread, self._at = b"", 0
        if self.transport.is_closing():
            return
        self.transport.write(last_words)
        self.transport.resume_reading()
        if self.close_timer is not None:
            self.close_timer.cancel()
        self.close_timer = self.loop.call_later(LINGER_SECONDS, self.transport.close)
        self.transport.write_eof()

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self.disconnected = True

    # --- incoming bytes ----------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        if self._has_failed:
            return
        if not self.handshake_initiated:
            super().data_received(data)
            if not self.handshake_initiated:
                self._refuse_handshake()
            return
        self._unread = self._unread[self._at :] + data
        self._at = 0
        self._read_on()

    def _refuse_handshake(self) -> None:
        """Respond to a handshake that is valid HTTP but no WebSocket; uvicorn would never do so."""
        output = b"".join(self.conn.data_to_send())
        self.handshake_complete = self.close_sent = True
        self.transport.write(output or BAD_REQUEST)
        self.transport.close()

    def _read_on(self) -> None:
        while self._at < len(self._unread) and not self._has_failed:
            if self.read_paused or not (self.handshake_complete or self.close_sent):
                self._pause()
                return
            step = self._gate.take(self._unread, self._at)
            self._at = step.end
            if step.passed:
                super().data_received(step.passed)
            match step.verdict:
                case Verdict.TOO_LONG:
                    self._fail(CLOSE_TOO_BIG, "fragmented message over 64 KiB")
                case Verdict.BROKEN:
                    self._fail(_CLOSE_PROTOCOL_ERROR, "invalid control frame")
                case Verdict.OVERSIZED if not self.close_sent:
                    self.queue.put_nowait({"type": "websocket.receive", "text": _OVERSIZED})
                    self._pause()
                case Verdict.CONTROL:
                    self._controls += 1
                    if self._controls > CONTROLS_PER_SECOND:
                        self._fail(CLOSE_TOO_MANY, "too many frames")
        if self._at == len(self._unread):  # slicing after each frame would copy the rest each time
            self._unread, self._at = b"", 0

    def _pause(self) -> None:
        if not self.read_paused:
            self.read_paused = True
            self.transport.pause_reading()

    def start_keepalive(self) -> None:
        """Read the bytes that the client sent before the handshake was complete."""
        super().start_keepalive()
        self._drop_handshake()
        if self._unread:
            self.loop.call_soon(self._resume)

    def _drop_handshake(self) -> None:
        """Release what only the handshake needs."""
        scope: dict[str, Any] = self.scope  # type: ignore[assignment]
        kept = {name: scope[name] for name in ("type", "path")}  # layers around may log the path
        scope.clear()
        scope.update(kept)
        self.request.headers.clear()  # the parser holds the request, too
        del self.request, self.response
        self.__dict__ = {**self.__dict__}  # without the room that Python adds to a growing dict

    def _resume(self) -> None:
        if self.queue.empty() and not self._has_failed:
            self.read_paused = False
            self.transport.resume_reading()
            self._read_on()

    async def receive(self) -> ASGIReceiveEvent:
        """Do what uvicorn 0.54 does, without a further frame for each idle socket."""
        message = await self.queue.get()
        if self.read_paused and self.queue.empty():
            self.read_paused = False
            self.transport.resume_reading()
        if self._at < len(self._unread) and not self.read_paused:
            self._read_on()
        return message

    async def send(self, message: ASGISendEvent) -> None:
        await super().send(message)
        is_close = message["type"] == "websocket.close" and self.handshake_complete
        if is_close and message.get("code") == CLOSE_TOO_MANY and not self._has_failed:
            # A flood may continue while the socket closes, and parsing it would cost CPU time.
            self._has_failed = True
            self._roster.charge_request(self._transport_key, FLOOD_COST)
            self._linger()

    def push(self, take: Callable[[], list[bytes] | None]) -> bool:
        """Write texts as frames, in one write; see loop/push.py."""
        if (
            not self.writable.is_set()
            or not self.handshake_complete
            or self.close_sent
            or self.disconnected
            or self.transport.is_closing()
        ):
            return False
        texts = take()
        if texts is None:
            return False
        if texts:
            # Whole frames: the connection's state, which the library keeps, does not change.
            self.transport.write(b"".join(map(_text_frame, texts)))
        return True

    # --- frames ----------------------------------------------------------------------

    def handle_ping(self) -> None:
        """Answer a ping, unless the client does not read: the pongs would pile up."""
        pong = b"".join(self.conn.data_to_send())
        if self.writable.is_set():
            self.transport.write(pong)

    def send_receive_event_to_app(self) -> None:
        if self.curr_msg_data_type == "text" and not _is_utf8(b"".join(self.frames)):
            self.frames = []
            self._fail(_CLOSE_INVALID_DATA, "text is not UTF-8")
            return
        super().send_receive_event_to_app()


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _text_frame(data: bytes) -> bytes:
    """Frame one text as a server sends it: whole, unmasked, uncompressed (RFC 6455, 5.2)."""
    size = len(data)
    if size < 126:
        return b"\x81%c%b" % (size, data)
    if size < 65_536:
        return b"\x81\x7e%b%b" % (size.to_bytes(2), data)
    return b"\x81\x7f%b%b" % (size.to_bytes(8), data)
