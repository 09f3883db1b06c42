"""The number of places, and the refusal of visitors who get none."""

from __future__ import annotations

import pytest

from streaming.errors import Refused
from streaming.limits import Capacity


@pytest.mark.parametrize(
    ("max_running", "share", "places"),
    [(200, 75, 150), (4, 75, 3), (3, 50, 1), (1, 75, 1), (10, 1, 1), (8, 100, 8), (8, 0, 8)],
)
def test_anonymous_visitors_hold_their_share_of_the_places_and_at_least_one(
    max_running: int, share: int, places: int
) -> None:
    assert Capacity(max_running, share).anonymous_places == places


def test_a_place_that_anonymous_visitors_may_not_have_is_there_for_the_signed_in() -> None:
    capacity = Capacity(4, 75)
    with pytest.raises(Refused, match="Sign in") as refused:
        capacity.check(ahead=3, anonymous_ahead=3, is_anonymous=True)
    assert refused.value.code == "over_capacity"
    capacity.check(ahead=3, anonymous_ahead=3, is_anonymous=False)
    capacity.check(ahead=3, anonymous_ahead=2, is_anonymous=True)
    for is_anonymous in (True, False):
        with pytest.raises(Refused):
            capacity.check(ahead=4, anonymous_ahead=0, is_anonymous=is_anonymous)


@pytest.mark.parametrize(
    ("running", "anonymous", "is_short"),
    [(2, 0, False), (3, 0, True), (2, 2, True), (1, 1, False)],
)
def test_places_are_short_when_few_are_left_or_none_for_anonymous_visitors(
    running: int, anonymous: int, is_short: bool
) -> None:
    assert Capacity(4, 50).is_short(running=running, anonymous=anonymous) is is_short
