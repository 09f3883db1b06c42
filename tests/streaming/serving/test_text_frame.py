"""Pushed texts are whole WebSocket frames, as the library writes and reads them."""

from __future__ import annotations

import pytest
from websockets.frames import Frame, Opcode

from streaming.serving.websocket_protocol import _text_frame


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 70_000])
def test_a_frame_is_the_one_that_the_library_writes(size: int) -> None:
    data = b"x" * size
    assert _text_frame(data) == Frame(Opcode.TEXT, data).serialize(mask=False)
