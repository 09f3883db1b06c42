"""`kill -9` of the server in mid-answer, and what a client finds when it is started again."""

from __future__ import annotations

import sqlite3
import time

import psutil

from tests.servers.harness import Database, running
from tests.servers.visitor import Held, Visitor

HIGHEST_NUMBER = 99_999  # STREAM_MAX_EVENTS below one: no generator writes a higher seq


async def test_after_a_kill_a_client_gets_what_was_said_and_an_honest_end(
    database: Database,
) -> None:
    with running("serve", database) as server:
        visitor = await Visitor.arrive(server.port)
        silent = await visitor.ask("say nothing")
        silent_id = (await silent.until_event("start"))["stream_id"]
        client = await visitor.ask("speak for ever")
        begun = time.monotonic()
        await client.until(lambda _: time.monotonic() - begun > 4)
        killed_at = time.monotonic()
        server.kill()
        silent.close()
        client.close()
        server.assert_nothing_broke()
    stream_id = client.events[0]["stream_id"]
    held = Held().take_all(client.events)
    old = "".join(
        event["token"]
        for event, at in zip(client.events, client.times, strict=True)
        if event["type"] == "chunk" and killed_at - at > 2
    )
    assert len(old) > 200

    with running("serve", database) as again:
        visitor.port = again.port
        async with await visitor.watch(stream_id, held.cursor) as client:
            events = await client.until_end()
        assert [event["type"] for event in events] == ["start", "snapshot", "error"]
        start, snapshot, error = events
        assert start["after"] == held.cursor
        assert snapshot["text"].startswith(old)
        assert error["code"] == "generator_lost" and error["retryable"] is True
        assert error["seq"] > HIGHEST_NUMBER > held.cursor
        assert client.reader.last_event_id == f"{stream_id}:{error['seq']}"

        async with visitor.socket() as socket:
            assert socket.frames[0]["active"] == []
            for one in (stream_id, silent_id):
                await socket.send(type="resume", ref=one, stream_id=one, after=-1)
                end = await socket.until_end(one)
                assert end["code"] == "generator_lost"
        assert (await visitor.snapshot(stream_id))["text"] == snapshot["text"]
        with sqlite3.connect(database.path) as connection:
            rows = connection.execute("SELECT status, terminal IS NULL FROM streaming_stream")
            assert list(rows) == [("error", 0), ("error", 0)]
        connection.close()
        again.assert_unharmed()


async def test_after_a_kill_no_model_process_is_left(database: Database) -> None:
    with running("serve", database, environment={"AI_MODEL": "local:smollm2-135m"}) as server:
        visitor = Visitor(server.port)
        client = await visitor.ask("Tell me a long story about the sea.")
        await client.until_event("chunk", timeout_seconds=60)
        children = server.process.children(recursive=True)
        assert children
        server.kill()
        client.close()
        gone, left = psutil.wait_procs(children, timeout=3)
        assert left == [] and len(gone) == len(children)
