"""What a viewer that was cut off has, and its resume on a socket."""

from __future__ import annotations

from typing import Any

from tests.support.streaming.socket import Socket
from tests.support.streaming.tape import Tape


async def resume(
    socket: Socket, stream_id: str, after: int, tape: Tape, ref: str = "again"
) -> dict[str, Any]:
    """Resume a tape on this socket; return the `start` of the reply."""
    tape.begin_again()
    socket.tapes[stream_id] = tape
    await socket.say(type="resume", ref=ref, stream_id=stream_id, after=after)
    start = await socket.until("start", ref=ref, stream_id=stream_id)
    assert start["after"] == after
    return start


def cut(events: list[dict[str, Any]], seq: int) -> Tape:
    """Return the tape of a viewer that disconnected after this seq."""
    tape = Tape()
    for event in events:
        if event.get("seq", -1) <= seq:
            tape.take(event)
    return tape
