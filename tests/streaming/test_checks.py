from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import CheckMessage, run_checks

from streaming.checks import (
    check_anonymous_use,
    check_eviction,
    check_sign_in,
    check_streaming,
)
from tests.support.faults.redis_server import RedisServer, running_redis


def found() -> list[CheckMessage]:
    # Without the database fixture, a check that queries fails here.
    return check_streaming(None)


@pytest.fixture(autouse=True)
def as_delivered(settings: Any) -> None:
    """Use the default settings; this run's environment may name a Redis."""
    settings.REDIS_URL = ""


def test_the_defaults_are_right() -> None:
    assert found() == []
    assert check_sign_in(None) == []


def test_traces_without_opentelemetry_are_reported(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.TRACING = True
    assert found() == []

    def missing(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr("streaming.checks.distribution", missing)
    (message,) = found()
    assert message.id == "streaming.E030" and "requirements-otel" in str(message.hint)


@pytest.mark.parametrize(
    ("name", "value", "check_id"),
    [
        ("LIMIT_SIGN_IN_FAILURES", -1, "streaming.E017"),
        ("LIMIT_SIGN_IN_SECONDS", 0, "streaming.E018"),
    ],
)
def test_a_limit_of_sign_ins_that_can_not_work_is_reported(
    settings: Any, name: str, value: Any, check_id: str
) -> None:
    setattr(settings, name, value)
    (message,) = check_sign_in(None)
    assert (message.id, name in message.msg) == (check_id, True)


@pytest.mark.parametrize(
    ("name", "value", "check_id"),
    [
        ("STREAMING_BACKEND", "", "streaming.E001"),
        ("STREAMING_BACKEND", "SSE", "streaming.E001"),
        ("STREAMING_BACKEND", "polling", "streaming.E001"),
        ("LIMIT_CONNECTIONS", -1, "streaming.E020"),
        ("LIMIT_CONNECTIONS_PER_ADDRESS", -5, "streaming.E020"),
        ("STREAM_ON_RIGHT_END", "stop", "streaming.E022"),
        ("METRICS_TOKEN", "fifteen-letters", "streaming.E023"),
        ("STREAM_ABANDON_SECONDS", 0.0, "streaming.E002"),
        ("STREAM_MAX_AGE_SECONDS", -1.0, "streaming.E002"),
        ("STREAM_LOG_SECONDS", float("nan"), "streaming.E002"),
        ("STREAM_MAX_EVENTS", 0, "streaming.E002"),
        ("STREAM_MAX_RUNNING", 0, "streaming.E002"),
        ("STREAM_DEADLINE_SECONDS", 0.0, "streaming.E002"),
        ("STREAM_DRAIN_SECONDS", -0.5, "streaming.E003"),
        ("STREAM_DRAIN_SECONDS", float("nan"), "streaming.E003"),
        ("LIMIT_RUNNING_PER_OWNER", -1, "streaming.E020"),
        ("LIMIT_RUNNING_PER_ADDRESS", -1, "streaming.E020"),
        ("LIMIT_STARTS_PER_MINUTE", -1, "streaming.E020"),
        ("LIMIT_STARTS_PER_MINUTE_PER_ADDRESS", -1, "streaming.E020"),
        ("LIMIT_ANONYMOUS_SHARE", 101, "streaming.E021"),
        ("LIMIT_ANONYMOUS_SHARE", -1, "streaming.E021"),
        ("LIMIT_ANONYMOUS_SHARE_PER_ADDRESS", 101, "streaming.E021"),
        ("LIMIT_ANONYMOUS_TOKENS_PER_DAY_PER_ADDRESS", -1, "streaming.E020"),
        ("STREAM_LOG_BYTES", -1, "streaming.E003"),
        ("STREAM_RETENTION_DAYS", -1.0, "streaming.E016"),
        ("STREAM_RETENTION_DAYS", float("nan"), "streaming.E016"),
        ("STREAM_RETENTION_DAYS", 1e9, "streaming.E016"),
        ("AUDIT_RETENTION_DAYS", -1.0, "streaming.E016"),
        ("LIMIT_SOCKETS_PER_OWNER", -1, "streaming.E020"),
        ("LIMIT_SOCKETS_PER_ADDRESS", -1, "streaming.E020"),
        ("LIMIT_FRAMES_PER_SECOND", float("nan"), "streaming.E020"),
        ("LIMIT_REPLAYED_EVENTS_PER_SECOND", float("inf"), "streaming.E020"),
        ("MIDDLEWARE", ["django.middleware.gzip.GZipMiddleware"], "streaming.W001"),
        ("REDIS_URL", "localhost:6379", "streaming.E005"),
        ("REDIS_URL", "http://localhost:6379", "streaming.E005"),
        ("REDIS_URL", "redis:/localhost:port", "streaming.E005"),
        ("REDIS_URL", "redis://localhost:port", "streaming.E005"),
        ("REDIS_URL", "redis://:pass/word@localhost", "streaming.E005"),
        ("REDIS_URL", "redis://localhost/first", "streaming.E005"),
        ("REDIS_URL", "redis://localhost/0?db=first", "streaming.E005"),
        ("REDIS_URL", "redis://localhost/0?no_such_option=1", "streaming.E005"),
    ],
)
def test_a_setting_that_can_not_work_is_reported_with_what_to_write(
    settings: Any, name: str, value: Any, check_id: str
) -> None:
    setattr(settings, name, value)
    (message,) = found()
    assert message.id == check_id
    assert message.hint
    assert name in f"{message.msg} {message.hint}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("STREAMING_BACKEND", "websocket"),
        ("STREAM_DRAIN_SECONDS", 0.0),
        ("STREAM_ABANDON_SECONDS", 0.1),
        ("STREAM_MAX_EVENTS", 1),
        ("LIMIT_RUNNING_PER_OWNER", 0),
        ("LIMIT_ANONYMOUS_SHARE", 0),
        ("LIMIT_ANONYMOUS_SHARE", 100),
        ("LIMIT_ANONYMOUS_SHARE_PER_ADDRESS", 0),
        ("LIMIT_CONNECTIONS", 0),
        ("METRICS_TOKEN", "sixteen-letters-"),
        ("REDIS_URL", "redis://localhost"),
        ("REDIS_URL", "redis://localhost/"),
        ("REDIS_URL", "redis://:a:b%3F@localhost:6379/3"),
        ("REDIS_URL", "rediss://user:p%2Fw@example.com:6380/2?ssl_cert_reqs=none"),
        ("REDIS_URL", "unix:///run/redis.sock?db=1"),
    ],
)
def test_a_setting_that_can_work_is_left_alone(settings: Any, name: str, value: Any) -> None:
    setattr(settings, name, value)
    assert found() == []


