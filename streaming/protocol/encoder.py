"""The interface of encoders: a viewer's events in another dialect than our own. Pure."""

from __future__ import annotations

from typing import Protocol

from .events import Event


class Voided(Exception):
    """What the client was sent no longer holds, and its dialect can't take it back.

    The body must end unfinished. A client that comes again gets the answer as it is then.
    """


class Encoder(Protocol):
    """Encodes what one viewer takes, in order: `start`, `snapshot`, then the further events.

    The viewer begins with a snapshot (`Viewer.joining`). So an encoder needs no cursor, and sees
    nothing that was void before it came.
    """

    heartbeat: bytes
    """What keeps a silent connection alive, and means nothing."""

    def encode(self, event: Event) -> bytes:
        """Return an event's bytes; empty if the dialect has nothing to say.

        The bytes of a terminal event end the body.

        Raises:
            Voided
        """
