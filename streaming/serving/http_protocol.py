"""HTTP/1 for `serve`: uvicorn's httptools protocol, with limits on the resources of a client.

The parser receives one request at a time; pipelined bytes wait unparsed.
"""

from __future__ import annotations

import asyncio
from collections import deque
from enum import Enum
from math import inf
from typing import Any

import httptools
from uvicorn._types import ASGI3Application
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from ..http.lifeline import LIFELINE, Lifeline
from ..loop.gate import Gate
from . import answers
from .close_delimited import close_delimited
from .gentle_transport import GentleTransport
from .head import MAX_HEADERS, HeadMeter
from .keep_alive import keep_alive_seconds
from .progress import Progress
from .pushing_cycle import PushingCycle
from .roster import BoundedState
from .websocket_protocol import WebSocketProtocol

HEAD_SECONDS = 10.0
"""Time to the end of the headers, from the connection or a further request's first byte."""

BODY_SECONDS = 30.0
"""Time from the end of the headers to the end of the body."""

STALLED_SECONDS = 30.0
"""How long a client may read none of the bytes that wait for it."""

LINGER_SECONDS = 5.0
LINGER_BYTES = 16 * 1_048_576
"""Bytes to read and discard from a client that still sends after its response."""

AHEAD_BYTES = 1_048_576
"""Bytes that a client may pipeline while its request is being answered."""

FRAMING_BYTES = 65_536
"""Limit for chunk sizes, chunk extensions and trailers between two pieces of a body."""

CHUNKED_PIECE_BYTES = 16_384
"""Bytes of a chunked body to parse at once; the count for FRAMING_BYTES has this granularity."""

REFUSED_AT_MOST = 64
"""Refused connections that get time to read the response; further ones are closed at once."""

REFUSED_SECONDS = 1.0


KEPT_OF_A_REQUEST = ("type", "method", "path")
"""Entries of the scope that stay while a body is written: uvicorn's `send` reads the method, and a
layer around the application may log the path."""

_NO_PIPELINE: deque[Any] = deque(maxlen=0)
"""uvicorn's queue of parsed requests: always empty here, so one is enough for all connections."""


class Phase(Enum):
    IDLE = "idle"
    WAIT = "wait"  # for the turn of its address, which has sent many requests
    HEAD = "head"
    BODY = "body"
    ANSWER = "answer"  # the request is complete, the response is not


TIME_LIMITS = {Phase.HEAD: HEAD_SECONDS, Phase.BODY: BODY_SECONDS}


