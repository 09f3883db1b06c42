from __future__ import annotations

from typing import Any

import pytest
from django.core.checks import CheckMessage, run_checks

from streaming.checks import check_streaming


def found() -> list[CheckMessage]:
    # No database fixture: a check that queries would fail here.
    return check_streaming(None)


@pytest.fixture(autouse=True)
def as_delivered(settings: Any) -> None:
    """The environment of this run may set a Redis; the defaults don't."""
    settings.REDIS_URL = ""


def test_the_defaults_are_right() -> None:
    assert found() == []


@pytest.mark.parametrize(
    ("name", "value", "check_id"),
    [
        ("STREAMING_BACKEND", "", "streaming.E001"),
        ("STREAMING_BACKEND", "SSE", "streaming.E001"),
        ("STREAMING_BACKEND", "polling", "streaming.E001"),
        ("STREAM_ABANDON_SECONDS", 0.0, "streaming.E002"),
        ("STREAM_MAX_AGE_SECONDS", -1.0, "streaming.E002"),
        ("STREAM_LOG_SECONDS", float("nan"), "streaming.E002"),
        ("STREAM_MAX_EVENTS", 0, "streaming.E002"),
        ("STREAM_MAX_RUNNING", 0, "streaming.E002"),
        ("STREAM_DEADLINE_SECONDS", 0.0, "streaming.E002"),
        ("STREAM_DRAIN_SECONDS", -0.5, "streaming.E003"),
        ("STREAM_DRAIN_SECONDS", float("nan"), "streaming.E003"),
        ("MIDDLEWARE", ["django.middleware.gzip.GZipMiddleware"], "streaming.W001"),
        ("REDIS_URL", "redis://localhost", "streaming.W002"),
    ],
)
def test_a_setting_that_can_not_work_is_told_with_what_to_write(
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
    ],
)
def test_a_setting_that_can_work_is_left_alone(settings: Any, name: str, value: Any) -> None:
    setattr(settings, name, value)
    assert found() == []


def test_each_wrong_setting_is_told_of(settings: Any) -> None:
    settings.STREAMING_BACKEND = "x"
    settings.STREAM_MAX_EVENTS = settings.STREAM_MAX_RUNNING = 0
    assert [message.id for message in found()] == [
        "streaming.E001",
        "streaming.E002",
        "streaming.E002",
    ]


def test_a_password_in_an_address_is_not_shown(settings: Any) -> None:
    settings.REDIS_URL = "redis://:hunter2@example.com"
    assert "hunter2" not in str(found())


def test_manage_check_runs_them(settings: Any) -> None:
    settings.STREAMING_BACKEND = "x"
    assert "streaming.E001" in [message.id for message in run_checks()]
