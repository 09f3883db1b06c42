"""The page "Your data": what is stored, and deleting all answers, with and without an account."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User

from blocks.models import BlockType
from streaming.access.sessions import SESSION_KEY, SessionStore
from streaming.access.visitor import Visitor
from streaming.admission.retention import Plan
from streaming.models import Limit, Stream
from streaming.own_data.overview import Overview
from streaming.process import Process
from tests.conftest import Play
from tests.support.streaming.browser import Answer, Browser
from tests.support.streaming.own_rows import left, owner_of, put_many

DATA = "/account/data/"
DELETE = f"{DATA}delete/"


async def page(browser: Browser, path: str = DATA) -> str:
    answer = await browser.call("GET", path)
    assert answer.status == 200, answer
    return " ".join(answer.body.decode().split())


async def delete(browser: Browser, *, has_token: bool = True) -> Answer:
    """Submit the form of the confirmation."""
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', await page(browser, DELETE))
    assert found
    form = urlencode({"csrfmiddlewaretoken": found[1]} if has_token else {})
    headers: dict[str, str | None] = {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-CSRFToken": None,
    }
    return await browser.call("POST", DELETE, body=form.encode(), headers=headers)


@pytest.mark.parametrize("name", ["ada", None])
async def test_the_page_counts_and_leads_to_exports_and_deletion(
    process: Process, make_browser: Any, name: str | None
) -> None:
    browser = await make_browser(name)
    empty = await page(browser)
    assert "<dt>Answers</dt><dd>None</dd>" in empty
    assert "/api/export" not in empty
    assert DELETE not in empty
    assert "Nothing to delete" in await page(browser, DELETE)
    await put_many(await owner_of(browser), 1_234)
    await put_many("anonymous:other", 5)
    shown = await page(browser)
    assert "1,234 answers" in shown
    assert "Since 1 Jan 2026" in shown
    for address in ("/api/export?format=json", "/api/export?format=markdown", DELETE):
        assert f'href="{address}"' in shown
    assert ("Tied to this browser’s cookies" in shown) is (name is None)
    assert ("Of your account" in shown) is (name is not None)
    confirm = await page(browser, DELETE)
    assert "<h1>Delete all 1,234 answers?</h1>" in confirm
    assert "This can’t be undone." in confirm


async def test_the_page_says_for_how_long_answers_are_kept(
    process: Process, make_browser: Any
) -> None:
    ada, visitor = await make_browser("ada"), await make_browser()
    assert "<dd>Until you delete them</dd>" in await page(ada)
    user = await User.objects.aget(username="ada")
    await Limit.objects.acreate(whose=Limit.Whose.USER, user=user, retention_days=30)
    await Limit.objects.acreate(whose=Limit.Whose.VISITOR, retention_days=1)
    assert "<dd>For 30 days after an answer ends</dd>" in await page(ada)
    assert "<dd>For 1 day after an answer ends</dd>" in await page(visitor)


@pytest.mark.parametrize("name", ["ada", None])
async def test_deleting_takes_the_form_and_takes_all(
    process: Process, block: BlockType, play: Play, make_browser: Any, name: str | None
) -> None:
    browser = await make_browser(name)
    play("Hello", {"hang": True})
    running = await browser.start()
    await running.text("Hello")
    await put_many(await owner_of(browser), 2)
    others = set(await put_many("anonymous:other", 2))
    assert (await delete(browser, has_token=False)).status == 403
    assert len(await left()) == 5
    done = await delete(browser)
    assert (done.status, done.headers["location"]) == (302, f"{DATA}?outcome=deleted")
    assert "x-handed-over" not in done.headers
    assert (await running.end())["type"] == "cancelled"
    assert await left() == others
    shown = await page(browser, done.headers["location"])
    assert "All of your answers are deleted." in shown
    assert "/static/frontend/forget.js" in shown


async def test_what_is_left_or_fails_is_said_and_a_link_can_not_lie(
    process: Process, browser: Browser
) -> None:
    await put_many(await owner_of(browser), 2)
    turn = process.deletions.take(Visitor(await owner_of(browser), None, None), busy="")
    answer = await delete(browser)
    assert answer.headers["location"] == f"{DATA}?outcome=failed"
    assert "Please try again." in await page(browser, answer.headers["location"])
    turn.end()
    assert "Some are left" in await page(browser, f"{DATA}?outcome=deleted")
    assert "are deleted" not in await page(browser, f"{DATA}?outcome=%3Cb%3E")
    assert "are deleted" not in await page(browser)
    assert "forget.js" not in await page(browser, f"{DATA}?outcome=left")
    await Stream.objects.all().adelete()
    assert "All of your answers are deleted." in await page(browser, f"{DATA}?outcome=failed")


async def test_looking_deletes_nothing_and_sets_no_session(
    process: Process, browser: Browser
) -> None:
    kept = await put_many(await owner_of(browser), 2)
    for path in (DATA, DELETE):
        await page(browser, path)
    assert (await browser.call("POST", DATA)).status in (403, 405)
    assert await left() == set(kept)
    stranger = Browser()
    await page(stranger)
    assert "sessionid" not in stranger.cookies


@pytest.mark.parametrize("path", [DATA, DELETE])
async def test_where_anonymous_use_is_off_it_takes_an_account(
    start_process: Any, make_browser: Any, path: str
) -> None:
    await start_process(AI_ALLOW_ANONYMOUS=False)
    answer = await Browser().call("GET", path)
    assert answer.headers["location"] == f"/account/login/?next={path}"
    assert "Your data" in await page(await make_browser("ada"), DATA)


async def test_starts_that_a_sign_in_has_overtaken_count(
    process: Process, make_browser: Any
) -> None:
    ada = await make_browser("ada")
    row = (await put_many("anonymous:x", 1))[0]

    session = SessionStore(ada.cookies["sessionid"])
    owner = f"anonymous:{await session.aget(SESSION_KEY)}"
    await Stream.objects.filter(pk=row).aupdate(owner=owner)
    assert "1 answer<" in await page(ada)
    assert "Delete your only answer?" in await page(ada, DELETE)


@pytest.mark.parametrize(("count", "words"), [(0, "0 answers"), (1, "1 answer"), (2, "2 answers")])
def test_a_count_is_in_words(count: int, words: str) -> None:
    assert Overview(count, None, Plan("x", 0)).count_words == words
