"""A stream's usage is known however it ends."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any, ClassVar

import pytest

from blocks.models import BlockType
from blocks.providers.base import ChatRequest, Finish, Piece, Token
from streaming.models import Stream
from streaming.process import Process
from tests.conftest import MODEL, MakeBlock, Play
from tests.support.schema import validate_event
from tests.support.streaming.browser import Browser

WORDS = ["Eleven ", "words ", "of ", "an ", "answer ", "that ", "is ", "never ", "finished"]
PROMPT = "Why is the sky blue?"
INPUT = len(PROMPT) // 4
OUTPUT = -(-len("".join(WORDS)) // 4)


async def row_of(stream_id: str) -> Stream:
    return await Stream.objects.aget(pk=stream_id)


@pytest.mark.parametrize("streaming", [True, False])
async def test_a_cancelled_answer_has_an_estimate(
    process: Process, make_block: MakeBlock, browser: Browser, play: Play, streaming: bool
) -> None:
    provider = play(*WORDS, {"hang": True})
    await make_block(streaming=streaming)
    stream = await browser.start_unwatched(prompt=PROMPT)
    await provider.until(lambda provider: provider.calls_open == 1)  # so it has sent everything
    resource = await browser.cancel(stream["stream_id"])
    usage = {"input_tokens": INPUT, "output_tokens": OUTPUT, "estimated": True}
    assert (resource["status"], resource["usage"]) == ("cancelled", usage)
    row = await row_of(stream["stream_id"])
    assert (row.input_tokens, row.output_tokens, row.usage_is_estimated) == (INPUT, OUTPUT, True)


async def test_an_answer_that_failed_has_an_estimate(
    block: BlockType, browser: Browser, play: Play
) -> None:
    play(*WORDS, {"fail": "provider_interrupted"})
    reader = await browser.start(prompt=PROMPT)
    stream_id = (await reader.end())["stream_id"]
    usage = (await browser.resource(stream_id))["usage"]
    assert usage == {"input_tokens": INPUT, "output_tokens": OUTPUT, "estimated": True}


async def test_a_call_that_was_refused_has_none(
    block: BlockType, browser: Browser, play: Play
) -> None:
    play({"fail": "provider_rejected"})
    reader = await browser.start(prompt=PROMPT)
    stream_id = (await reader.end())["stream_id"]
    assert (await browser.resource(stream_id))["usage"] is None


class Silent:
    """A provider that reports no usage."""

    model = "silent"
    is_demo: ClassVar[bool] = False
    can_continue = False

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Piece, None]:
        for word in WORDS:
            yield Token(word)
        yield Finish("stop", None, None)

    async def warm(self) -> None: ...

    async def aclose(self) -> None: ...


async def test_an_answer_whose_provider_says_nothing_is_marked(
    process: Process, block: BlockType, browser: Browser
) -> None:
    process.providers.use(MODEL, Silent())
    reader = await browser.start(prompt=PROMPT)
    end: dict[str, Any] = await reader.end()
    validate_event(end)
    usage = {"input_tokens": INPUT, "output_tokens": OUTPUT, "estimated": True}
    assert (end["type"], end["usage"]) == ("complete", usage)
    assert (await browser.resource(end["stream_id"]))["usage"] == usage


async def test_an_answer_whose_provider_says_all_is_not(
    block: BlockType, browser: Browser, play: Play
) -> None:
    play(*WORDS, {"usage": {"input_tokens": 3, "output_tokens": 4}})
    reader = await browser.start(prompt=PROMPT)
    assert (await reader.end())["usage"] == {"input_tokens": 3, "output_tokens": 4}
