"""A provider that plays given replies and records how it is used."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import ClassVar, Literal

from blocks.providers.base import Alive, ChatRequest, Finish, Piece, Thinking, Token

Reason = Literal["stop", "length"]


class FakeProvider:
    """Answers each request with the next reply, four characters at a time.

    A reply is a text, an exception to raise, or a list of these; `HANG` in it waits for ever, and
    `THINK` is a piece of reasoning.
    """

    HANG = object()
    THINK = Thinking()
    model = "fake"
    is_demo: ClassVar[bool] = True
    can_continue: bool = True  # a reply to a continued request is the continuation

    def __init__(self, *replies: object, finish: Reason = "stop") -> None:
        self._replies = list(replies)
        self._finish = finish
        self.requests: list[ChatRequest] = []
        self.open = 0
        self.hanging = asyncio.Event()

    def get(self, model: str) -> FakeProvider:
        """Return itself, so that it serves as its own pool."""
        return self

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Piece, None]:
        self.requests.append(request)
        reply = self._replies.pop(0)
        self.open += 1
        try:
            yield Alive()
            for part in reply if isinstance(reply, list) else [reply]:
                if part is self.HANG:
                    self.hanging.set()
                    await asyncio.Event().wait()
                if isinstance(part, Exception):
                    raise part
                if part is self.THINK:
                    yield self.THINK
                    continue
                text = str(part)
                for at in range(0, len(text), 4):
                    yield Token(text[at : at + 4])
            if self._finish:
                yield Finish(self._finish, 10, 5)
        finally:
            self.open -= 1

    async def warm(self) -> None: ...

    async def aclose(self) -> None: ...
