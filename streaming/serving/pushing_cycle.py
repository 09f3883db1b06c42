"""uvicorn's request and response, which can also write without waiting."""

from __future__ import annotations

from collections.abc import Callable

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle


class PushingCycle(RequestResponseCycle):
    def push(self, take: Callable[[], bytes]) -> bool:
        """Write what `take` returns as one chunk; see loop/push.py."""
        if (
            not self.chunked_encoding
            or self.flow.write_paused
            or self.disconnected
            or self.response_complete
            or self.scope["method"] == "HEAD"
        ):
            return False
        if part := take():
            self.transport.write(b"%x\r\n%b\r\n" % (len(part), part))
        return True
