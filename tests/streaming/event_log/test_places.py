"""Places that two processes count together in one Redis."""

from __future__ import annotations

from typing import Any

from streaming.access.visitor import Visitor
from streaming.admission.sockets import SocketPlaces
from streaming.event_log.redis.places import HELD_SECONDS, RedisPlaces
from tests.streaming.event_log.conftest import MakeLog
from tests.support.streaming.redis_logs import ProcessLog, RedisClock

ADA = Visitor("user:1", 1, "s", "192.0.2.1")


def places_of(log: ProcessLog, process_id: str, **bounds: int) -> SocketPlaces:
    return SocketPlaces(
        **{"per_owner": 3, "per_address": 0, **bounds}, process_id=process_id, shared=log.places()
    )


async def test_two_processes_share_the_places_of_one(here: ProcessLog, make_log: MakeLog) -> None:
    one, two = places_of(here, "one"), places_of(await make_log(), "two")
    first = await one.take(ADA)
    assert first is not None
    assert await two.take(ADA)
    assert await two.take(ADA)
    assert await one.take(ADA) is None
    assert await two.take(ADA) is None
    await first.give_back()
    assert await two.take(ADA)
    assert await one.take(ADA) is None


async def test_who_is_refused_by_one_bound_takes_no_place_under_the_other(
    here: ProcessLog,
) -> None:
    one = places_of(here, "one", per_address=1, per_owner=2)
    place = await one.take(ADA)
    assert place is not None
    elsewhere = places_of(here, "two", per_address=1, per_owner=2)
    for _ in range(5):
        assert await elsewhere.take(ADA) is None
    await place.give_back()
    assert await elsewhere.take(ADA)


async def test_a_process_that_was_killed_holds_its_places_for_a_while_and_a_living_one_on(
    here: ProcessLog, make_log: MakeLog, clock: RedisClock
) -> None:
    killed, living = places_of(here, "killed"), places_of(await make_log(), "living")
    assert await killed.take(ADA)
    assert await killed.take(ADA)
    assert await living.take(ADA)
    await clock.advance(HELD_SECONDS - 1)
    await living.keep()
    assert await living.take(ADA) is None
    await clock.advance(2)
    assert await living.take(ADA)
    assert await living.take(ADA)
    assert await living.take(ADA) is None


async def test_places_that_redis_lost_are_taken_again_at_the_next_renewal(
    here: ProcessLog, server: Any
) -> None:
    one, two = places_of(here, "one", per_owner=1), places_of(here, "two", per_owner=1)
    assert await one.take(ADA)
    server.flush()
    await one.keep()
    assert await two.take(ADA) is None


async def test_no_owner_and_no_address_stands_in_a_key(here: ProcessLog, server: Any) -> None:
    assert await places_of(here, "one", per_address=5).take(ADA)
    keys = server.client().keys("*sockets*")
    assert len(keys) == 2
    assert not any("user:1" in key or "192.0.2" in key for key in keys)


def test_the_key_of_another_prefix_is_another() -> None:
    async def run(*command: Any) -> None:
        """Do nothing."""

    names = {RedisPlaces(run, prefix=prefix)._name("x") for prefix in ("a", "b")}
    assert len(names) == 2
