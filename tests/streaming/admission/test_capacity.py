"""The number of places, and the refusal of visitors who get none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from streaming.admission.capacity import Capacity
from streaming.admission.crowd import USER, Asker, Taken
from streaming.errors import Refused

ANYBODY = Asker(is_anonymous=True)
PUPIL, STRANGER = Asker(True, "school"), Asker(True, "home")


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
        capacity.check(ANYBODY, Taken(3, 3))
    assert refused.value.code == "over_capacity"
    capacity.check(USER, Taken(3, 3))
    capacity.check(ANYBODY, Taken(3, 2))
    for asker in (ANYBODY, USER):
        with pytest.raises(Refused):
            capacity.check(asker, Taken(4, 0))


@pytest.mark.parametrize(
    ("max_running", "share", "places"),
    [(200, 75, 112), (4, 75, 2), (2, 75, 1), (6, 75, 3), (4, 0, 3), (4, 100, 3), (4, 1, 1)],
)
def test_the_visitors_of_an_address_hold_a_share_of_the_anonymous_places_and_at_least_one(
    max_running: int, share: int, places: int
) -> None:
    capacity = Capacity(max_running, 75, address_share=share)
    assert capacity.address_places == places
    for taken, has_place in ((places - 1, True), (places, places == capacity.anonymous_places)):
        is_free = taken < capacity.anonymous_places
        assert capacity.has_place(PUPIL, Taken(taken, taken, taken)) is (has_place and is_free)


def test_what_an_address_may_not_have_is_there_for_other_addresses_and_for_users() -> None:
    capacity = Capacity(4, 75, max_waiting=20, address_share=75)  # 3 places and 15 in line
    mine = 13  # three quarters of these 18
    capacity.check(PUPIL, Taken(mine - 1, mine - 1, mine - 1))
    with pytest.raises(Refused, match="of your network") as refused:
        capacity.check(PUPIL, Taken(mine, mine, mine))
    assert refused.value.code == "over_capacity"
    full = Taken(mine, mine, mine)
    capacity.check(STRANGER, replace(full, at_address=0))
    capacity.check(ANYBODY, full)  # a proxy's own address does not count
    capacity.check(USER, full)
    assert not capacity.has_place(PUPIL, Taken(2, 2, 2))
    assert capacity.has_place(STRANGER, Taken(2, 2, 0))


@pytest.mark.parametrize(
    ("running", "anonymous", "is_short"),
    [(2, 0, False), (3, 0, True), (2, 2, True), (1, 1, False)],
)
def test_places_are_short_when_few_are_left_or_none_for_anonymous_visitors(
    running: int, anonymous: int, is_short: bool
) -> None:
    assert Capacity(4, 50).is_short(running=running, anonymous=anonymous) is is_short
