"""The Redis of the fault tests behaves as its faults are named."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import redis

from tests.support.faults.redis_server import REDIS_BINARIES, RedisServer, connect


def test_there_is_always_one_to_test_with() -> None:
    assert next(iter(REDIS_BINARIES)) == "valkey"
    assert all(os.access(program, os.X_OK) for program in REDIS_BINARIES.values())


def test_it_has_what_the_event_log_needs_and_evicts_nothing(any_redis: RedisServer) -> None:
    client = any_redis.client()
    assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
    assert client.config_get("save", "appendonly") == {"save": "", "appendonly": "no"}
    assert client.xadd("stream", {"a": "b"}, id="7-1") == "7-1"
    assert client.eval("return redis.call('XLEN', KEYS[1])", 1, "stream") == 1
    assert any_redis.url == f"redis://127.0.0.1:{any_redis.port}/0"


def test_two_of_them_do_not_meet(redis_server: RedisServer, tmp_path: Path) -> None:
    with RedisServer(tmp_path / "another") as another:
        another.client().set("mine", "yes")
        assert redis_server.client().get("mine") is None


def test_killed_it_refuses_and_comes_back_empty_at_the_same_port(any_redis: RedisServer) -> None:
    url, pid = any_redis.url, any_redis.pid
    any_redis.client().set("kept", "no")
    any_redis.kill()
    with pytest.raises(redis.ConnectionError):
        any_redis.client().ping()
    any_redis.start()
    assert any_redis.url == url and any_redis.pid != pid
    assert any_redis.client().dbsize() == 0
    any_redis.client().set("kept", "no")
    any_redis.restart_empty()
    assert any_redis.client().dbsize() == 0


def test_stopped_it_hangs_and_answers_when_it_goes_on(any_redis: RedisServer) -> None:
    client = any_redis.client()
    client.ping()
    any_redis.stop()
    impatient = connect(any_redis.port, timeout_seconds=0.2)
    with impatient, pytest.raises(redis.TimeoutError):
        impatient.ping()
    any_redis.cont()
    assert client.ping() is True


def test_full_it_refuses_writes_and_still_publishes(any_redis: RedisServer) -> None:
    client = any_redis.client()
    client.set("before", "x")
    any_redis.fill()
    with pytest.raises(redis.OutOfMemoryError):
        client.xadd("stream", {"a": "b"})
    assert client.publish("channel", "still heard") == 0
    assert client.get("before") == "x"
    any_redis.unfill()
    assert client.xadd("stream", {"a": "b"})


def test_subscribers_are_cut_and_nobody_else(any_redis: RedisServer) -> None:
    client = any_redis.client()
    client.set("key", "held")
    client_id = client.client_id()
    with connect(any_redis.port) as other, other.pubsub() as pubsub:
        pubsub.subscribe("channel")
        assert pubsub.get_message(timeout=10) is not None
        assert any_redis.kill_pubsub_clients() == 1
        assert any_redis.kill_pubsub_clients() == 0
    assert client.client_id() == client_id  # the same connection as before
    any_redis.flush()
    assert client.dbsize() == 0


def test_ended_it_leaves_nothing_and_may_be_ended_again(tmp_path: Path) -> None:
    server = RedisServer(tmp_path / "redis")
    server.end()
    with server:
        pid = server.pid
    server.end()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_it_ends_also_where_it_was_stopped(tmp_path: Path) -> None:
    with RedisServer(tmp_path / "redis") as server:
        pid = server.pid
        server.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