def test_each_wrong_setting_is_reported(settings: Any) -> None:
    settings.STREAMING_BACKEND = "x"
    settings.STREAM_MAX_EVENTS = settings.STREAM_MAX_RUNNING = 0
    assert [message.id for message in found()] == [
        "streaming.E001",
        "streaming.E002",
        "streaming.E002",
    ]


def test_a_password_in_an_address_is_not_shown(settings: Any) -> None:
    settings.REDIS_URL = "redis://:hunter2@example.com:port"
    assert "hunter2" not in str(found())
    settings.REDIS_URL = "redis://:hunter2@127.0.0.1:1"
    assert "hunter2" not in str(check_eviction(None))


def test_manage_check_runs_them(settings: Any) -> None:
    settings.STREAMING_BACKEND = "x"
    assert "streaming.E001" in [message.id for message in run_checks()]


# --- anonymous use ------------------------------------------------------------------------

BOUNDS = [
    "LIMIT_ANONYMOUS_TOKENS_PER_DAY",
    "LIMIT_STARTS_PER_MINUTE_PER_ADDRESS",
    "LIMIT_RUNNING_PER_ADDRESS",
]


def test_anonymous_use_with_the_default_limits_is_left_alone(settings: Any) -> None:
    settings.AI_ALLOW_ANONYMOUS = True
    assert check_anonymous_use(None) == []


