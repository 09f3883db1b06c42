"""Resumes on a socket, after any cursor and after either transport.

Source: spec.md, "Resume" and "WebSocket".
"""

from __future__ import annotations

from typing import Any

import pytest

from blocks.models import BlockType
from streaming.models import Stream
from streaming.process import Process
from tests.conftest import MODEL, MakeBlock, Play
from tests.support.blocks.quiz import QUIZ
from tests.support.streaming.asking import ask_on_new_socket, refusal
from tests.support.streaming.browser import Browser
from tests.support.streaming.dictated import DictatedProvider
from tests.support.streaming.event_reader import EventReader
from tests.support.streaming.resuming import cut, resume
from tests.support.streaming.socket import Socket
from tests.support.streaming.tape import Tape

NOT_LOGGED = ("start", "ping", "reconnect")


def logged(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the events that the log has as well."""
    return [event for event in events if event["type"] not in NOT_LOGGED]


# --- every cut point --------------------------------------------------------------------


@pytest.mark.parametrize("first", ["socket", "events"])
@pytest.mark.parametrize("then", ["socket", "events"])
@pytest.mark.parametrize("is_quiz", [False, True])
async def test_what_came_before_any_cut_plus_the_rest_is_the_whole_on_any_transport(
    browser: Browser, make_block: MakeBlock, play: Play, first: str, then: str, is_quiz: bool
) -> None:
    await make_block(output="quiz" if is_quiz else "markdown")
    if is_quiz:
        play({"json": QUIZ, "token_chars": 40})
    else:
        play("The ", "sky ", "is ", "blue.")
    if first == "socket":
        socket, stream_id = await ask_on_new_socket(browser)
        await socket.end_of(stream_id)
        whole = socket.tape(stream_id)
    else:
        reader = await browser.start()
        await reader.end()
        stream_id, whole = reader.stream_id, reader.tape
    assert whole.terminal is not None and whole.terminal["type"] == "complete"
    another = await browser.connect()
    for seq in range(-1, whole.cursor):
        tape = cut(whole.events, seq)
        assert tape.cursor == seq
        if then == "socket":
            await resume(another, stream_id, seq, tape)
            await another.end_of(stream_id)
        else:
            tape.begin_again()
            reader = await browser.events(
                "GET",
                f"/api/streams/{stream_id}/events",
                headers={"Last-Event-ID": f"{stream_id}:{seq}"},
                tape=tape,
            )
            await reader.end()
        assert logged(tape.events) == logged(whole.events)
        assert (tape.text, tape.state.items) == (whole.text, whole.state.items)


@pytest.mark.parametrize("then", ["socket", "events"])
async def test_a_line_cut_while_the_stream_runs_is_gone_on_with(
    browser: Browser, block: BlockType, process: Process, then: str
) -> None:
    for seq in range(-1, 3):
        model = DictatedProvider()
        process.providers.use(MODEL, model)
        socket, stream_id = await ask_on_new_socket(browser)
        model.say("a", "b", "c")
        await socket.text_of(stream_id, "abc")
        await socket.aclose()
        tape = cut(socket.tape(stream_id).events, seq)
        rest: Socket | EventReader
        if then == "socket":
            rest = await browser.connect()
            await resume(rest, stream_id, seq, tape)
            await rest.text_of(stream_id, "abc")
        else:
            tape.begin_again()
            path = f"/api/streams/{stream_id}/events?after={seq}"
            rest = await browser.events("GET", path, tape=tape)
            await rest.text("abc")
        model.say("d")
        model.finish()
        if isinstance(rest, Socket):
            await rest.end_of(stream_id)
        else:
            await rest.end()
        assert tape.text == "abcd"
        assert [e["token"] for e in tape.events if e["type"] == "chunk"] == list("abcd")


# --- cursors ----------------------------------------------------------------------------


async def test_a_resume_moves_the_one_cursor_of_the_socket(
    browser: Browser, block: BlockType, model: DictatedProvider
) -> None:
    socket, stream_id = await ask_on_new_socket(browser)
    model.say("a", "b")
    await socket.text_of(stream_id, "ab")
    await resume(socket, stream_id, -1, Tape(), ref="from the start")
    await socket.text_of(stream_id, "ab")
    await resume(socket, stream_id, 0, cut(socket.tape(stream_id).events, 0), ref="from one")
    await socket.text_of(stream_id, "ab")
    model.say("c")
    model.finish()
    await socket.end_of(stream_id)  # and each event once: the tape rejects repeats
    assert socket.tape(stream_id).text == "abc"
    assert await socket.before_pong() == []


async def test_a_resume_without_after_is_from_the_start(
    browser: Browser, block: BlockType, play: Play
) -> None:
    play("Hello")
    stream_id = (await browser.start_unwatched())["stream_id"]
    socket = await browser.connect("/ws/stream?follow=none")
    await socket.say(type="resume", stream_id=stream_id)
    start = await socket.until("start")
    assert start["after"] == -1
    assert "ref" not in start
    await socket.end_of(stream_id)
    assert socket.tape(stream_id).text == "Hello"


async def test_at_the_ends_own_cursor_a_start_with_the_final_status_is_all(
    browser: Browser, block: BlockType, play: Play
) -> None:
    play("The ", "sky.")
    reader = await browser.start()
    seq = (await reader.end())["seq"]
    socket = await browser.connect()
    start = await resume(socket, reader.stream_id, seq, Tape())
    assert start["status"] == "complete"
    assert await socket.before_pong() == []


async def test_just_before_the_end_the_end_is_all_that_comes(
    browser: Browser, block: BlockType, play: Play, process: Process
) -> None:
    play("The ", "sky.")
    reader = await browser.start()
    terminal = await reader.end()
    for _ in range(2):  # from the log, then from the row only
        socket = await browser.connect()
        tape = cut(reader.tape.events, terminal["seq"] - 1)
        await resume(socket, reader.stream_id, terminal["seq"] - 1, tape)
        assert await socket.end_of(reader.stream_id) == terminal
        assert "snapshot" not in tape.types
        await process.log.forget(reader.stream_id)
        process.hub.forget(reader.stream_id)


async def test_a_cursor_beyond_the_end_is_refused(
    browser: Browser, block: BlockType, play: Play
) -> None:
    play("The ", "sky.")
    reader = await browser.start()
    seq = (await reader.end())["seq"]
    socket = await browser.connect()
    for after in (seq + 1, 10**9):
        refused = await refusal(
            socket, type="resume", ref="a", stream_id=reader.stream_id, after=after
        )
        assert refused["code"] == "invalid_cursor"
        assert (refused["ref"], refused["stream_id"]) == ("a", reader.stream_id)
    assert await Stream.objects.acount() == 1


@pytest.mark.parametrize("after", [-2, 1.5, "0", None, True, [0], 10**10, -(10**30)])
async def test_a_malformed_cursor_is_refused_and_what_is_watched_goes_on(
    browser: Browser, block: BlockType, model: DictatedProvider, after: Any
) -> None:
    socket, stream_id = await ask_on_new_socket(browser)
    refused = await refusal(socket, type="resume", ref="a", stream_id=stream_id, after=after)
    assert refused["code"] == "invalid_cursor"
    assert (refused["ref"], refused["stream_id"]) == ("a", stream_id)
    model.say("Hello")
    model.finish()
    await socket.end_of(stream_id)
    assert socket.tape(stream_id).text == "Hello"


async def test_a_cursor_beyond_a_running_stream_gets_a_snapshot_that_says_where_it_is(
    browser: Browser, block: BlockType, model: DictatedProvider
) -> None:
    first = await browser.start()
    model.say("The ")
    await first.text("The ")
    socket = await browser.connect()
    await resume(socket, first.stream_id, 500, Tape())
    snapshot = await socket.hear()
    assert snapshot["type"] == "snapshot"
    assert (snapshot["text"], snapshot["seq"], snapshot["status"]) == ("The ", 0, "running")
    model.say("sky.")
    model.finish()
    await socket.end_of(first.stream_id)
    assert socket.tape(first.stream_id).text == "The sky."
    assert socket.tape(first.stream_id).types == ["start", "snapshot", "chunk", "complete"]


async def test_a_stream_known_from_its_row_alone_is_a_snapshot_and_its_end(
    browser: Browser, block: BlockType, play: Play, process: Process
) -> None:
    play("The ", "sky.")
    reader = await browser.start()
    terminal = await reader.end()
    await process.log.forget(reader.stream_id)
    process.hub.forget(reader.stream_id)
    socket = await browser.connect()
    await resume(socket, reader.stream_id, 0, cut(reader.tape.events, 0))
    assert await socket.end_of(reader.stream_id) == terminal
    tape = socket.tape(reader.stream_id)
    assert tape.types[-3:] == ["start", "snapshot", "complete"]
    assert tape.text == "The sky."


async def test_a_stream_whose_log_is_lost_while_it_is_watched_ends_here_with_reconnect(
    browser: Browser, block: BlockType, model: DictatedProvider, process: Process
) -> None:
    socket, stream_id = await ask_on_new_socket(browser)
    model.say("The ")
    await socket.text_of(stream_id, "The ")
    process.hub.forget(stream_id)
    assert (await socket.until("reconnect", stream_id=stream_id))["retry_ms"] > 0
    await resume(socket, stream_id, 0, socket.tape(stream_id))
    model.say("sky.")
    model.finish()
    await socket.end_of(stream_id)
    assert socket.tape(stream_id).text == "The sky."
