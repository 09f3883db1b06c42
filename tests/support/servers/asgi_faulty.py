"""The application with viewers that fail in mid-answer, in the block explain-eli10."""

from liveai.asgi import application
from streaming.protocol.frames import Frame
from streaming.protocol.viewer import Viewer

_take = Viewer.take


def _break_in_mid_answer(self: Viewer) -> list[Frame]:
    if self.window.head.block_type == "explain-eli10" and self.cursor >= 3:
        raise RuntimeError("a viewer broke")
    return _take(self)


Viewer.take = _break_in_mid_answer  # type: ignore[method-assign]

__all__ = ["application"]
