"""The interval between rounds follows the load, and settles."""

from __future__ import annotations

import pytest

from streaming.loop.pace import Pace

LEAST, MOST = 0.016, 0.1


class Machine:
    """A clock, and the CPU time of a process whose work depends on the interval.

    Args:
        quick: the share of a core that the process takes with the shortest rounds.
        slow: the same with the longest rounds.
    """

    def __init__(self, quick: float, slow: float) -> None:
        self.time = self.used = 0.0
        self.quick, self.slow = quick, slow
        self.pace = Pace(
            least_seconds=LEAST, most_seconds=MOST, now=lambda: self.time, cpu=lambda: self.used
        )
        self.seconds = LEAST

    def run(self, seconds: float) -> list[float]:
        """Run rounds for that long; returns the intervals."""
        intervals = []
        until = self.time + seconds
        while self.time < until:
            part = (self.seconds - LEAST) / (MOST - LEAST)
            self.used += self.seconds * (self.quick + (self.slow - self.quick) * part)
            self.time += self.seconds
            self.seconds = self.pace.seconds()
            intervals.append(self.seconds)
        return intervals


def test_below_a_third_of_a_core_rounds_stay_short() -> None:
    assert set(Machine(0.33, 0.2).run(10)) == {LEAST}


def test_a_full_core_has_the_longest_rounds() -> None:
    assert Machine(1.0, 0.95).run(10)[-1] == MOST


@pytest.mark.parametrize("quick", [0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
@pytest.mark.parametrize("saving", [0.0, 0.3, 0.5, 0.7])
def test_between_them_the_interval_settles(quick: float, saving: float) -> None:
    machine = Machine(quick, quick * (1 - saving))
    machine.run(8)
    settled = machine.run(5)
    assert max(settled) - min(settled) < 0.002
    assert LEAST < settled[-1] <= MOST


def test_when_the_load_goes_the_interval_is_short_again_within_two_seconds() -> None:
    machine = Machine(1.0, 0.95)
    machine.run(5)
    machine.quick = machine.slow = 0.1
    assert machine.run(2)[-1] == LEAST


def test_a_short_burst_after_a_long_rest_changes_little() -> None:
    machine = Machine(0.05, 0.05)
    machine.run(5)
    machine.quick = machine.slow = 1.0
    assert machine.run(0.11)[-1] < 0.03


def test_the_longest_interval_may_be_shorter_than_the_least() -> None:
    assert Pace(least_seconds=LEAST, most_seconds=0.0).seconds() == LEAST
