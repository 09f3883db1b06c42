"""The size of a request's head, counted wherever the network splits it."""

from __future__ import annotations

import pytest

from streaming.serving.head import MAX_HEAD_BYTES, HeadMeter

HEAD = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.mark.parametrize("cut", range(1, len(HEAD) + 1))
def test_a_head_ends_with_its_empty_line_wherever_it_is_cut(cut: int) -> None:
    meter = HeadMeter()
    first, second = HEAD[:cut], HEAD[cut:] + b"the body"
    taken = meter.take(first)
    if cut < len(HEAD):
        assert taken == cut
        taken += meter.take(second)
    assert taken == meter.size == len(HEAD)


def test_it_comes_byte_by_byte() -> None:
    meter = HeadMeter()
    assert [meter.take(bytes([byte])) for byte in HEAD] == [1] * len(HEAD)
    assert meter.size == len(HEAD)


def test_64_kib_are_a_head_and_a_byte_more_is_none() -> None:
    meter = HeadMeter()
    meter.take(b"x" * MAX_HEAD_BYTES)
    assert not meter.is_too_large
    meter.take(b"x")
    assert meter.is_too_large
