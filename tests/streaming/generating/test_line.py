"""The places of a process, and the line of the streams that wait for one."""

from __future__ import annotations

import random

import pytest

from streaming.generating.line import Line, Ticket
from streaming.limits import Capacity


def take(line: Line, owner: str, *, is_anonymous: bool = False) -> Ticket:
    """Take a place that is free."""
    ticket = line.take(owner, is_anonymous=is_anonymous)
    assert not ticket.is_waiting
    return ticket


def waiting(line: Line, owner: str, *, is_anonymous: bool = False) -> Ticket:
    ticket = line.take(owner, is_anonymous=is_anonymous)
    assert ticket.is_waiting
    return ticket


async def test_places_are_given_at_once_until_none_is_left() -> None:
    line = Line(Capacity(2))
    first, _ = take(line, "ada"), take(line, "ada")
    assert line.is_full
    ticket = waiting(line, "bob")
    assert line.number(ticket) == 1
    line.give_back(first)
    assert not ticket.is_waiting
    waiting(line, "bob")


async def test_owners_take_turns_however_many_streams_one_of_them_starts() -> None:
    line = Line(Capacity(1))
    place = take(line, "ada")
    tickets = [waiting(line, owner) for owner in ("ada", "ada", "ada", "bob", "eve", "bob")]
    assert [line.number(ticket) for ticket in tickets] == [1, 4, 6, 2, 3, 5]
    order: list[Ticket] = []
    for _ in tickets:
        line.give_back(place)
        (place,) = [each for each in tickets if not each.is_waiting and each not in order]
        order.append(place)
    assert [ticket.owner for ticket in order] == ["ada", "bob", "eve", "ada", "bob", "ada"]


async def test_one_that_leaves_moves_the_others_up_and_returns_a_place_that_it_was_granted() -> (
    None
):
    line = Line(Capacity(1))
    place = take(line, "ada")
    first, second, third = (waiting(line, owner) for owner in ("bob", "eve", "kim"))
    line.give_back(second)
    assert line.number(third) == 2
    line.give_back(place)
    assert not first.is_waiting
    line.give_back(first)
    assert not third.is_waiting


async def test_anonymous_visitors_wait_for_their_share_while_users_pass_them() -> None:
    line = Line(Capacity(4, 50))
    first = take(line, "anonymous:a", is_anonymous=True)
    take(line, "anonymous:a", is_anonymous=True)
    ticket = waiting(line, "anonymous:b", is_anonymous=True)
    user = take(line, "user:1")
    line.give_back(user)
    assert ticket.is_waiting
    line.give_back(first)
    assert not ticket.is_waiting


async def test_a_visitor_who_signs_in_counts_no_longer_as_anonymous() -> None:
    line = Line(Capacity(4, 50))
    first = take(line, "anonymous:a", is_anonymous=True)
    take(line, "anonymous:a", is_anonymous=True)
    second = waiting(line, "anonymous:b", is_anonymous=True)
    third = waiting(line, "anonymous:c", is_anonymous=True)
    for _ in range(2):
        line.sign_in(first)
        assert (second.is_waiting, third.is_waiting) == (False, True)
    line.sign_in(third)
    assert not third.is_waiting
    for ticket in (first, third):
        line.give_back(ticket)
    take(line, "user:1")
    waiting(line, "anonymous:d", is_anonymous=True)


async def test_a_stream_that_had_a_place_before_its_process_died_never_waits() -> None:
    line = Line(Capacity(1))
    first = take(line, "ada")
    second = line.take("bob", is_anonymous=False, at_once=True)
    assert not second.is_waiting
    ticket = waiting(line, "eve")
    line.give_back(first)
    assert ticket.is_waiting
    line.give_back(second)
    assert not ticket.is_waiting


async def test_places_can_be_held_for_such_streams() -> None:
    line = Line(Capacity(1))
    place, ticket = take(line, "ada"), waiting(line, "bob")
    line.hold(True)
    line.give_back(place)
    assert ticket.is_waiting and not line.is_full
    late = waiting(line, "kim")
    line.hold(False)
    assert (ticket.is_waiting, late.is_waiting) == (False, True)


@pytest.mark.parametrize("seed", range(20))
async def test_numbers_are_the_order_of_grants_and_no_place_is_lost(seed: int) -> None:
    chance = random.Random(seed)
    line = Line(Capacity(3))
    held: list[Ticket] = []
    tickets: list[Ticket] = []
    for _ in range(300):
        if chance.random() < 0.5 or not (held or tickets):
            ticket = line.take(chance.choice("abcd"), is_anonymous=False)
            (tickets if ticket.is_waiting else held).append(ticket)
        elif held and chance.random() < 0.7:
            by_number = {line.number(ticket): ticket for ticket in tickets}
            assert sorted(by_number) == list(range(1, len(tickets) + 1))
            line.give_back(held.pop())
            if tickets:
                assert not by_number[1].is_waiting
                tickets.remove(by_number[1])
                held.append(by_number[1])
        elif tickets:
            line.give_back(tickets.pop(chance.randrange(len(tickets))))
        assert len(held) <= 3
        assert not tickets or len(held) == 3
