"""Bodies for HTTP/1.0, which knows no chunks: the end of the connection ends them."""

from __future__ import annotations

from typing import Any

from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle


def close_delimited(app: ASGI3Application, cycle: RequestResponseCycle) -> ASGI3Application:
    """The application, answering one request without chunks. `cycle` closes after it anyway."""

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
                # uvicorn's check of a declared length, met part by part.
                cycle.expected_content_length = len(message.get("body", b""))
            await send(message)

        await app(scope, receive, send_plain)

    return run
