"""`liveai.api`: answers that a site's own code starts, on and off the server's loop."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User

from blocks.models import BlockType
from liveai import api
from liveai.signals import stream_ended
from streaming.models import Stream
from tests.conftest import Play
from tests.support.streaming.asking import new_request_id


@pytest.fixture
async def ada(transactional_db: None) -> User:
    return await User.objects.acreate(username="ada")


async def test_an_answer_of_code_is_the_users_and_streams(
    block: BlockType, play: Play, ada: User
) -> None:
    play("The ", "sky.")
    ended: list[Any] = []
    stream_ended.connect(lambda **told: ended.append(told["user_id"]), weak=False, dispatch_uid="t")
    try:
        answer = await api.astart("tale", "Why?", user=ada)
        events = [event async for event in answer.events()]
    finally:
        stream_ended.disconnect(dispatch_uid="t")
    assert [event["type"] for event in events] == ["start", "chunk", "chunk", "complete"]
    document = await answer.wait()
    assert (document["status"], document["text"]) == ("complete", "The sky.")
    row = await Stream.objects.aget(pk=answer.id)
    assert (row.owner, row.user_id) == (f"user:{ada.pk}", ada.pk)
    again = [event["type"] async for event in answer.events(after=0)]
    assert again == ["start", "chunk", "complete"]


async def test_the_same_request_id_gives_the_same_answer_and_a_cancel_stops_it(
    block: BlockType, play: Play, ada: User
) -> None:
    provider = play("On", {"hang": True})
    request_id = new_request_id()
    first = await api.astart("tale", "Why?", user=ada, request_id=request_id)
    second = await api.astart("tale", "Why?", user=ada, request_id=request_id)
    assert first.id == second.id
    async for event in first.events():
        if event["type"] == "chunk":
            break
    assert (await second.cancel())["status"] == "cancelled"
    assert provider.calls_started == 1


@pytest.mark.parametrize(
    ("slug", "prompt", "code"), [("no-block", "x", "unknown_block"), ("tale", "", "invalid_input")]
)
async def test_a_refusal_has_the_contracts_code(
    block: BlockType, play: Play, ada: User, slug: str, prompt: str, code: str
) -> None:
    with pytest.raises(api.Refused) as refused:
        await api.astart(slug, prompt, user=ada)
    assert refused.value.code == code


async def test_somebody_who_may_not_sign_in_may_not_ask(block: BlockType, play: Play) -> None:
    nobody = await User.objects.acreate(username="gone", is_active=False)
    with pytest.raises(api.Refused) as refused:
        await api.astart("tale", "x", user=nobody)
    assert refused.value.code == "not_authenticated"


async def test_synchronous_code_of_a_request_uses_the_servers_loop(
    block: BlockType, play: Play, ada: User
) -> None:
    play("The ", "sky.")

    def view() -> tuple[list[str], str]:
        answer = api.start("tale", "Why?", user=ada)
        return [event["type"] for event in answer.events()], answer.wait()["text"]

    types, text = await sync_to_async(view)()
    assert types == ["start", "chunk", "chunk", "complete"] and text == "The sky."


async def test_it_refuses_to_block_a_loop(block: BlockType, play: Play, ada: User) -> None:
    with pytest.raises(RuntimeError, match="astart"):
        api.start("tale", "Why?", user=ada)
