"""HTTP/1 of `serve`: uvicorn's protocol on httptools, with bounds on what a client may cost.

One request at a time is given to the parser: what a client sends ahead waits unparsed.
"""

from __future__ import annotations

import asyncio
from enum import Enum
from math import inf
from typing import Any

import httptools
from uvicorn._types import ASGI3Application
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from ..http.handover import SIGN_OF_LIFE
from . import answers
from .close_delimited import close_delimited
from .gentle_transport import GentleTransport
from .head import MAX_HEADERS, HeadMeter
from .progress import Progress
from .roster import BoundedState
from .websocket_protocol import WebSocketProtocol

HEAD_SECONDS = 10.0
"""From the connection, or from the first byte of a further request, to the end of the headers."""

BODY_SECONDS = 30.0
"""From the end of the headers to the end of the body."""

STALLED_SECONDS = 30.0
"""For how long a client may read nothing of what waits for it."""

LINGER_SECONDS = 5.0
LINGER_BYTES = 16 * 1_048_576
"""What is read and thrown away from a client that was answered and still sends."""

AHEAD_BYTES = 1_048_576
"""What a client may send ahead while its request is being answered."""

FRAMING_BYTES = 65_536
"""Sizes and extensions of chunks, and trailers, between two pieces of a body."""

CHUNKED_PIECE_BYTES = 16_384
"""What is parsed at once of a chunked body: FRAMING_BYTES is counted by these."""

REFUSED_AT_MOST = 64
"""Refused connections that get a moment to read why; further ones are closed at once."""

REFUSED_SECONDS = 1.0


class Phase(Enum):
    IDLE = "idle"
    HEAD = "head"
    BODY = "body"
    ANSWER = "answer"  # the request is whole, the response is not


TIME_LIMITS = {Phase.HEAD: HEAD_SECONDS, Phase.BODY: BODY_SECONDS}


