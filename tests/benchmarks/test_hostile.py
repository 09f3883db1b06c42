"""The hostile visitor, the honest visitor, and the goals of the benchmark."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator
from dataclasses import replace

import pytest

from benchmarks import hostile as benchmark
from benchmarks.hostile import QUIET, Found, Row, rounded, row_of, shortfalls
from benchmarks.load import hostile_accounts, hostile_doors, hostile_requests, hostile_streams
from benchmarks.load.besieged import Service, besieged
from benchmarks.load.honest import Sample
from benchmarks.load.hostile import ATTACKS, attack_for
from benchmarks.load.siege import Target
from tests.support.servers.harness import eventually

SMALL = {
    "PLAIN_CALLS": 5,
    "SLASHES": (100,),
    "SEARCHES": (2, 3),
    "CANCEL_FRAMES": 20,
    "ENDLESS_BYTES": 100_000,
    "SLOW_HEADERS": 3,
    "HALF_BODIES": 3,
    "UNREAD_FILES": 3,
    "HELD_STARTS": 3,
    "SIGN_INS": 1,
    "SIGN_INS_BY_EMAIL": 1,
    "SIGN_UPS": 1,
    "RESETS": 1,
    "INVITATIONS": 2,
    "BAD_FORMS": 2,
    "CONFIGS": 2,
    "STARTS_AND_STOPS": 2,
    "UNREAD_ANSWERS": 3,
    "DIALECT_STARTS": 2,
    "HELD_ANSWERS": 3,
    "UNREAD_DIALECTS": 3,
    "CHAT_GUESSES": 2,
    "FORGED_TOKENS": 2,
}


MODULES = (hostile_accounts, hostile_doors, hostile_requests, hostile_streams)


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with besieged(1) as service:
        yield service


@pytest.mark.parametrize("name", ATTACKS)
async def test_an_attack_counts_what_it_meets_and_leaves_nothing_when_it_is_cancelled(
    name: str, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    for constant, value in SMALL.items():
        (module,) = (module for module in MODULES if hasattr(module, constant))
        monkeypatch.setattr(module, constant, value)
    target = Target(service.ports, service.file, service.search_cookie)
    before = asyncio.all_tasks()
    attack = asyncio.ensure_future(ATTACKS[name](target))
    try:
        await eventually(lambda: target.met.total() > 0 or attack.done())
    finally:
        attack.cancel()
    with pytest.raises(asyncio.CancelledError):
        await attack
    assert not any(words.startswith("can't connect") for words in target.met), target.met
    assert asyncio.all_tasks() == before


async def test_an_attack_is_bounded_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    async def knock(target: Target) -> None:
        target.met["knocked"] += 1
        await asyncio.Event().wait()

    monkeypatch.setitem(ATTACKS, "knock", knock)
    assert await attack_for(0.01, "knock", Target([1])) == {"knocked": 1}


def test_a_visitor_is_not_hindered_by_a_small_attack(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Runs the whole benchmark, but shortened."""
    for constant, value in {"SECONDS": 3.0, "QUIET_SECONDS": 3.0, "LATER_SECONDS": 0.0}.items():
        monkeypatch.setattr(benchmark, constant, value)
    found = benchmark.measure(service, ["half bodies"])
    assert list(found.rows) == [QUIET, "half bodies"]
    quiet = found.rows[QUIET]
    assert quiet.calls >= 10 and quiet.starts >= 1 and quiet.failures == {}
    assert found.rows["half bodies"].met["begun"] > 0
    assert quiet.peak_mib > 0 and found.before_mib[0] > 0 and len(found.after_mib) == 1


def test_a_row_counts_what_failed_and_how_long_it_was_waited_for() -> None:
    samples = [Sample("plain", number, number) for number in range(100)]
    samples += [Sample("plain", 0, 3_000, "500"), Sample("sse", 0, 20), Sample("websocket", 0, 30)]
    row = row_of(samples, peak_mib=1, settled_after_seconds=2, met={"200": 3})
    assert (row.calls, row.plain_p99_ms, row.plain_worst_ms) == (101, 99, 3_000)
    assert (row.starts, row.start_worst_ms) == (2, 30)
    assert (row.failures, row.met) == ({"plain: 500": 1}, {"200": 3})


GOOD = Row(50, 20.0, 500.0, 4, 300.0, {}, 120.0, 0.5, {"429": 7})


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (GOOD, []),
        (
            replace(GOOD, plain_worst_ms=501.0),
            ["slashes: a plain call took 501 ms; the limit is 500"],
        ),
        (
            replace(GOOD, start_worst_ms=301.0),
            ["slashes: a first token took 301 ms; the limit is 300"],
        ),
        (replace(GOOD, failures={"sse: 503": 2}), ["slashes: 2 x sse: 503"]),
    ],
)
def test_what_misses_its_goal_is_said_in_words(row: Row, words: list[str]) -> None:
    assert shortfalls(Found({"slashes": row}, [100.0], [150.0], 0)) == words


def test_an_attack_in_which_nobody_started_anything_misses_the_goal() -> None:
    row = row_of([], peak_mib=1, settled_after_seconds=1, met={})
    found = Found({"slashes": row}, [100.0], [100.0], 0)
    assert len(shortfalls(found)) == 2
    assert rounded(found)["rows"]["slashes"]["start_worst_ms"] is None
    assert math.isinf(row.start_worst_ms)


def test_each_process_may_grow_by_fifty_mib() -> None:
    short = shortfalls(Found({}, [100.0, 100.0], [150.0, 151.0], 0))
    assert short == ["a process grew from 100 to 151 MiB; the limit is a growth of 50"]
