"""Limits on the number of connections, in total and for one address."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from streaming.serving import roster as module
from streaming.serving.roster import Roster


class Clock:
    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


class Checked:
    def __init__(self) -> None:
        self.checks: list[float] = []

    def check(self, now: float) -> None:
        self.checks.append(now)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(autouse=True)
def proxies(settings: Any) -> None:
    settings.TRUSTED_PROXIES = ["10.0.0.1", "::1"]


def fill(roster: Roster, peers: list[str | None]) -> list[bool]:
    return [roster.enter(object(), Checked(), peer) for peer in peers]


def test_one_more_than_all_is_refused_until_one_leaves(clock: Clock) -> None:
    roster = Roster(at_most=2, per_address=0, now=clock)
    first = object()
    assert roster.enter(first, Checked(), "192.0.2.1")
    assert fill(roster, ["192.0.2.2", "192.0.2.3"]) == [True, False]
    roster.leave(first)
    roster.leave(first)
    assert fill(roster, ["192.0.2.3", "192.0.2.3"]) == [True, False]


def test_requests_of_an_address_beyond_its_rate_wait_in_order(clock: Clock) -> None:
    roster = Roster(at_most=0, per_address=0, requests_per_second=20, now=clock)
    first, second, other, proxy = object(), object(), object(), object()
    for transport, peer in (
        (first, "192.0.2.1"),
        (second, "192.0.2.1"),
        (other, "192.0.2.2"),
        (proxy, "10.0.0.1"),
    ):
        roster.enter(transport, Checked(), peer)
    # A quarter of a second's worth at once.
    assert [roster.charge_request(first) for _ in range(5)] == [0.0] * 5
    waits = [roster.charge_request(each) for each in (first, second)]
    assert waits == pytest.approx([0.05, 0.1])
    assert [roster.charge_request(other), roster.charge_request(proxy)] == [0.0, 0.0]
    clock.time += 0.1
    assert roster.charge_request(second) == pytest.approx(0.05)
    assert roster.charge_request(first, cost=10) == pytest.approx(0.55)
    assert [roster.charge_request(proxy) for _ in range(50)] == [0.0] * 50
    clock.time += 60
    roster.sweep()
    assert len(roster._requests) == 0


def test_one_address_has_its_own_limit_and_an_ipv6_network_is_one(clock: Clock) -> None:
    roster = Roster(at_most=0, per_address=2, now=clock)
    assert fill(roster, ["192.0.2.1"] * 3 + ["192.0.2.2"]) == [True, True, False, True]
    assert fill(roster, ["2001:db8::1", "2001:db8::2", "2001:db8::3"]) == [True, True, False]
    assert fill(roster, ["::ffff:192.0.2.1"]) == [False]


@pytest.mark.parametrize("peer", ["10.0.0.1", "::1", None, "a socket"])
def test_a_trusted_proxy_is_not_counted_by_its_address(clock: Clock, peer: str | None) -> None:
    assert fill(Roster(at_most=0, per_address=1, now=clock), [peer] * 3) == [True] * 3
    assert fill(Roster(at_most=2, per_address=1, now=clock), [peer] * 3) == [True, True, False]


def test_0_switches_a_limit_off(clock: Clock) -> None:
    roster = Roster(at_most=0, per_address=0, now=clock)
    assert all(fill(roster, ["192.0.2.1"] * 1000))
    assert len(roster) == 1000


def test_refusals_are_logged_once_a_minute(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    roster = Roster(at_most=0, per_address=1, now=clock)
    with caplog.at_level(logging.WARNING):
        fill(roster, ["192.0.2.1"] * 10)
        assert len(caplog.messages) == 1
        clock.time += 59.0
        fill(roster, ["192.0.2.1"])
        assert len(caplog.messages) == 1
        clock.time += 1.0
        fill(roster, ["192.0.2.1"])
    assert "LIMIT_CONNECTIONS_PER_ADDRESS" in caplog.messages[1]
    assert "9 more times" in caplog.messages[1]


def test_a_sweep_looks_at_each_connection_by_its_last_protocol(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        def check(self, now: float) -> None:
            raise ValueError

    roster = Roster(at_most=0, per_address=0, now=clock)
    first, refused = object(), object()
    before, after, other, refused_protocol = Checked(), Checked(), Checked(), Checked()
    broken: Any = Broken()
    roster.enter(first, before, None)
    roster.enter(object(), broken, None)
    roster.enter(object(), other, None)
    roster.hand_on(first, after)
    assert roster.add_refused(refused, refused_protocol, at_most=1)
    assert not roster.add_refused(object(), refused_protocol, at_most=1)
    roster.sweep()
    assert before.checks == []
    assert after.checks == other.checks == refused_protocol.checks == [1000.0]
    assert "Checking a connection failed" in caplog.text
    roster.leave(refused)
    roster.sweep()
    assert len(refused_protocol.checks) == 1


def test_that_there_are_no_descriptors_left_is_logged(
    clock: Clock, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    roster = Roster(at_most=0, per_address=0, now=clock)
    roster.sweep()
    assert not caplog.messages
    monkeypatch.setattr(module, "are_exhausted", lambda: True)
    roster.sweep()
    roster.sweep()
    assert caplog.messages == ["There are no file descriptors left (RLIMIT_NOFILE)."]
