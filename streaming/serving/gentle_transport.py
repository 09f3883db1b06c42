"""A transport whose close gives the client time to read the response."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any


class GentleTransport:
    """Wraps uvicorn's transport and redirects `close` to the protocol.

    Closing a socket with unread bytes of the client sends a reset, and the client loses the
    response. `write` is bound directly to the transport, so it has no overhead.
    """

    __slots__ = ("_transport", "close", "is_closing", "write")

    def __init__(
        self,
        transport: asyncio.Transport,
        *,
        close: Callable[[], None],
        is_closing: Callable[[], bool],
    ) -> None:
        self._transport = transport
        self.close = close
        self.is_closing = is_closing
        self.write = transport.write

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
