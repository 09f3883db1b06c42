"""Detection of clients that do not read."""

from __future__ import annotations

from streaming.serving.progress import Progress


def test_bytes_that_wait_unchanged_are_a_stall() -> None:
    progress = Progress()
    assert progress.stalled_seconds(100, 0.0) == 0.0
    assert progress.stalled_seconds(100, 10.0) == 10.0
    assert progress.stalled_seconds(100, 30.0) == 30.0


def test_each_change_and_an_empty_buffer_begin_anew() -> None:
    progress = Progress()
    progress.stalled_seconds(100, 0.0)
    assert progress.stalled_seconds(99, 10.0) == 0.0
    assert progress.stalled_seconds(99, 15.0) == 5.0
    assert progress.stalled_seconds(0, 20.0) == 0.0
    assert progress.stalled_seconds(99, 25.0) == 0.0
