"""The application with crashes whose exceptions quote the visitor and the model.

A block crashes at a token that contains "crash", the viewers of `explain-eli10` crash at the end,
and a start of `diagram` crashes before it has begun.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from blocks.delta import Delta
from blocks.outputs.markdown import MarkdownAnswer
from liveai.asgi import application
from streaming.protocol.frames import Frame
from streaming.protocol.viewer import Viewer
from streaming.stream_manager import StreamManager
from tests.support.canaries import ANSWER, PROMPT

_feed, _take, _start = MarkdownAnswer.feed, Viewer.take, StreamManager.start


def _crash_at_a_token(self: MarkdownAnswer, token: str) -> Sequence[Delta]:
    if "crash" in token:
        raise ValueError(f"could not convert {ANSWER!r} before {token!r}")
    return _feed(self, token)


def _crash_at_the_end(self: Viewer) -> list[Frame]:
    if self.window.head.block_type == "explain-eli10" and self.window.has_ended:
        raise RuntimeError(f"a viewer broke at {ANSWER!r}")
    return _take(self)


async def _crash_at_a_start(
    self: StreamManager, visitor: Any, new: Any, *args: Any, **more: Any
) -> Any:
    if new.block_type == "diagram":
        raise KeyError(f"{PROMPT}: {new.prompt}")
    return await _start(self, visitor, new, *args, **more)


MarkdownAnswer.feed = _crash_at_a_token  # type: ignore[method-assign]
Viewer.take = _crash_at_the_end  # type: ignore[method-assign]
StreamManager.start = _crash_at_a_start  # type: ignore[method-assign]

__all__ = ["application"]