class HttpProtocol(HttpToolsProtocol):
    """One TCP connection, until it is closed or becomes a WebSocket."""

    def __init__(
        self,
        config: Config,
        server_state: BoundedState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._roster = server_state.roster
        self._socket: asyncio.Transport
        self._phase = Phase.IDLE
        self._since = self._roster.now()  # of the phase
        self._meter = HeadMeter()
        self._left: int | None = None  # bytes of the body to come; None: that is not known
        self._framing = 0
        self._unread = b""
        self._discarded = 0
        self._is_deaf = False  # what still comes is read and thrown away
        self._is_surplus = False  # bytes after the one message that a connection may carry
        self._has_eof = False
        self._until: float | None = None  # when a connection that lingers is closed
        self._refusal = answers.BAD_REQUEST
        self._progress = Progress()

    # --- the connection ------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._socket = transport
        gentle: Any = GentleTransport(transport, close=self._close, is_closing=self._is_closing)
        super().connection_made(gentle)
        if not self._roster.enter(transport, self, self.client[0] if self.client else None):
            self._turn_away()

    def _turn_away(self) -> None:
        self._is_deaf = True
        self._socket.write(answers.TOO_MANY_CONNECTIONS)
        if self._roster.look_after_refused(self._socket, self, at_most=REFUSED_AT_MOST):
            self._linger(REFUSED_SECONDS)
        else:
            self._socket.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._roster.leave(self._socket)
        self._unread = b""
        super().connection_lost(exc)

    def eof_received(self) -> bool:  # type: ignore[override]
        """The client says no more. What it asked for it still gets (`nc -N`)."""
        self._has_eof = True
        if self._until is not None or self._phase is not Phase.ANSWER:
            return False
        self._give_sign_of_life()
        return True

    def _close(self) -> None:
        if self._is_closing():
            return
        is_sent_whole = self._phase in (Phase.IDLE, Phase.ANSWER) and not (
            self._unread or self._is_deaf or self.flow.read_paused
        )
        if is_sent_whole or self._has_eof:
            self._socket.close()
        else:
            self._linger(LINGER_SECONDS)

    def _linger(self, seconds: float) -> None:
        self._is_deaf, self._unread = True, b""
        self._until = self._roster.now() + seconds
        self.flow.resume_reading()
        self._socket.write_eof()

    def _is_closing(self) -> bool:
        return self._until is not None or self._socket.is_closing()

    def look(self, now: float) -> None:
        waiting = self._socket.get_write_buffer_size()
        if self._progress.stalled_seconds(waiting, now) >= STALLED_SECONDS:
            self._socket.abort()
        elif self._until is not None:
            if now >= self._until:
                self._socket.close()
        elif self._phase is Phase.BODY and self.flow.read_paused:
            self._since = now  # it is ours to read on
        elif now - self._since >= TIME_LIMITS.get(self._phase, inf):
            self._refuse(answers.TIMEOUT)
        elif self.cycle is None and now - self._since >= HEAD_SECONDS:
            self._socket.close()  # nothing ever came: a browser's spare connection, for one
        elif self._has_eof:
            self._give_sign_of_life()

    def _give_sign_of_life(self) -> None:
        """A client that is gone looks like one that only says no more, until it is written to."""
        cycle = self.cycle
        if not cycle.response_started or cycle.response_complete:
            return
        extensions: Any = cycle.scope["extensions"]
        sign: bytes | None = extensions[SIGN_OF_LIFE].get("bytes")
        if sign is None and cycle.chunked_encoding:
            self._socket.close()  # an application without the layer: nothing would ever tell
        elif sign and not self._socket.get_write_buffer_size():
            chunk = b"%x\r\n%b\r\n" % (len(sign), sign)
            self._socket.write(chunk if cycle.chunked_encoding else sign)

    def _refuse(self, answer: bytes) -> None:
        """Answer what can't become a request, or not in time, and close."""
        if self._is_closing():
            return
        cycle = self.cycle
        if self._phase is Phase.BODY:
            cycle.disconnected = True
            cycle.message_event.set()
            if cycle.response_started:
                self._close()
                return
        self._socket.write(answer)
        self._linger(LINGER_SECONDS)

    # --- bytes in ----------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        if self._is_deaf:
            self._discarded += len(data)
            if self._discarded > LINGER_BYTES:
                self._socket.close()
            return
        self._unread = self._unread + data if self._unread else data
        self._read_on()

    def _read_on(self) -> None:
        while self._unread and not self._is_deaf:
            if self._phase is Phase.ANSWER:
                if len(self._unread) > AHEAD_BYTES:
                    self._socket.abort()
                self.flow.pause_reading()
                return
            if self._phase is Phase.IDLE:
                self._phase, self._since = Phase.HEAD, self._roster.now()
            if self._phase is Phase.HEAD:
                end = self._meter.take(self._unread)
                if self._meter.is_too_large:
                    return self._refuse(answers.HEAD_TOO_LARGE)
            else:
                end = CHUNKED_PIECE_BYTES if self._left is None else self._left
            piece, self._unread = self._unread[:end], self._unread[end:]
            self._parse(piece)

    def _parse(self, piece: bytes) -> None:
        is_body = self._phase is Phase.BODY
        if is_body:
            self._framing += len(piece)
        try:
            self.parser.feed_data(piece)
        except httptools.HttpParserUpgrade:
            if self._should_upgrade():
                self.handle_websocket_upgrade()
            else:
                self._take_no_more()  # answered as if it had not asked for that
            return
        except httptools.HttpParserError:
            return self._refuse(self._refusal)
        if self._is_surplus:
            self._take_no_more()
        elif is_body and self._phase is Phase.BODY and self._framing > FRAMING_BYTES:
            self._refuse(answers.BAD_REQUEST)

    def _take_no_more(self) -> None:
        self._is_deaf, self._unread = True, b""
        self.cycle.keep_alive = False

    def handle_websocket_upgrade(self) -> None:
        unread, self._unread = self._unread, b""
        self.transport = self._socket
        super().handle_websocket_upgrade()
        protocol: Any = self._socket.get_protocol()
        assert isinstance(protocol, WebSocketProtocol)
        self._roster.hand_on(self._socket, protocol)
        if unread:
            protocol.data_received(unread)

    # --- the parser's callbacks ------------------------------------------------------

    def on_message_begin(self) -> None:
        if self._phase is Phase.ANSWER:
            self._is_surplus = True
            return
        super().on_message_begin()
        self.scope["extensions"] = {SIGN_OF_LIFE: {}}

    def on_url(self, url: bytes) -> None:
        if not self._is_surplus:
            super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._phase is not Phase.HEAD:
            return  # a trailer: nobody here looks at those
        if len(self.headers) >= MAX_HEADERS:
            self._refusal = answers.HEAD_TOO_LARGE
            raise ValueError("too many headers")
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if self._is_surplus:
            return
        super().on_headers_complete()
        if self.parser.should_upgrade() and self._should_upgrade():
            return
        lengths = [value for name, value in self.headers if name == b"content-length"]
        is_chunked = any(name == b"transfer-encoding" for name, _ in self.headers)
        self._left = None if is_chunked else int(lengths[0]) if lengths else 0
        if is_chunked:
            # Where such a body ends within what has been read, only the parser knows. So what
            # follows it is not read as a request.
            self.cycle.keep_alive = False
        self._phase, self._since = Phase.BODY, self._roster.now()
        self._meter, self._framing = HeadMeter(), 0

    def on_body(self, body: bytes) -> None:
        if self._is_surplus:
            return
        self._framing = 0
        if self._left is not None:
            self._left -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        if self._is_surplus or self._phase is not Phase.BODY:
            return
        self._phase = Phase.IDLE if self.cycle.response_complete else Phase.ANSWER
        super().on_message_complete()

    # --- the answer --------------------------------------------------------------

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        if cycle.scope["http_version"] == "1.0":
            app = close_delimited(app, cycle)
        super()._start_asgi_task(cycle, app)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._is_closing():
            return
        if self._phase is Phase.BODY:
            return self._close()  # answered before it was sent: the rest is not waited for
        self._phase = Phase.IDLE
        if self._unread:
            self._unset_keepalive_if_required()
            self._read_on()
        if self._has_eof and self._phase is not Phase.ANSWER:
            self._close()
