"""What the server and the layer of handed-over responses tell each other about a client."""

from __future__ import annotations

from collections.abc import Callable

LIFELINE = "liveai.lifeline"
"""Key of the server's scope extension: the request's `Lifeline`."""


class Lifeline:
    """What the server and the layer tell each other about a client. Not every server has one."""

    __slots__ = ("is_gone", "on_gone", "on_handed_over", "sign")

    def __init__(self, on_handed_over: Callable[[], None]) -> None:
        self.sign: bytes | None = None
        """A heartbeat, which the server may write between two parts of the body to detect whether
        a silent client is still connected. None: the layer is absent."""
        self.is_gone = False
        """Whether the client has disconnected; the server sets it."""
        self.on_gone: Callable[[], object] | None = None
        """The server calls it when the client disconnects: no task need wait for that."""
        self.on_handed_over = on_handed_over
        """The layer calls it when nothing needs the request any more. The server drops what it
        holds of the request, and reads further bytes to see a disconnect."""
