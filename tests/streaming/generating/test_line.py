"""The places of a process, and the line of the streams that wait for one."""

from __future__ import annotations

import random

import pytest

from streaming.generating.line import Line, Ticket
from streaming.limits import Capacity


def waiting(line: Line, owner: str, *, is_anonymous: bool = False) -> Ticket:
    ticket = line.take(owner, is_anonymous=is_anonymous)
    assert ticket is not None
    return ticket


async def test_places_are_given_at_once_until_none_is_left() -> None:
    line = Line(Capacity(2))
    assert line.take("ada", is_anonymous=False) is None
    assert line.take("ada", is_anonymous=False) is None
    ticket = waiting(line, "bob")
    assert (line.number(ticket), ticket.granted.done()) == (1, False)
    line.give_back(is_anonymous=False)
    assert ticket.granted.done()
    waiting(line, "bob")


async def test_owners_take_turns_however_many_streams_one_of_them_starts() -> None:
    line = Line(Capacity(1))
    line.take("ada", is_anonymous=False)
    tickets = [waiting(line, owner) for owner in ("ada", "ada", "ada", "bob", "eve", "bob")]
    assert [line.number(ticket) for ticket in tickets] == [1, 4, 6, 2, 3, 5]
    order = []
    for _ in tickets:
        line.give_back(is_anonymous=False)
        (granted,) = [each for each in tickets if each.granted.done() and each not in order]
        order.append(granted)
    assert [ticket.owner for ticket in order] == ["ada", "bob", "eve", "ada", "bob", "ada"]


async def test_one_that_leaves_moves_the_others_up_and_returns_a_place_that_it_was_granted() -> (
    None
):
    line = Line(Capacity(1))
    line.take("ada", is_anonymous=False)
    first, second, third = (waiting(line, owner) for owner in ("bob", "eve", "kim"))
    line.leave(second)
    assert line.number(third) == 2
    line.give_back(is_anonymous=False)
    assert first.granted.done()
    line.leave(first)
    assert third.granted.done()


async def test_anonymous_visitors_wait_for_their_share_while_users_pass_them() -> None:
    line = Line(Capacity(4, 50))
    for _ in range(2):
        assert line.take("anonymous:a", is_anonymous=True) is None
    ticket = waiting(line, "anonymous:b", is_anonymous=True)
    assert line.take("user:1", is_anonymous=False) is None
    line.give_back(is_anonymous=False)
    assert not ticket.granted.done()
    line.give_back(is_anonymous=True)
    assert ticket.granted.done()


async def test_a_stream_that_had_a_place_elsewhere_never_waits() -> None:
    line = Line(Capacity(1))
    line.take("ada", is_anonymous=False)
    assert line.take("bob", is_anonymous=False, at_once=True) is None
    ticket = waiting(line, "eve")
    line.give_back(is_anonymous=False)
    assert not ticket.granted.done()
    line.give_back(is_anonymous=False)
    assert ticket.granted.done()


@pytest.mark.parametrize("seed", range(20))
async def test_numbers_are_the_order_of_grants_and_no_place_is_lost(seed: int) -> None:
    chance = random.Random(seed)
    line, places = Line(Capacity(3)), 3
    holding, tickets = 0, []
    for _ in range(300):
        if chance.random() < 0.5 or not (holding or tickets):
            ticket = line.take(chance.choice("abcd"), is_anonymous=False)
            if ticket is None:
                holding += 1
            else:
                tickets.append(ticket)
        elif holding and chance.random() < 0.7:
            first = {line.number(ticket): ticket for ticket in tickets}
            assert sorted(first) == list(range(1, len(tickets) + 1))
            line.give_back(is_anonymous=False)
            holding -= 1
            if tickets:
                assert first[1].granted.done()
                tickets.remove(first[1])
                holding += 1
        elif tickets:
            line.leave(tickets.pop(chance.randrange(len(tickets))))
        assert holding <= places
        assert not tickets or holding == places
