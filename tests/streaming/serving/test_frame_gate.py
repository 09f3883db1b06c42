"""Frames classified by their headers: which pass, which are skipped, which end a socket."""

from __future__ import annotations

import pytest

from streaming.serving.frame_gate import FrameGate, Verdict
from tests.support.servers.wire import CONTINUATION, PING, TEXT, frame

LIMITS = {"max_size": 1000, "max_bytes": 100}


def run(gate: FrameGate, data: bytes, *, piece: int | None = None) -> tuple[bytes, list[Verdict]]:
    """Return the passed bytes and the verdicts on frames; `piece` bytes arrive at a time."""
    passed, verdicts = b"", []
    step_size = piece or len(data)
    for begin in range(0, len(data), step_size):
        part, at = data[begin : begin + step_size], 0
        while at < len(part):
            step = gate.take(part, at)
            assert step.end > at
            at, passed = step.end, passed + step.passed
            if step.verdict is not Verdict.PART:
                verdicts.append(step.verdict)
            if step.verdict in (Verdict.TOO_LONG, Verdict.BROKEN):
                return passed, verdicts
    return passed, verdicts


@pytest.mark.parametrize("piece", [None, 1, 3, 7])
def test_frames_within_the_limit_get_through_unchanged(piece: int | None) -> None:
    data = (
        frame(TEXT, b"x" * 100) + frame(PING, b"hi") + frame(TEXT) + frame(TEXT, b"a")
        + frame(TEXT, b"a", is_last=False) + frame(PING) + frame(CONTINUATION, b"b")
    )  # fmt: skip
    gate = FrameGate(**LIMITS)
    passed, verdicts = run(gate, data, piece=piece)
    assert passed == data
    data_, control = Verdict.DATA, Verdict.CONTROL
    assert verdicts == [data_, control, data_, data_, data_, control, data_]
    assert (gate.messages, gate.is_open) == (4, False)


@pytest.mark.parametrize("piece", [None, 1, 300])
@pytest.mark.parametrize("size", [101, 126, 1000])
def test_a_whole_frame_over_it_is_skipped(size: int, piece: int | None) -> None:
    after = frame(TEXT, b"after")
    passed, verdicts = run(FrameGate(**LIMITS), frame(TEXT, b"x" * size) + after, piece=piece)
    assert (passed, verdicts) == (after, [Verdict.OVERSIZED, Verdict.DATA])


def test_a_frame_beyond_the_greatest_size_is_the_parsers_to_refuse() -> None:
    data = frame(TEXT, length=1001)
    gate = FrameGate(**LIMITS)
    assert gate.take(data, 0) == (len(data), data, Verdict.PART)


@pytest.mark.parametrize(
    "data",
    [
        frame(TEXT, b"x" * 60, is_last=False) + frame(CONTINUATION, b"x" * 41),
        frame(TEXT, b"x" * 60, is_last=False) + frame(CONTINUATION, length=1 << 40),
        frame(TEXT, length=101, is_last=False),
        frame(TEXT, is_last=False) + frame(CONTINUATION, is_last=False) * 6,
    ],
)
def test_a_message_in_pieces_that_grows_over_it_is_too_long(data: bytes) -> None:
    assert run(FrameGate(**LIMITS), data)[1][-1] is Verdict.TOO_LONG


@pytest.mark.parametrize("data", [frame(PING, length=126), frame(PING, is_last=False)])
def test_a_control_frame_that_is_none_is_broken(data: bytes) -> None:
    assert run(FrameGate(**LIMITS), data) == (b"", [Verdict.BROKEN])


@pytest.mark.parametrize(
    "data",
    [b"\x81", frame(TEXT, length=5), frame(TEXT, b"x" * 5, is_last=False), frame(PING, length=5)],
)
def test_it_is_open_while_something_has_not_ended(data: bytes) -> None:
    gate = FrameGate(**LIMITS)
    assert not gate.is_open
    run(gate, data)
    assert gate.is_open
