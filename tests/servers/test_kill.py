"""`kill -9` of the server in mid-answer, and the client's view after its restart."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import psutil

from tests.support.servers.harness import Database, running
from tests.support.servers.visitor import Held, Visitor

HIGHEST_NUMBER = 99_999  # STREAM_MAX_EVENTS minus one: no generator writes a higher seq


def text_of(database: Database, stream_id: str) -> str:
    """Return the text in a stream's row."""
    query = "SELECT text FROM streaming_stream WHERE id = ?"
    with closing(sqlite3.connect(database.path, timeout=20)) as connection:
        ((text,),) = connection.execute(query, (stream_id,))
    return str(text)


async def test_after_a_kill_the_answer_goes_on_for_the_viewers_that_come_back(
    database: Database,
) -> None:
    with running("serve", database) as server:
        visitor = await Visitor.arrive(server.port)
        silent = await visitor.ask("say nothing")
        silent_id = (await silent.until_event("start"))["stream_id"]
        other = await visitor.ask("drip for ever")
        await other.until_event("chunk")
        client = await visitor.ask("speak for ever")
        stream_id = (await client.until_event("start"))["stream_id"]
        await client.until(lambda _: len(text_of(database, stream_id)) > 200)
        saved = text_of(database, stream_id)
        server.kill()
        for one in (silent, other, client):
            one.close()
        server.assert_nothing_broke()
    held = Held().take_all(client.events)

    with running("serve", database) as again:
        visitor.port = again.port
        async with await visitor.watch(stream_id, held.cursor) as client:
            await client.until(lambda c: len(c.events) > 12)
            start, snapshot, *chunks = client.events
            assert (start["type"], start["after"]) == ("start", held.cursor)
            assert (snapshot["type"], snapshot["status"]) == ("snapshot", "running")
            # The row lags behind the viewers: the snapshot contains what it has.
            assert snapshot["text"].startswith(saved)
            assert snapshot["seq"] >= HIGHEST_NUMBER > held.cursor
            assert {chunk["type"] for chunk in chunks} == {"chunk"}
            whole = Held().take_all([snapshot, *chunks])
            # The answer continued in mid-sentence, from exactly there.
            assert ("on and on " * len(whole.text)).startswith(whole.text)
            assert len(whole.text) > len(snapshot["text"])
            async with visitor.socket() as socket:
                active = {one["stream_id"] for one in socket.frames[0]["active"]}
                assert {stream_id, silent_id} <= active
                for one in active:
                    await socket.send(type="cancel", stream_id=one)
                await client.until_event("cancelled")
        for one in active:
            async with await visitor.watch(one) as ending:
                await ending.until_event("cancelled")
            assert (await visitor.snapshot(one))["status"] == "cancelled"
        with sqlite3.connect(database.path) as connection:
            rows = connection.execute(
                "SELECT status, terminal IS NULL, recoveries FROM streaming_stream"
            )
            assert list(rows) == [("cancelled", 0, 1)] * 3
        connection.close()
        again.assert_unharmed()


async def test_a_stream_that_outlives_three_servers_is_given_up_with_the_fourth(
    database: Database,
) -> None:
    with running("serve", database) as server:
        visitor = await Visitor.arrive(server.port)
        client = await visitor.ask("begin and wait")
        stream_id = (await client.until_event("start"))["stream_id"]
        await client.until_event("chunk")
        server.kill()
        client.close()
    with closing(sqlite3.connect(database.path)) as connection, connection:
        # As if two generators had already died before this one.
        connection.execute("UPDATE streaming_stream SET recoveries = 2")
    for times in (3, 4):
        with running("serve", database) as server:
            visitor.port = server.port
            async with await visitor.watch(stream_id) as client:
                if times == 3:
                    await client.until_event("snapshot")
                    assert (await visitor.snapshot(stream_id))["status"] == "running"
                else:
                    end = (await client.until_end())[-1]
                    assert (end["code"], end["retryable"]) == ("generator_lost", True)
            server.kill()


async def test_after_a_kill_no_model_process_is_left(database: Database) -> None:
    with running("serve", database, environment={"AI_MODEL": "local:smollm2-135m"}) as server:
        visitor = Visitor(server.port)
        client = await visitor.ask("Tell me a long story about the sea.")
        await client.until_event("chunk", timeout_seconds=60)
        children = server.process.children(recursive=True)
        assert children
        server.kill()
        client.close()
        gone, left = psutil.wait_procs(children, timeout=30)
        assert left == [] and len(gone) == len(children)
