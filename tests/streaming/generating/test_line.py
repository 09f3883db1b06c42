"""The places of a process, and the line of the streams that wait for one."""

from __future__ import annotations

import random

import pytest

from streaming.admission.capacity import Capacity
from streaming.admission.crowd import USER, Asker
from streaming.generating.line import Line, Ticket

ANYBODY = Asker(is_anonymous=True)
SCHOOL, HOME = Asker(True, "school"), Asker(True, "home")


def take(line: Line, owner: str, asker: Asker = USER) -> Ticket:
    """Take a place that is free."""
    ticket = line.take(owner, asker)
    assert not ticket.is_waiting
    return ticket


def waiting(line: Line, owner: str, asker: Asker = USER) -> Ticket:
    ticket = line.take(owner, asker)
    assert ticket.is_waiting
    return ticket


def granted(line: Line, place: Ticket, tickets: list[Ticket]) -> list[Ticket]:
    """Give the only place back again and again; return who gets it, in order."""
    order: list[Ticket] = []
    for _ in tickets:
        line.give_back(place)
        (place,) = [each for each in tickets if not each.is_waiting and each not in order]
        order.append(place)
    return order


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
    order = granted(line, place, tickets)
    assert [ticket.owner for ticket in order] == ["ada", "bob", "eve", "ada", "bob", "ada"]


async def test_addresses_take_turns_and_within_one_its_visitors_do() -> None:
    line = Line(Capacity(1))
    place = take(line, "zoe", SCHOOL)
    tickets = [waiting(line, owner, SCHOOL) for owner in ("ada", "ada", "ada", "bob", "bob")]
    tickets.append(waiting(line, "kim", HOME))
    tickets.append(waiting(line, "user"))
    assert [line.number(ticket) for ticket in tickets] == [1, 5, 7, 4, 6, 2, 3]
    order = granted(line, place, tickets)
    owners = ["ada", "kim", "user", "bob", "ada", "bob", "ada"]
    assert [ticket.owner for ticket in order] == owners


async def test_whoever_comes_anew_is_next_after_one_of_each_other_address() -> None:
    line = Line(Capacity(1))
    place = take(line, "a", SCHOOL)
    for number in range(20):
        waiting(line, f"a{number}", SCHOOL)  # a new session for each
    waiting(line, "b", Asker(True, "office"))
    newcomer = waiting(line, "c", HOME)
    assert line.number(newcomer) == 3
    line.give_back(place)
    assert line.number(newcomer) == 2


async def test_an_address_holds_no_more_than_its_share_and_others_pass_it() -> None:
    line = Line(Capacity(4, 75, address_share=75))  # 3 places for the anonymous, 2 of an address
    first = take(line, "a", SCHOOL)
    take(line, "b", SCHOOL)
    late = waiting(line, "c", SCHOOL)
    stranger = take(line, "d", HOME)
    user = take(line, "user")
    line.give_back(stranger)
    line.give_back(user)
    assert late.is_waiting
    line.give_back(first)
    assert not late.is_waiting


async def test_who_signs_in_while_waiting_leaves_the_line_of_the_address() -> None:
    line = Line(Capacity(4, 75, address_share=75))
    places = [take(line, "a", SCHOOL) for _ in range(2)]
    tickets = [waiting(line, "b", SCHOOL) for _ in range(3)]
    line.sign_in(tickets[1])
    assert [ticket.is_waiting for ticket in tickets] == [True, False, True]
    assert [line.number(tickets[0]), line.number(tickets[2])] == [1, 2]
    for place in places:  # both were the address's own
        line.give_back(place)
    assert not any(ticket.is_waiting for ticket in tickets)
    line.give_back(tickets[1])
    waiting(line, "c", SCHOOL)


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
    first = take(line, "anonymous:a", ANYBODY)
    take(line, "anonymous:a", ANYBODY)
    ticket = waiting(line, "anonymous:b", ANYBODY)
    user = take(line, "user:1")
    line.give_back(user)
    assert ticket.is_waiting
    line.give_back(first)
    assert not ticket.is_waiting


async def test_a_visitor_who_signs_in_counts_no_longer_as_anonymous() -> None:
    line = Line(Capacity(4, 50))
    first = take(line, "anonymous:a", ANYBODY)
    take(line, "anonymous:a", ANYBODY)
    second = waiting(line, "anonymous:b", ANYBODY)
    third = waiting(line, "anonymous:c", ANYBODY)
    for _ in range(2):
        line.sign_in(first)
        assert (second.is_waiting, third.is_waiting) == (False, True)
    line.sign_in(third)
    assert not third.is_waiting
    for ticket in (first, third):
        line.give_back(ticket)
    take(line, "user:1")
    waiting(line, "anonymous:d", ANYBODY)


async def test_a_stream_that_had_a_place_before_its_process_died_never_waits() -> None:
    line = Line(Capacity(1))
    first = take(line, "ada")
    second = line.take("bob", USER, at_once=True)
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
            ticket = line.take(chance.choice("abcd"), chance.choice((USER, SCHOOL, HOME)))
            (tickets if ticket.is_waiting else held).append(ticket)
        elif held and chance.random() < 0.7:
            by_number = {line.number(ticket): ticket for ticket in tickets}
            assert sorted(by_number) == list(range(1, len(tickets) + 1))
            line.give_back(held.pop())
            if tickets:
                assert not by_number[1].is_waiting
                tickets.remove(by_number[1])
                held.append(by_number[1])
                assert all(
                    line.number(ticket) == number - 1
                    for number, ticket in by_number.items()
                    if number > 1
                )
        elif tickets:
            line.give_back(tickets.pop(chance.randrange(len(tickets))))
        assert len(held) <= 3
        assert not tickets or len(held) == 3
        assert line.waiting == len(tickets)
