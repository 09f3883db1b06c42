"""Full garbage collections wait for a quiet moment, but not for ever."""

from __future__ import annotations

from streaming.serving.collector import GROWN, LATEST_SECONDS, QUIET_SHARE, Collector


class Machine:
    """A process whose clocks and collections the test moves."""

    def __init__(self) -> None:
        self.now = self.cpu = 0.0
        self.middle = self.full = 0
        self.collector = Collector(
            now=lambda: self.now,
            cpu=lambda: self.cpu,
            collected=lambda: self.middle,
            collect=self._collect,
        )

    def _collect(self) -> None:
        self.full += 1

    def second(self, share: float) -> None:
        self.now += 1
        self.cpu += share
        self.collector.tick()


def test_a_busy_process_collects_later() -> None:
    machine = Machine()
    machine.middle = GROWN
    for _ in range(100):
        machine.second(QUIET_SHARE + 0.1)
    assert machine.full == 0
    machine.second(QUIET_SHARE - 0.1)
    assert machine.full == 1


def test_what_has_not_grown_is_not_collected() -> None:
    machine = Machine()
    machine.middle = GROWN - 1
    machine.second(0.0)
    assert machine.full == 0
    machine.middle = GROWN
    machine.second(0.0)
    machine.middle = 2 * GROWN - 1
    machine.second(0.0)
    assert machine.full == 1


def test_a_process_that_is_never_quiet_collects_at_last() -> None:
    machine = Machine()
    machine.middle = GROWN
    for _ in range(int(LATEST_SECONDS) - 1):
        machine.second(1.0)
    assert machine.full == 0
    machine.second(1.0)
    assert machine.full == 1
