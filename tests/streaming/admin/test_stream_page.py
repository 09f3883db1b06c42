"""The page of one stream in the admin: the transcript, its end in words, and the cancel."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.admin.utils import quote
from django.contrib.auth.models import User
from django.test import AsyncClient, Client
from django.utils import timezone

from blocks.models import BlockType
from streaming.admin.explanations import EXPLANATIONS, UNKNOWN, explain
from streaming.models import Stream
from streaming.process import Process
from streaming.protocol.codes import STREAM_ERRORS
from tests.conftest import Play
from tests.support.streaming.admin import STREAMS, put
from tests.support.streaming.browser import Browser


def page_of(stream_id: str, action: str = "change") -> str:
    return f"{STREAMS}{quote(stream_id)}/{action}/"


def words_of(page: str) -> str:
    """Return the page's text, without tags."""
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def test_every_code_has_a_meaning_and_every_failure_says_what_to_do() -> None:
    ends = {"stop", "length", "repetition", "owner", "admin", "abandoned"}
    assert set(EXPLANATIONS) == {*STREAM_ERRORS, *ends}
    without_advice = {code for code, each in EXPLANATIONS.items() if not each.advice}
    assert without_advice == {"stop", "owner", "admin", "abandoned", "unauthorized"}
    assert explain("of the next version") is UNKNOWN


def test_the_page_of_a_failed_stream_says_why_and_what_to_do(operator: Client) -> None:
    begin = timezone.now() - timedelta(hours=1)
    error = {"type": "error", "seq": 3, "code": "provider_timeout", "message": "Too <slow>."}
    row = put(
        prompt="Why is the <sky> blue?", text="The *sky*", status="error", terminal=error,
        created_at=begin, started_at=begin, ended_at=begin + timedelta(seconds=12.5), ttft_ms=2_500,
        input_tokens=1_200, output_tokens=100, recoveries=2, options={"tone": "dry"},
    )  # fmt: skip
    page = operator.get(page_of(row.pk)).content.decode()
    words = words_of(page)
    for said in (
        "Why is the &lt;sky&gt; blue?", "The *sky*", "provider_timeout", "“Too &lt;slow&gt;.”",
        "silent for too long", "AI_FIRST_TOKEN_SECONDS", "&quot;tone&quot;: &quot;dry&quot;",
        "First token after 2.50 s", "Took 12.5 s", "1,200 + 100 (prompt + answer), 10 a second",
        "Recoveries 2", "tale (deleted)",
    ):  # fmt: skip
        assert said in words, said
    assert "Cancel this answer" not in words
    assert "<sky>" not in page


@pytest.mark.parametrize(
    ("fields", "output"),
    [
        ({}, "markdown"),
        ({"result": {"questions": []}}, "quiz"),
        ({"items": [{"path": "/nodes/0", "value": {}}]}, "diagram"),
        ({"result": {"name": "x"}}, "json"),
    ],
)
def test_an_answer_of_a_deleted_block_type_is_drawn_by_its_parts(
    operator: Client, fields: dict[str, Any], output: str
) -> None:
    row = put(**fields)
    assert f'data-output="{output}"' in operator.get(page_of(row.pk)).content.decode()
    BlockType.objects.create(slug="tale", title="Tale", output="quiz")
    assert 'data-output="quiz"' in operator.get(page_of(row.pk)).content.decode()


def test_the_page_needs_no_script_and_names_the_door_to_the_script(operator: Client) -> None:
    row = put(
        text="", items=[{"path": "/title", "value": "Stars"}], status="running", ended_at=None
    )
    page = operator.get(page_of(row.pk)).content.decode()
    assert f'data-base="{STREAMS}live" data-stream="{row.pk}"' in page
    assert 'data-ended="no"' in page
    assert "Stars" in words_of(page)
    assert "No answer text." in operator.get(page_of(put(text="").pk)).content.decode()


async def test_one_stream_is_cancelled_from_its_page(
    browser: Browser, block: BlockType, play: Play, process: Process
) -> None:
    play("The ", {"hang": True})
    reader = await browser.start()
    await reader.text("The ")
    client = AsyncClient()
    await client.aforce_login(await sync_to_async(User.objects.create_superuser)("operator"))
    path = page_of(reader.stream_id)
    assert "Cancel this answer" in (await client.get(path)).content.decode()
    answer = await client.post(page_of(reader.stream_id, "cancel"))
    assert (answer.status_code, answer["Location"]) == (302, path)
    assert (await reader.end())["by"] == "admin"
    words = words_of((await client.get(path)).content.decode())
    assert "1 stream was cancelled." in words
    await process.generations.saver.flush()
    await client.post(page_of(reader.stream_id, "cancel"))  # as by a page that was left open
    assert "1 had already ended." in words_of((await client.get(path)).content.decode())


async def test_all_that_runs_is_cancelled_after_the_page_has_said_how_many_they_are(
    browser: Browser, block: BlockType, play: Play
) -> None:
    play("The ", {"hang": True})
    readers = [await browser.start() for _ in range(3)]
    for reader in readers:
        await reader.text("The ")
    ended = await sync_to_async(put)()
    client = AsyncClient()
    await client.aforce_login(await sync_to_async(User.objects.create_superuser)("operator"))
    assert "Cancel all running" in (await client.get(STREAMS)).content.decode()
    path = f"{STREAMS}cancel-all/"
    assert "3 streams are running or waiting" in (await client.get(path)).content.decode()
    assert (await browser.resource(readers[0].stream_id))["status"] == "running"
    answer = await client.post(path)
    assert (answer.status_code, answer["Location"]) == (302, STREAMS)
    assert [(await reader.end())["by"] for reader in readers] == ["admin"] * 3
    assert "3 streams were cancelled." in (await client.get(STREAMS)).content.decode()
    assert (await Stream.objects.aget(pk=ended.pk)).status == "complete"
    assert "Cancel them all" not in (await client.get(path)).content.decode()


def test_who_may_only_look_cancels_nothing(staff: Any) -> None:
    row = put(status="running", ended_at=None)
    somebody = staff("view_stream")
    for path in (STREAMS, page_of(row.pk)):
        page = somebody.get(path).content.decode()
        assert "Cancel all" not in page
        assert "Cancel this answer" not in page
    for path in (f"{STREAMS}cancel-all/", page_of(row.pk, "cancel")):
        assert somebody.post(path).status_code == 403
    assert somebody.get(f"{STREAMS}cancel-all/").status_code == 403
    assert Stream.objects.get().cancel_intent == ""


def test_a_link_cancels_nothing(operator: Client) -> None:
    row = put(status="running", ended_at=None)
    assert operator.get(page_of(row.pk, "cancel")).status_code == 405
    assert operator.get(f"{STREAMS}cancel-all/").status_code == 200
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.get())
    for path in (f"{STREAMS}cancel-all/", page_of(row.pk, "cancel")):
        assert strict.post(path).status_code == 403
    assert Stream.objects.get().cancel_intent == ""