@pytest.mark.parametrize("name", BOUNDS)
def test_anonymous_use_without_one_of_its_bounds_is_a_warning_of_a_deployment(
    settings: Any, name: str
) -> None:
    settings.AI_ALLOW_ANONYMOUS = True
    setattr(settings, name, 0)
    assert "streaming.W004" not in ids(run_checks())  # a demo on one machine may have none
    (message,) = [
        each
        for each in run_checks(tags=["streaming"], include_deployment_checks=True)
        if each.id == "streaming.W004"
    ]
    assert name in message.msg and name in str(message.hint)
    settings.AI_ALLOW_ANONYMOUS = False
    assert check_anonymous_use(None) == []


# --- whether Redis evicts ---------------------------------------------------------------


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    with running_redis(tmp_path / "redis") as started:
        yield started


def ids(messages: list[CheckMessage]) -> list[str | None]:
    return [message.id for message in messages]


def test_a_redis_that_evicts_is_an_error_with_what_to_write(
    settings: Any, server: RedisServer
) -> None:
    settings.REDIS_URL = server.url
    assert check_eviction(None) == []
    for policy in ("allkeys-lru", "volatile-ttl"):
        server.client().config_set("maxmemory-policy", policy)
        (message,) = check_eviction(None)
        assert message.id == "streaming.E004"
        assert policy in message.msg
        assert "maxmemory-policy noeviction" in str(message.hint)
    server.client().config_set("maxmemory-policy", "noeviction")
    assert check_eviction(None) == []


def test_a_redis_that_can_not_be_asked_is_a_warning_and_no_hang(
    settings: Any, server: RedisServer
) -> None:
    settings.REDIS_URL = server.url
    server.stop()
    begun_at = time.monotonic()
    assert ids(check_eviction(None)) == ["streaming.W003"]
    assert time.monotonic() - begun_at < 30
    server.kill()
    assert ids(check_eviction(None)) == ["streaming.W003"]


@pytest.mark.parametrize("url", ["", "localhost:6379", "redis://localhost:port"])
def test_nothing_is_asked_where_there_is_no_redis_or_no_address(settings: Any, url: str) -> None:
    settings.REDIS_URL = url
    assert check_eviction(None) == []


def test_only_the_checks_of_a_deployment_connect(settings: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        settings.REDIS_URL = f"redis://127.0.0.1:{listener.getsockname()[1]}"
        run_checks(tags=["streaming"])
        listener.settimeout(0)
        with pytest.raises(BlockingIOError):
            listener.accept()
        found = run_checks(tags=["streaming"], include_deployment_checks=True)
        assert "streaming.W003" in ids(found)  # it accepts, and sends nothing
        listener.accept()[0].close()


def test_without_a_redis_nothing_of_it_is_loaded() -> None:
    code = (
        "import sys, django; django.setup(); from django.core.checks import run_checks;"
        "run_checks(tags=['streaming'], include_deployment_checks=True);"
        "sys.exit('redis' in sys.modules)"
    )
    environment = {**os.environ, "REDIS_URL": "", "DJANGO_SETTINGS_MODULE": "liveai.settings"}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)


@pytest.mark.parametrize(
    ("runner", "url", "code"),
    [
        ("inline", "", None),
        ("worker", "redis://localhost:6379/0", None),
        ("worker", "", "streaming.E007"),
        ("celery", "redis://localhost:6379/0", "streaming.E006"),
    ],
)
def test_workers_need_a_name_that_is_known_and_a_redis(
    settings: Any, runner: str, url: str, code: str | None
) -> None:
    settings.AI_STREAMING_RUNNER, settings.REDIS_URL = runner, url
    found = [message.id for message in check_streaming(None)]
    assert found == ([code] if code else [])
