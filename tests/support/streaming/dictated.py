"""A model that produces tokens on a test's command, so that tests do not depend on timing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import ClassVar

from blocks.providers.base import ChatRequest, Finish, Piece, Thinking, Token


class DictatedProvider:
    """One answer at a time, shared by all requests; tokens wait until a request arrives."""

    is_demo: ClassVar[bool] = False

    def __init__(self, *, can_continue: bool = True) -> None:
        self.model = "x"
        self.can_continue = can_continue
        self.requests: list[ChatRequest] = []
        self.calls_open = 0
        self._pieces: asyncio.Queue[Piece] = asyncio.Queue()

    def say(self, *tokens: str) -> None:
        for token in tokens:
            self._pieces.put_nowait(Token(token))

    def think(self) -> None:
        self._pieces.put_nowait(Thinking())

    def finish(self) -> None:
        self._pieces.put_nowait(Finish("stop", 1, 1))

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Piece, None]:
        self.requests.append(request)
        self.calls_open += 1
        try:
            while True:
                piece = await self._pieces.get()
                yield piece
                if isinstance(piece, Finish):
                    return
        finally:
            self.calls_open -= 1

    async def warm(self) -> None:
        """Does nothing: no preparation needed."""

    async def aclose(self) -> None:
        """Does nothing: there is nothing to release."""
