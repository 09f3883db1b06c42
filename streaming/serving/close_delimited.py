"""Bodies for HTTP/1.0, which has no chunks: closing the connection ends them."""

from __future__ import annotations

from typing import Any

from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle


def close_delimited(app: ASGI3Application, cycle: RequestResponseCycle) -> ASGI3Application:
    """Wrap the application to respond without chunks. `cycle` closes the connection afterwards."""

    async def run(scope: Any, receive: Any, send: Any) -> None:
        is_delimited = False

        async def send_plain(message: Any) -> None:
            nonlocal is_delimited
            if message["type"] == "http.response.start":
                names = {name.lower() for name, _ in message.get("headers", [])}
                is_delimited = b"content-length" not in names
                if is_delimited:
                    cycle.chunked_encoding = False
            elif is_delimited:
                # Satisfy uvicorn's check of the declared length, part by part.
                cycle.expected_content_length = len(message.get("body", b""))
            await send(message)

        await app(scope, receive, send_plain)

    return run