class HttpProtocol(HttpToolsProtocol):
    """One TCP connection, until it closes or becomes a WebSocket."""

    # Attributes beyond thirty would make each connection's dict four times as large.
    __slots__ = (
        "_discarded", "_framing", "_has_eof", "_is_deaf", "_is_surplus", "_left", "_lifeline",
        "_meter", "_phase", "_progress", "_refusal", "_roster", "_since", "_socket", "_unread",
        "_until",
    )  # fmt: skip

    def __init__(
        self,
        config: Config,
        server_state: BoundedState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.pipeline = _NO_PIPELINE
        self.access_log = False  # its lines would contain prompts, and `scope` may be empty
        self._roster = server_state.roster
        self._socket: asyncio.Transport
        self._phase = Phase.IDLE
        self._since = self._roster.now()  # when the phase began
        self._meter = HeadMeter()
        self._left: int | None = None  # bytes of the body to come; None if unknown
        self._framing = 0
        self._unread = b""
        self._discarded = 0
        self._is_deaf = False  # further bytes are read and discarded
        self._is_surplus = False  # the parser found a further request in the same bytes: ignore it
        self._has_eof = False
        self._until: float | None = None  # when to close a lingering connection
        self._refusal = answers.BAD_REQUEST
        self._progress = Progress()
        self._lifeline: Lifeline | None = None  # of the newest request

    # --- the connection ------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._socket = transport
        gentle: Any = GentleTransport(transport, close=self._close, is_closing=self._is_closing)
        super().connection_made(gentle)
        self.flow._is_writable_event = Gate(is_open=True)  # type: ignore[assignment]
        peer = self.client[0] if self.client else None
        self.timeout_keep_alive = keep_alive_seconds(peer)  # type: ignore[assignment]
        if not self._roster.enter(transport, self, peer):
            self._refuse_connection()

    def _refuse_connection(self) -> None:
        self._is_deaf = True
        self._socket.write(answers.TOO_MANY_CONNECTIONS)
        if self._roster.add_refused(self._socket, self, at_most=REFUSED_AT_MOST):
            self._linger(REFUSED_SECONDS)
        else:
            self._socket.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._roster.leave(self._socket)
        self._unread = b""
        super().connection_lost(exc)
        self._tell_gone()

    def _drop_request(self) -> None:
        self.flow.resume_reading()
        if not self.cycle.response_started:  # uvicorn still reads the request
            return
        scope: dict[str, Any] = self.cycle.scope  # type: ignore[assignment]
        kept = {name: scope[name] for name in KEPT_OF_A_REQUEST}
        self.headers.clear()
        scope.clear()  # emptied, because other layers hold it too
        scope.update(kept)
        self.url = b""

    def _tell_gone(self) -> None:
        if self._lifeline is not None:
            self._lifeline.is_gone = True
            if self._lifeline.on_gone is not None:
                self._lifeline.on_gone()

    def eof_received(self) -> bool:  # type: ignore[override]
        """Handle a half-close: the client sends no more, but still gets its response (`nc -N`)."""
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

    def check(self, now: float) -> None:
        waiting = self._socket.get_write_buffer_size()
        if self._progress.stalled_seconds(waiting, now) >= STALLED_SECONDS:
            self._socket.abort()
        elif self._until is not None:
            if now >= self._until:
                self._socket.close()
        elif self._phase in (Phase.WAIT, Phase.BODY) and self.flow.read_paused:
            self._since = now  # back-pressure: the server reads no further, the client is not late
        elif now - self._since >= TIME_LIMITS.get(self._phase, inf):
            self._refuse(answers.TIMEOUT)
        elif self.cycle is None and now - self._since >= HEAD_SECONDS:
            self._socket.close()  # no byte ever came, e.g. a browser's spare connection
        elif self._has_eof:
            self._give_sign_of_life()

    def _give_sign_of_life(self) -> None:
        """Write a heartbeat after a half-close, since only a failing write reveals a disconnect."""
        cycle = self.cycle
        if not cycle.response_started or cycle.response_complete:
            return
        sign = self._lifeline.sign if self._lifeline is not None else None
        if sign is None and cycle.chunked_encoding:
            self._socket.close()  # no layer sets the heartbeat: a disconnect would go unnoticed
        elif sign and not self._socket.get_write_buffer_size():
            chunk = b"%x\r\n%b\r\n" % (len(sign), sign)
            self._socket.write(chunk if cycle.chunked_encoding else sign)

    def _refuse(self, answer: bytes) -> None:
        """Respond to an invalid or late request, and close the connection."""
        if self._is_closing():
            return
        cycle = self.cycle
        if self._phase is Phase.BODY:
            cycle.disconnected = True
            cycle.message_event.set()
            self._tell_gone()
            if cycle.response_started:
                self._close()
                return
        self._socket.write(answer)
        self._linger(LINGER_SECONDS)

    # --- incoming bytes ----------------------------------------------------------

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
                if seconds := self._roster.charge_request(self._socket):
                    self._phase = Phase.WAIT
                    self.flow.pause_reading()
                    self.loop.call_later(seconds, self._end_wait)
                else:
                    self._begin_request()
            if self._phase is Phase.WAIT:
                return
            if self._phase is Phase.HEAD:
                end = self._meter.take(self._unread)
                if self._meter.is_too_large:
                    return self._refuse(answers.HEAD_TOO_LARGE)
            else:
                end = CHUNKED_PIECE_BYTES if self._left is None else self._left
            piece, self._unread = self._unread[:end], self._unread[end:]
            self._parse(piece)

    def _begin_request(self) -> None:
        self._phase, self._since = Phase.HEAD, self._roster.now()
        if self.parser is None:
            self._make_parser()

    def _end_wait(self) -> None:
        if not self._is_closing():
            self._begin_request()
            self.flow.resume_reading()
            self._read_on()

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
                self._take_no_more()  # ignore the upgrade: respond to the plain request
            return
        except httptools.HttpParserError:
            return self._refuse(self._refusal)
        if self._is_surplus:
            self._take_no_more()
        elif is_body and self._phase is Phase.BODY and self._framing > FRAMING_BYTES:
            self._refuse(answers.BAD_REQUEST)
        elif self._phase is Phase.ANSWER:
            self.parser = None  # type: ignore[assignment]  # a kilobyte while the response takes

    def _make_parser(self) -> None:
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn's

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
        self._lifeline = Lifeline(self._drop_request)
        self.scope["extensions"] = {LIFELINE: self._lifeline}  # type: ignore[dict-item]

    def on_url(self, url: bytes) -> None:
        if not self._is_surplus:
            super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._phase is not Phase.HEAD:
            return  # ignore trailers
        if len(self.headers) >= MAX_HEADERS:
            self._refusal = answers.HEAD_TOO_LARGE
            raise ValueError("too many headers")
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if self._is_surplus:
            return
        super().on_headers_complete()
        if self.cycle is not None:
            self.cycle.message_event = Gate()  # type: ignore[assignment]  # nobody waits yet
        if self.parser.should_upgrade() and self._should_upgrade():
            return
        lengths = [value for name, value in self.headers if name == b"content-length"]
        is_chunked = any(name == b"transfer-encoding" for name, _ in self.headers)
        self._left = None if is_chunked else int(lengths[0]) if lengths else 0
        if is_chunked:
            # Only the parser knows where a chunked body ends within the bytes read. So the bytes
            # after it are not read as a request.
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

    # --- the response ------------------------------------------------------------

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        if cycle.scope["http_version"] == "1.0":
            app = close_delimited(app, cycle)
        cycle.__class__ = PushingCycle  # uvicorn has no setting for it
        super()._start_asgi_task(cycle, app)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._is_closing():
            return
        if self._phase is Phase.BODY:
            return self._close()  # the response came before the whole body: don't wait for the rest
        self._phase = Phase.IDLE
        if self._unread:
            self._unset_keepalive_if_required()
            self._read_on()
        if self._has_eof and self._phase is not Phase.ANSWER:
            self._close()
