import pytest

from blocks.providers.chat.chunk import Chunk, Usage
from blocks.providers.chat.ending import Ending
from blocks.providers.chat.patience import (
    MAYBE_OVER_IDLES,
    STRETCH,
    TAIL_SECONDS,
    Patience,
    TimeLimits,
)

LIMITS = TimeLimits(connect=1, first_token=60, idle=30)


class Heard:
    """An answer on a clock of its own."""

    def __init__(self, **settings: bool) -> None:
        self.patience = Patience(LIMITS, 0, **settings)
        self.ending = Ending()
        self.progress = 0

    def at(self, now: float, chunk: Chunk | None = None) -> float:
        """Return the deadline after a chunk, or after bytes without one."""
        assert now <= self.patience.deadline
        if chunk is not None:
            self.ending.follow(chunk)
            self.progress += chunk.has_life
        self.patience.heard(self.ending, self.progress, now)
        return self.patience.deadline


TEXT, STOP = Chunk("a"), Chunk(finish="stop")
USAGE = Chunk(usage=Usage(1, 2), is_usage=True)


def test_a_silence_is_limited_before_and_after_the_first_token():
    heard = Heard()
    assert heard.patience.deadline == 60
    assert heard.at(50) == 110
    assert heard.at(100, TEXT) == 130
    assert heard.at(120) == 150


@pytest.mark.parametrize("is_begun", [True, False])
def test_signs_of_life_prolong_a_stretch_without_text_up_to_its_limit(is_begun):
    heard = Heard()
    if is_begun:
        heard.at(0, TEXT)
    now = 0.0
    while (deadline := heard.at(now)) > now:
        now = min(deadline, now + 20)
    assert now == 60 * STRETCH


@pytest.mark.parametrize("chunk", [TEXT, Chunk(is_reasoning=True)])
def test_text_and_reasoning_begin_a_new_stretch(chunk):
    heard = Heard()
    for step in range(40):
        assert heard.at(25.0 * step, chunk) == 25.0 * step + 30


def test_after_a_final_word_comments_prolong_nothing():
    heard = Heard()
    heard.at(0, TEXT)
    assert heard.at(10, STOP) == 40
    assert heard.at(30) == 40


def test_while_an_answer_may_be_over_comments_prolong_it_for_a_while_and_text_takes_that_back():
    heard = Heard()
    heard.at(0, Chunk("a", finish="stop"))
    for now in range(10, MAYBE_OVER_IDLES * 30, 10):
        deadline = heard.at(now)
    assert deadline == MAYBE_OVER_IDLES * 30
    assert heard.at(110, TEXT) == 140


def test_only_the_end_may_follow_the_usage():
    heard = Heard()
    heard.at(0, TEXT)
    heard.at(1, STOP)
    assert heard.at(2, USAGE) == 2 + TAIL_SECONDS


def test_a_whole_answer_may_take_as_long_as_a_stretch():
    assert Heard(is_whole=True).patience.deadline == 60 * STRETCH
