"""The door in the admin through which staff watch a stream that is somebody else's."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User

from blocks.models import BlockType
from streaming.admin import reads
from streaming.models import Stream, TranscriptRead
from streaming.process import Process
from tests.conftest import Play
from tests.support.streaming.admin import STREAMS
from tests.support.streaming.api_tokens import token_of
from tests.support.streaming.asking import NO_STREAM
from tests.support.streaming.browser import Browser
from tests.support.streaming.event_reader import EventReader


def door(stream_id: str) -> str:
    """Return the address: the client appends the API's path to its base."""
    return f"{STREAMS}live/api/streams/{stream_id}/events"


async def make_staff(name: str, *codenames: str, is_staff: bool = True) -> User:
    user = await User.objects.acreate(username=name, is_staff=is_staff)
    found = [each async for each in Permission.objects.filter(codename__in=codenames)]
    assert len(found) == len(codenames)
    await user.user_permissions.aset(found)
    return user


async def asked(browser: Browser, play: Play) -> EventReader:
    """Start an anonymous visitor's stream, which has begun and says no more."""
    play("The ", {"hang": True})
    reader = await browser.start()
    await reader.text("The ")
    return reader


@pytest.mark.parametrize("permission", ["view_stream", "change_stream"])
async def test_staff_watch_a_running_stream_of_somebody_else_to_its_end(
    browser: Browser,
    block: BlockType,
    play: Play,
    process: Process,
    make_browser: Any,
    permission: str,
) -> None:
    owners = await asked(browser, play)
    staff = await make_staff("staff", permission)
    watching = await make_browser("staff")
    process.connections._viewers_at_most = 1  # the owner's viewer is the only one there may be
    live = await watching.events("GET", door(owners.stream_id))
    await live.text("The ")
    await process.connections.check_rights()  # would dismiss who has lost the permission
    assert process.connections._viewers == {f"user:{staff.pk}": 1}
    read = await TranscriptRead.objects.aget()
    assert (read.reader, read.stream_id) == ("staff", owners.stream_id)
    row = await Stream.objects.aget(pk=owners.stream_id)
    assert read.owner == row.owner != f"user:{staff.pk}"
    await browser.cancel(owners.stream_id)
    assert (await live.end())["by"] == "owner"
    # A cursor at the end has nothing to come, and the same reader within the hour is one read.
    cursor = f"?after={live.tape.cursor}"
    assert (await watching.call("GET", door(owners.stream_id) + cursor)).status == 204
    assert (await (await watching.events("GET", door(owners.stream_id))).end())["by"] == "owner"
    assert await TranscriptRead.objects.acount() == 1


async def test_a_read_after_the_hour_and_one_of_another_reader_are_reads_of_their_own(
    browser: Browser,
    block: BlockType,
    play: Play,
    make_browser: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    owners = await asked(browser, play)
    for name in ("staff", "chief"):
        await make_staff(name, "view_stream")
        watching = await make_browser(name)
        await (await watching.events("GET", door(owners.stream_id))).text("The ")
    assert await TranscriptRead.objects.acount() == 2
    monkeypatch.setattr(reads, "SAME_READ", -reads.SAME_READ)
    await (await watching.events("GET", door(owners.stream_id))).text("The ")
    assert await TranscriptRead.objects.acount() == 3


@pytest.mark.parametrize(
    ("name", "rights", "is_staff"),
    [
        ("nobody", None, False),  # an anonymous visitor
        ("visitor", [], False),
        ("visitor", ["view_stream"], False),  # the permission alone makes nobody staff
        ("staff", [], True),
        ("staff", ["delete_stream", "view_transcriptread", "change_limit"], True),
    ],
)
async def test_others_are_refused_and_read_nothing(
    browser: Browser,
    block: BlockType,
    play: Play,
    make_browser: Any,
    name: str,
    rights: list[str] | None,
    is_staff: bool,
) -> None:
    owners = await asked(browser, play)
    if rights is not None:
        await make_staff(name, *rights, is_staff=is_staff)
    somebody = await make_browser(name if rights is not None else None)
    for stream_id in (owners.stream_id, NO_STREAM):
        (await somebody.call("GET", door(stream_id))).problem("forbidden")
    # Nor does the owner come in this way.
    (await browser.call("GET", door(owners.stream_id))).problem("forbidden")
    assert not await TranscriptRead.objects.aexists()
    await browser.cancel(owners.stream_id)


async def test_an_api_token_of_staff_does_not_open_it(
    browser: Browser, block: BlockType, play: Play
) -> None:
    owners = await asked(browser, play)
    await make_staff("staff", "view_stream")
    program = Browser(token=await token_of("staff"))
    (await program.call("GET", door(owners.stream_id))).problem("forbidden")
    await browser.cancel(owners.stream_id)


async def test_bad_cursors_unknown_streams_and_other_methods_are_refused(
    browser: Browser, block: BlockType, play: Play, make_browser: Any
) -> None:
    owners = await asked(browser, play)
    await make_staff("staff", "view_stream")
    watching = await make_browser("staff")
    path = door(owners.stream_id)
    (await watching.call("GET", f"{path}?after=x")).problem("invalid_cursor")
    (await watching.call("GET", f"{path}?wrong=1")).problem("invalid_input", field="wrong")
    for unknown in (NO_STREAM, "x", "%00"):
        (await watching.call("GET", door(unknown))).problem("not_found")
    (await watching.call("POST", path, {})).problem("method_not_allowed")
    assert not await TranscriptRead.objects.aexists()
    await browser.cancel(owners.stream_id)


@pytest.mark.parametrize("loss", ["permission", "staff", "active"])
async def test_who_loses_the_right_stops_seeing(
    browser: Browser, block: BlockType, play: Play, process: Process, make_browser: Any, loss: str
) -> None:
    owners = await asked(browser, play)
    staff = await make_staff("staff", "view_stream")
    watching = await make_browser("staff")
    live = await watching.events("GET", door(owners.stream_id))
    await live.text("The ")
    await process.connections.check_rights()
    if loss == "permission":
        await staff.user_permissions.aclear()
    else:
        await User.objects.filter(pk=staff.pk).aupdate(**{f"is_{loss}": False})
    async with asyncio.timeout(10):
        assert (await live.until("reconnect"))["type"] == "reconnect"
    again = await watching.call("GET", door(owners.stream_id))
    again.problem("forbidden")
    assert (await browser.resource(owners.stream_id))["status"] == "running"
    await browser.cancel(owners.stream_id)
