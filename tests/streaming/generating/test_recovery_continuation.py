"""A continuation whose process dies: the next process asks the model for the same."""

from __future__ import annotations

import asyncio

import pytest

from blocks.models import BlockType
from blocks.providers.base import ChatRequest, Provider
from streaming.database.store import NewStream
from streaming.models import Stream
from streaming.process import Process
from streaming.watching.hub import Feed
from tests.conftest import MODEL, MakeBlock, StartProcess
from tests.support.streaming.continuing import questions
from tests.support.streaming.dictated import DictatedProvider
from tests.support.streaming.leaving import kill
from tests.support.streaming.tape import Tape
from tests.support.streaming.viewing import VISITOR, reached, read, start

pytestmark = pytest.mark.usefixtures("no_clockwork")


async def stopped(process: Process, block: BlockType, model: DictatedProvider) -> str:
    """Run a stream that is stopped after `The sky is`; return its id."""
    feed = (await start(process, block)).feed
    model.say("The sky ", "is")
    await reached(feed, 1)
    await process.manager.cancel(feed.stream_id, VISITOR.owner, by="owner")
    return feed.stream_id


async def continued(process: Process, block: BlockType, stream_id: str) -> Feed:
    new = NewStream(
        owner=VISITOR.owner,
        user_id=None,
        session="a",
        block_type=block.slug,
        model="x",
        prompt="Why?",
        continues=stream_id,
    )
    started = await process.manager.start(VISITOR, new, block.spec(), is_streaming=True)
    return started.feed


async def read_on(process: Process, stream_id: str, model: DictatedProvider, *words: str) -> Tape:
    """Watch a stream that was taken over to its end, which follows these words."""
    feed = await process.manager.watch(stream_id, VISITOR.owner)
    reading = asyncio.ensure_future(read(process, feed))
    model.say(*words)
    model.finish()
    return await reading


def said(request: ChatRequest) -> list[tuple[str, str]]:
    return [(message.role, message.content) for message in request.messages]


@pytest.mark.parametrize("has_begun", [False, True])
async def test_a_model_that_can_gets_both_texts(
    start_process: StartProcess, block: BlockType, models: dict[str, Provider], has_begun: bool
) -> None:
    models[MODEL] = model = DictatedProvider()
    process = await start_process()
    feed = await continued(process, block, await stopped(process, block, model))
    if has_begun:
        model.say(" bl")
        await reached(feed, 0)
        assert await process.generations.saver.flush()
    await kill(process)

    process = await start_process()
    tape = await read_on(process, feed.stream_id, model, *(["ue"] if has_begun else [" blue"]))
    assert tape.text == " blue"
    assert model.requests[-1].so_far == ("The sky is bl" if has_begun else "The sky is")
    assert "reset" not in tape.types


async def test_any_other_model_is_asked_the_same_once_more(
    start_process: StartProcess, block: BlockType, models: dict[str, Provider]
) -> None:
    models[MODEL] = model = DictatedProvider(can_continue=False)
    process = await start_process()
    feed = await continued(process, block, await stopped(process, block, model))
    model.say("The sky is", " green")
    await reached(feed, 0)
    assert await process.generations.saver.flush()
    await kill(process)

    process = await start_process()
    tape = await read_on(process, feed.stream_id, model, "The sky is", " blue.")
    assert tape.text == " blue."
    _, first, second = map(said, model.requests)
    assert first == second
    assert first[-2] == ("assistant", "The sky is")


async def test_a_quiz_asks_again_for_what_is_missing(
    start_process: StartProcess, make_block: MakeBlock, models: dict[str, Provider]
) -> None:
    count = {"type": "integer", "default": 3}
    block = await make_block(output="quiz", options_schema={"properties": {"questions": count}})
    models[MODEL] = model = DictatedProvider()
    process = await start_process()
    feed = (await start(process, block)).feed
    model.say(questions("Which?", "Where?"))
    model.finish()
    await read(process, feed)
    rest = await continued(process, block, feed.stream_id)
    await kill(process)

    process = await start_process()
    tape = await read_on(process, rest.stream_id, model, questions("Where?", "When?"))
    assert tape.terminal is not None
    result = tape.terminal["result"]
    assert [question["question"] for question in result["questions"]] == ["When?"]
    assert "- Which?\n- Where?" in model.requests[-1].messages[-1].content
    assert (await Stream.objects.aget(pk=rest.stream_id)).earlier is None
