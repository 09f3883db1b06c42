from __future__ import annotations

import pytest

from blocks.delta import Usage
from blocks.providers.base import ChatRequest, Finish, Message
from blocks.runtime.meter import Meter

REQUEST = ChatRequest((Message("system", "Be kind."), Message("user", "Why?")), 0.4, 9)  # 12 bytes


def test_a_call_that_is_under_way_is_estimated_by_its_bytes():
    meter = Meter()
    assert meter.usage is None
    meter.begin(REQUEST)
    assert meter.usage == Usage(3, 0, is_estimated=True)
    meter.add_text("Because")
    meter.add_text("\u00fc")
    meter.add_thought()
    assert meter.usage == Usage(3, 4, is_estimated=True)


def test_a_call_that_ended_is_what_the_provider_says_and_no_longer_under_way():
    meter = Meter()
    meter.begin(REQUEST)
    assert meter.end(Finish("stop", 7, 0)) == Usage(7, 0)
    assert meter.usage is None


@pytest.mark.parametrize(
    ("finish", "expected"),
    [
        (Finish("stop", None, None), Usage(3, 2, is_estimated=True)),
        (Finish("stop", 7, None), Usage(7, 2, is_estimated=True)),
        (Finish("stop", None, 7), Usage(3, 7, is_estimated=True)),
        (Finish("stop", 7, 0), Usage(7, 2, is_estimated=True)),
        (Finish("stop", 2**40, 2), Usage(2**31 - 1, 2)),
    ],
)
def test_what_the_provider_does_not_say_is_estimated(finish, expected):
    meter = Meter()
    meter.begin(REQUEST)
    meter.add_text("Because")
    assert meter.end(finish) == expected


def test_a_call_that_was_refused_used_nothing():
    meter = Meter()
    meter.begin(REQUEST)
    meter.drop()
    assert meter.usage is None


def test_each_call_is_counted_from_its_beginning():
    meter = Meter()
    meter.begin(REQUEST)
    meter.add_text("a long answer")
    meter.end(Finish("stop", 1, 1))
    meter.begin(REQUEST)
    assert meter.usage == Usage(3, 0, is_estimated=True)
