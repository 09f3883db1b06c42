"""uvicorn's request and response, which can also write without waiting."""

from __future__ import annotations

from collections.abc import Callable

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle


class PushingCycle(RequestResponseCycle):
    is_pushable: bool | None = None
    """Whether the response has chunks, which `push` writes; None before it is known."""

    def cut(self) -> None:
        """End the response unfinished: close the connection without the last chunk.

        uvicorn does so, too, when the application returns, but logs it as the application's error.
        """
        self.disconnected = True
        self.transport.close()

    def push(self, take: Callable[[], bytes | None]) -> bool:
        """Write what `take` returns as one chunk; see loop/push.py."""
        if self.is_pushable is None:
            self.is_pushable = self.chunked_encoding and self.scope["method"] != "HEAD"
        if (
            not self.is_pushable
            or self.flow.write_paused
            or self.disconnected
            or self.response_complete
        ):
            return False
        part = take()
        if part:
            self.transport.write(b"%x\r\n%b\r\n" % (len(part), part))
        return part is not None
