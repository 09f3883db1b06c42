"""Rate limits of starts: in memory, and in a Redis that processes share."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import pytest_asyncio

from streaming.admission.rates import SKIP_SECONDS, StartRates
from streaming.admission.subjects import key_of
from streaming.errors import Refused
from streaming.limits import Allowance, Subject, Subjects, Whose
from tests.support.faults.redis_server import REDIS_BINARIES, RedisServer, running_redis


class Keys(NamedTuple):
    owner: str = ""
    address: str = ""


ADA, BOB, STRANGER = Keys("ada", "here"), Keys("bob", "here"), Keys("stranger", "there")


class Limited(StartRates):
    """Rates with the same limits for each owner and each address."""

    def __init__(self, *, hourly: int, owner: int, address: int, **wiring: Any) -> None:
        super().__init__(**wiring)
        self._allowed: dict[Whose, Allowance] = {
            "owner": Allowance(owner, hourly),
            "address": Allowance(address),
        }

    def subjects(self, keys: Keys) -> Subjects:
        named = zip(self._allowed.items(), keys, strict=True)
        return tuple(Subject(whose, key, allowed) for (whose, allowed), key in named if key)

    async def check(self, keys: Any) -> None:
        await super().check(self.subjects(keys))

    async def count(self, keys: Any) -> None:
        await super().count(self.subjects(keys))


MakeRates = Callable[..., Limited]


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with running_redis(tmp_path_factory.mktemp("redis"), next(iter(REDIS_BINARIES))) as server:
        yield server


@pytest_asyncio.fixture
async def make_rates() -> AsyncIterator[MakeRates]:
    made: list[Limited] = []

    def make(
        *,
        owner: int = 0,
        address: int = 0,
        hourly: int = 0,
        url: str = "",
        now: Callable[[], float] = time.monotonic,
    ) -> Limited:
        rates = Limited(
            hourly=hourly, owner=owner, address=address, url=url, prefix="test", now=now
        )
        made.append(rates)
        return rates

    yield make
    for rates in made:
        await rates.aclose()


@pytest.fixture(params=["memory", "redis"])
def url(request: pytest.FixtureRequest) -> str:
    if request.param == "memory":
        return ""
    server: RedisServer = request.getfixturevalue("redis")
    server.flush()
    return server.url


async def refusal_of(rates: Limited, keys: Keys) -> Refused:
    with pytest.raises(Refused) as refused:
        await rates.count(keys)
    assert refused.value.code == "rate_limited"
    return refused.value


async def test_a_start_beyond_the_rate_is_refused_and_others_are_not(
    make_rates: MakeRates, url: str
) -> None:
    rates = make_rates(owner=3, url=url)
    for _ in range(3):
        await rates.check(ADA)
        await rates.count(ADA)
    for refuse in (rates.check, rates.count):
        with pytest.raises(Refused, match="You started 3 answers within a minute"):
            await refuse(ADA)
    await rates.count(BOB)


async def test_an_hour_has_a_limit_of_its_own(
    make_rates: MakeRates, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now)
    rates = make_rates(owner=2, hourly=3, url=url)
    for _ in range(3):
        await rates.count(ADA)
        now += 60
    refused = await refusal_of(rates, ADA)
    assert refused.message == ("You started 3 answers within an hour. Please wait 57 minutes.")
    assert refused.retry_after_seconds == pytest.approx(3_420, abs=0.01)
    await rates.count(BOB)
    now += 3_421
    await rates.count(ADA)


async def test_an_address_has_a_rate_of_its_own(make_rates: MakeRates, url: str) -> None:
    rates = make_rates(owner=3, address=4, url=url)
    for _ in range(2):
        await rates.count(ADA)
        await rates.count(BOB)
    assert "from your network" in (await refusal_of(rates, ADA)).message
    await rates.count(STRANGER)


async def test_refused_starts_of_an_owner_do_not_count_towards_the_address(
    make_rates: MakeRates, url: str
) -> None:
    rates = make_rates(owner=2, address=5, url=url)
    counts = [rates.count(ADA) for _ in range(20)]  # all have passed the check
    results = await asyncio.gather(*counts, return_exceptions=True)
    assert results.count(None) == 2
    for name in ("bob", "cleo", "dan"):
        await rates.count(Keys(name, "here"))
    assert "from your network" in (await refusal_of(rates, BOB)).message


async def test_a_start_that_a_wider_limit_refuses_leaves_no_trace_in_the_nearer_ones(
    make_rates: MakeRates, url: str
) -> None:
    rates = make_rates(owner=3, hourly=4, address=2, url=url)
    for name in ("bob", "cleo"):
        await rates.count(Keys(name, "here"))
    for _ in range(5):
        assert "from your network" in (await refusal_of(rates, ADA)).message
    assert {count for _, _, count, _ in await rates.started(rates.subjects(ADA))} == {0, 2}
    for address in ("there", "home", "away"):
        await rates.count(Keys("ada", address))
    assert "You started 3 answers" in (await refusal_of(rates, ADA)).message


async def test_of_fifty_starts_at_once_ten_count_and_forty_leave_nothing_behind(
    make_rates: MakeRates, url: str
) -> None:
    limits = {"owner": 30, "hourly": 40, "address": 10}
    processes = [make_rates(**limits, url=url) for _ in range(2 if url else 1)]
    owners = [Keys(name, "here") for name in ("ada", "bob", "cleo", "dan", "eve")]
    counts = [
        processes[number % len(processes)].count(owner) for number in range(10) for owner in owners
    ]
    done = await asyncio.gather(*counts, return_exceptions=True)
    assert Counter(type(outcome) for outcome in done) == {type(None): 10, Refused: 40}
    rates = processes[0]
    used: Counter[tuple[str, str]] = Counter()
    for owner in owners:
        for whose, span, count, _ in await rates.started(rates.subjects(owner)):
            used[whose, span] += count
    assert used == {("owner", "minute"): 10, ("owner", "hour"): 10, ("address", "minute"): 50}


async def test_of_many_starts_at_once_no_more_get_through_than_the_limit(
    make_rates: MakeRates, url: str
) -> None:
    processes = [make_rates(owner=5, url=url) for _ in range(2 if url else 1)]
    starts = [process.count(ADA) for process in processes for _ in range(20)]
    done = await asyncio.gather(*starts, return_exceptions=True)
    assert [outcome for outcome in done if outcome is None] == [None] * 5
    assert all(outcome is None or isinstance(outcome, Refused) for outcome in done)


async def test_the_time_to_wait_is_true_and_no_border_lets_twice_the_limit_through(
    make_rates: MakeRates, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now)
    rates = make_rates(owner=2, url=url)
    await rates.count(ADA)
    now += 50
    await rates.count(ADA)
    wait = (await refusal_of(rates, ADA)).retry_after_seconds
    assert wait == pytest.approx(10, abs=0.01)
    now += wait - 0.01
    await refusal_of(rates, ADA)
    now += 0.01
    await rates.count(ADA)
    wait = (await refusal_of(rates, ADA)).retry_after_seconds  # the one after 50 s still counts
    assert wait == pytest.approx(50, abs=0.01)


async def test_of_two_limits_the_one_with_the_longer_wait_is_reported(
    make_rates: MakeRates, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now)
    rates = make_rates(owner=1, address=2, url=url)
    await rates.count(BOB)
    now += 20
    await rates.count(ADA)
    now += 10
    # Bob's start frees a place for the address after 30 s, Ada's own frees hers after 50 s.
    refused = await refusal_of(rates, ADA)
    assert refused.retry_after_seconds == pytest.approx(50, abs=0.01)
    assert refused.message.startswith("You started 1 answer")
    now += 50.1
    await rates.count(ADA)


async def test_in_memory_a_key_is_let_go_of_when_its_minute_is_over(
    make_rates: MakeRates, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now)
    rates = make_rates(owner=2, address=9)
    await rates.count(ADA)
    now += 40
    await rates.count(BOB)
    await rates.sweep()
    assert len(rates._storage.events) == 3  # type: ignore[union-attr]
    now += 30
    await rates.sweep()
    assert len(rates._storage.events) == 2  # type: ignore[union-attr]
    await rates.count(BOB)
    await refusal_of(rates, BOB)


async def test_in_memory_a_start_looks_at_no_keys_of_others(
    make_rates: MakeRates, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates, looked = make_rates(owner=1), []
    monkeypatch.setattr(asyncio, "to_thread", lambda *args: looked.append(args))
    for number in range(5):
        await rates.count(Keys(owner=str(number)))
        await asyncio.sleep(0)
    assert looked == []


async def test_in_memory_a_start_begins_no_task_and_never_waits(make_rates: MakeRates) -> None:
    rates = make_rates(owner=2, hourly=3, address=9)
    for limit in (rates.check, rates.count):
        with pytest.raises(StopIteration):  # its first step is its last
            limit(ADA).send(None)


async def test_what_is_checked_or_refused_does_not_count(make_rates: MakeRates, url: str) -> None:
    rates = make_rates(owner=1, url=url)
    for _ in range(3):
        await rates.check(ADA)
    await rates.count(ADA)
    first = (await refusal_of(rates, ADA)).retry_after_seconds
    for _ in range(3):
        await refusal_of(rates, ADA)
    last = (await refusal_of(rates, ADA)).retry_after_seconds
    assert first is not None and last is not None
    assert last <= first


async def test_zero_switches_a_limit_off_and_who_has_no_key_is_not_counted(
    make_rates: MakeRates, url: str
) -> None:
    off, on = make_rates(url=url), make_rates(owner=1, address=1, url=url)
    for _ in range(3):
        await off.count(ADA)
        await on.count(Keys())


@pytest.mark.parametrize(
    "address",
    [
        "redis://localhost",
        "redis://:x@[::1]:6379/3",
        "rediss://user:p%2Fw@example.com:6380/2?ssl_cert_reqs=none",
        "unix:///run/redis.sock?db=1",
    ],
)
async def test_every_address_that_the_event_log_takes_will_do(
    make_rates: MakeRates, address: str
) -> None:
    make_rates(owner=1, url=address)


async def test_while_redis_is_unreachable_starts_are_not_limited_and_one_line_says_so(
    make_rates: MakeRates, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    now = 0.0
    with running_redis(tmp_path) as server:
        rates = make_rates(owner=1, url=server.url, now=lambda: now)
        await rates.count(ADA)
        server.kill()
        for _ in range(3):
            await rates.check(ADA)
            await rates.count(ADA)
        now += SKIP_SECONDS
        await rates.count(ADA)
        (line,) = [record.message for record in caplog.records if "rate" in record.message]
        assert "Redis can't be reached" in line
        server.start()
        now += SKIP_SECONDS
        await rates.count(ADA)
        await refusal_of(rates, ADA)


async def test_a_redis_that_does_not_answer_holds_a_start_up_once(
    make_rates: MakeRates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_redis(tmp_path) as server:
        rates = make_rates(owner=1, url=server.url, now=lambda: 0.0)
        await rates.count(ADA)
        server.stop()
        monkeypatch.setattr("streaming.admission.rates.LIMIT_SECONDS", 0.05)
        asked = []
        hit_all = rates._together.hit_all

        async def count_asked(*args: Any) -> list[bool]:
            asked.append(args)
            return await hit_all(*args)

        monkeypatch.setattr(rates._together, "hit_all", count_asked)
        for _ in range(5):
            await rates.count(ADA)
        server.cont()
    assert len(asked) == 1


async def test_no_address_is_kept_in_redis(make_rates: MakeRates, redis: RedisServer) -> None:
    redis.flush()
    rates = make_rates(owner=1, address=1, url=redis.url)
    await rates.count(Keys(key_of("anonymous:x"), key_of("address:203.0.113.7")))
    keys = [str(key) for key in redis.client().keys("*")]
    assert len(keys) == 2
    assert all(key.startswith("test:starts") for key in keys)
    assert not any("203.0.113.7" in key or "anonymous" in key for key in keys)
    assert all(0 < redis.client().ttl(key) <= 60 for key in keys)


async def test_a_key_that_never_rests_keeps_no_more_than_its_window(
    make_rates: MakeRates, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates = make_rates(owner=10)
    began = time.time()
    for minute in range(5):
        monkeypatch.setattr(time, "time", lambda minute=minute: began + 61 * minute)
        for _ in range(10):
            await rates.count(ADA)
        await rates.sweep()
    (entries,) = rates._storage.events.values()
    assert len(entries) == 10
