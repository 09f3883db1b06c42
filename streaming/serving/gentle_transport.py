"""A transport whose close waits until the client can have read the answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any


class GentleTransport:
    """Stands before uvicorn's transport and asks `close` of its protocol instead.

    A socket that is closed while bytes of the client are unread sends a reset, which makes the
    client lose the answer. All else is bound straight to the transport: a write costs nothing more.
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
