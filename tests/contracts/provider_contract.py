"""The contract of every provider (`blocks/providers/base.py`), as one suite of tests.

A provider's tests subclass it and supply a stage:

    class TestMine(ProviderContract):
        @pytest_asyncio.fixture
        async def stage(self): ...
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from typing import Protocol

import pytest

from blocks.errors import GenerationError
from blocks.providers.base import (
    Alive,
    ChatRequest,
    Finish,
    Message,
    Piece,
    Provider,
    Thinking,
    Token,
)

CLOSE_SECONDS = 10.0
"""Ample for a busy machine. A provider that does not stop its model would need for ever."""

REQUEST = ChatRequest((Message("user", "Why is the sky blue?"),), temperature=0.4, max_tokens=24)


class Stage(Protocol):
    """Puts a provider into the situations that the suite needs."""

    request: ChatRequest

    async def answering(self) -> Provider:
        """A provider that answers `request` within seconds."""
        ...

    async def silent(self) -> tuple[Provider, ChatRequest]:
        """A provider that takes long to produce its first token."""
        ...

    async def endless(self) -> tuple[Provider, ChatRequest]:
        """A provider that sends a token and then stays unfinished for a long time."""
        ...

    async def failing(self) -> Provider:
        """A provider that can't answer anything."""
        ...

    async def asked(self) -> None:
        """Return once the silent provider has begun to work on its request."""
        ...

    async def stopped(self) -> None:
        """Return once the system behind the provider has stopped working on its request."""
        ...


async def pieces_of(provider: Provider, request: ChatRequest) -> list[Piece]:
    return [piece async for piece in provider.stream(request)]


def text_of(pieces: list[Piece]) -> str:
    return "".join(piece.text for piece in pieces if isinstance(piece, Token))


def going_on(request: ChatRequest, so_far: str) -> ChatRequest:
    """Add the beginning of the answer to a request."""
    return replace(request, messages=(*request.messages, Message("assistant", so_far)))


async def first_token(stream: AsyncIterator[Piece]) -> Token:
    async for piece in stream:
        if isinstance(piece, Token):
            return piece
    raise AssertionError("the stream ended without a token")


class ProviderContract:
    async def test_tokens_come_first_and_one_finish_comes_last(self, stage: Stage) -> None:
        pieces = await pieces_of(await stage.answering(), stage.request)
        assert isinstance(pieces[-1], Finish)
        assert all(isinstance(piece, Token | Thinking | Alive) for piece in pieces[:-1])
        assert sum(isinstance(piece, Token) for piece in pieces) > 1
        assert pieces[-1].reason in ("stop", "length")
        assert pieces[-1].input_tokens >= 0
        assert pieces[-1].output_tokens > 0

    async def test_every_token_has_text_that_any_store_takes(self, stage: Stage) -> None:
        pieces = await pieces_of(await stage.answering(), stage.request)
        for piece in pieces:
            if isinstance(piece, Token):
                assert piece.text
                assert "\0" not in piece.text
                piece.text.encode()  # raises on a lone surrogate

    async def test_it_has_a_name_that_can_be_shown(self, stage: Stage) -> None:
        provider = await stage.answering()
        assert provider.model
        assert "/" not in provider.model
        assert provider.is_demo in (True, False)

    async def test_from_the_middle_of_its_answer_it_gives_only_what_follows(
        self, stage: Stage
    ) -> None:
        provider = await stage.answering()
        assert provider.can_continue in (True, False)
        if not provider.can_continue:
            return  # it would start over, and declares that
        said = [p.text for p in await pieces_of(provider, stage.request) if isinstance(p, Token)]
        so_far = "".join(said[: len(said) // 2])
        pieces = await pieces_of(provider, going_on(stage.request, so_far))
        assert isinstance(pieces[-1], Finish)
        assert so_far.strip()
        assert not text_of(pieces).strip().startswith(so_far.strip())

    async def test_many_streams_at_once_get_whole_answers(self, stage: Stage) -> None:
        provider = await stage.answering()
        answers = await asyncio.gather(*(pieces_of(provider, stage.request) for _ in range(6)))
        assert all(isinstance(pieces[-1], Finish) and text_of(pieces) for pieces in answers)

    async def test_closing_after_the_first_token_stops_the_model(self, stage: Stage) -> None:
        provider, request = await stage.endless()
        stream = provider.stream(request)
        await first_token(stream)
        async with asyncio.timeout(CLOSE_SECONDS):
            await stream.aclose()
            await stage.stopped()

    async def test_cancelling_before_the_first_token_stops_the_model(self, stage: Stage) -> None:
        provider, request = await stage.silent()
        task = asyncio.create_task(pieces_of(provider, request))
        await stage.asked()
        async with asyncio.timeout(CLOSE_SECONDS):
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await stage.stopped()

    async def test_cancelling_in_mid_answer_stops_the_model(self, stage: Stage) -> None:
        provider, request = await stage.endless()
        has_token = asyncio.Event()

        async def read() -> None:
            async with aclosing(provider.stream(request)) as stream:
                async for piece in stream:
                    if isinstance(piece, Token):
                        has_token.set()

        task = asyncio.create_task(read())
        await has_token.wait()
        async with asyncio.timeout(CLOSE_SECONDS):
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await stage.stopped()

    async def test_a_stream_that_was_never_read_can_be_closed(self, stage: Stage) -> None:
        provider, request = await stage.silent()
        await provider.stream(request).aclose()

    async def test_after_a_closed_stream_it_answers_the_next(self, stage: Stage) -> None:
        provider = await stage.answering()
        stream = provider.stream(stage.request)
        await first_token(stream)
        await stream.aclose()
        assert text_of(await pieces_of(provider, stage.request))

    async def test_a_failure_is_one_of_ours_and_says_no_secrets(self, stage: Stage) -> None:
        provider = await stage.failing()
        with pytest.raises(GenerationError) as caught:
            await pieces_of(provider, stage.request)
        assert type(caught.value) is not GenerationError
        assert caught.value.message.endswith(".")
        assert "://" not in caught.value.message
        assert caught.value.__context__ is None

    async def test_getting_ready_never_raises(self, stage: Stage) -> None:
        await (await stage.failing()).warm()

    async def test_it_can_be_closed_twice_and_unused(self, stage: Stage) -> None:
        provider = await stage.failing()
        await provider.aclose()
        await provider.aclose()
