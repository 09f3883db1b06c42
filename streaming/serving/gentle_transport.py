"""A transport whose close gives the client time to read the response."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any


class GentleTransport:
    """Wraps uvicorn's transport and redirects `close` to the protocol.

    Closing a socket with unread bytes of the client sends a reset, and the client loses the
    response. All other methods are bound directly to the transport, so writes have no overhead.
    """

    def __init__(
        self,
        transport: asyncio.Transport,
        *,
        close: Callable[[], None],
        is_closing: Callable[[], bool],
    ) -> None:
        self.close = close
        self.is_closing = is_closing
        self.write = transport.write
        self.abort = transport.abort
        self.pause_reading = transport.pause_reading
        self.resume_reading = transport.resume_reading
        self.get_extra_info: Callable[..., Any] = transport.get_extra_info
        self.get_write_buffer_size = transport.get_write_buffer_size
