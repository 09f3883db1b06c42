"""The launcher's computed settings."""

from __future__ import annotations

from typing import Any

import pytest

from streaming.serving import server


def at_most(
    settings: Any, monkeypatch: pytest.MonkeyPatch, *, wanted: int, descriptors: int
) -> int:
    settings.LIMIT_CONNECTIONS, settings.STREAM_MAX_RUNNING = wanted, 200
    monkeypatch.setattr(server, "raise_limit", lambda: descriptors)
    return server._connections_at_most()


def test_few_descriptors_lower_the_limit_of_connections_and_that_is_said(
    settings: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert at_most(settings, monkeypatch, wanted=5000, descriptors=1024) == 696
    assert caplog.messages == [
        "At most 696 connections, not 5000 (LIMIT_CONNECTIONS): there are 1024 file descriptors."
    ]


@pytest.mark.parametrize("wanted", [0, 500])
def test_enough_descriptors_are_not_worth_a_line(
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    wanted: int,
) -> None:
    assert at_most(settings, monkeypatch, wanted=wanted, descriptors=1024) == (wanted or 696)
    assert caplog.messages == []
