"""Public keys of an issuer: rotation, withdrawal, and a key server that fails or hangs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
import pytest_asyncio

from streaming.access.signed_tokens import key_set as key_sets
from streaming.access.signed_tokens.fetching import DOCUMENT_BYTES, fetch_document
from streaming.access.signed_tokens.key_set import (
    FRESH_SECONDS,
    INTERVAL_SECONDS,
    KEPT_SECONDS,
    RENEW_SECONDS,
    WAITING_AT_MOST,
    KeySet,
    keys_of,
)
from streaming.errors import Refused, UnknownKey
from tests.support.key_server import EC_KEY, KeyServer, key_server, key_set, public


class Host:
    """A key server as the test wants it, and a clock."""

    def __init__(self) -> None:
        self.now, self.calls = 0.0, 0
        self.answer: bytes | Exception = key_set(public("one"))
        self.gate = asyncio.Event()
        self.gate.set()

    async def fetch(self, url: str) -> bytes:
        self.calls += 1
        await self.gate.wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def host() -> Host:
    return Host()


@pytest_asyncio.fixture
async def keys(host: Host) -> AsyncIterator[KeySet]:
    made = KeySet("https://host.example/keys", fetch=host.fetch, now=lambda: host.now)
    yield made
    await made.aclose()


async def found(keys: KeySet, kid: str) -> bool:
    await keys.prepare(kid, "RS256")
    return keys.find(kid, "RS256") is not None


async def refused(keys: KeySet, kid: str) -> Refused:
    with pytest.raises(Refused) as refusal:
        await found(keys, kid)
    assert refusal.value.code == "store_unavailable"
    return refusal.value


async def test_a_new_key_is_found_and_a_withdrawn_one_lasts_for_minutes(
    host: Host, keys: KeySet
) -> None:
    assert await found(keys, "one")
    host.answer = key_set(public("two"))
    host.now += INTERVAL_SECONDS
    assert await found(keys, "two")
    host.now += INTERVAL_SECONDS
    assert not await found(keys, "one")
    assert host.calls == 3


async def test_a_token_of_a_new_key_is_told_when_the_keys_may_be_read_again(
    host: Host, keys: KeySet
) -> None:
    assert await found(keys, "one")
    host.answer = key_set(public("one"), public("two"))
    host.now += INTERVAL_SECONDS - 3
    refusal = await refused(keys, "two")
    assert isinstance(refusal, UnknownKey)
    assert refusal.retry_after_seconds == 3
    host.now += refusal.retry_after_seconds
    assert await found(keys, "two")
    host.now += INTERVAL_SECONDS
    assert not await found(keys, "three")
    assert not await found(keys, "three"), "it is not asked for again and again"
    assert host.calls == 3


async def test_keys_in_use_are_read_again_beside_the_requests(host: Host, keys: KeySet) -> None:
    assert await found(keys, "one")
    host.answer = key_set(public("two"))
    host.now += RENEW_SECONDS
    host.gate.clear()
    assert await found(keys, "one"), "nobody waits for a key that is known and fresh"
    host.gate.set()
    await keys._tasks.ended(5)
    assert not await found(keys, "one")
    assert host.calls == 2


@pytest.mark.parametrize("seconds", [FRESH_SECONDS, KEPT_SECONDS - 1])
async def test_a_withdrawn_key_is_not_accepted_by_the_first_request_after_a_quiet_time(
    host: Host, keys: KeySet, seconds: float
) -> None:
    assert await found(keys, "one")
    host.answer = key_set(public("two"))
    host.now += seconds
    host.gate.clear()
    asked = [asyncio.create_task(found(keys, "one")) for _ in range(WAITING_AT_MOST + 1)]
    (first,), held = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
    assert len(held) == WAITING_AT_MOST
    with pytest.raises(Refused, match="can't be read"):
        await first
    host.gate.set()
    assert await asyncio.gather(*held) == [False] * WAITING_AT_MOST
    assert host.calls == 2


async def test_old_keys_count_while_the_server_is_too_slow(
    host: Host, keys: KeySet, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await found(keys, "one")
    host.now += FRESH_SECONDS
    host.gate.clear()
    monkeypatch.setattr(key_sets, "WAIT_SECONDS", 0.01)
    assert await found(keys, "one")
    assert host.calls == 2


async def test_tokens_with_invented_keys_cause_one_fetch_in_an_interval(
    host: Host, keys: KeySet
) -> None:
    assert await found(keys, "one")
    for number in range(60):
        host.now += INTERVAL_SECONDS / 50
        with suppress(UnknownKey):
            assert not await found(keys, f"invented {number}")
    assert host.calls == 2


async def test_while_the_server_fails_known_keys_count_and_nobody_knows_others(
    host: Host, keys: KeySet
) -> None:
    host.answer = OSError("down")
    assert (await refused(keys, "one")).retry_after_seconds
    assert host.calls == 1
    await refused(keys, "one")
    assert host.calls == 1, "not before the interval is over"
    host.answer = key_set(public("one"))
    host.now += INTERVAL_SECONDS
    assert await found(keys, "one")
    host.answer = OSError("down")
    host.now += KEPT_SECONDS - 1
    assert await found(keys, "one")
    await keys._tasks.ended(5)
    await refused(keys, "two")
    host.now += 2
    await refused(keys, "one")


async def test_a_server_that_hangs_holds_few_requests_and_these_not_for_long(
    host: Host, keys: KeySet, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.gate.clear()
    waiting = [asyncio.create_task(keys.prepare("one", "RS256")) for _ in range(20)]
    done, held = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    assert (len(done), len(held)) == (20 - WAITING_AT_MOST, WAITING_AT_MOST)
    host.gate.set()
    await asyncio.gather(*held)
    assert host.calls == 1
    assert await found(keys, "one")
    host.gate.clear()
    host.now += INTERVAL_SECONDS
    monkeypatch.setattr(key_sets, "WAIT_SECONDS", 0.01)
    await refused(keys, "two")


async def test_a_fetch_that_takes_too_long_is_given_up(
    host: Host, keys: KeySet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_sets, "FETCH_SECONDS", 0.01)
    host.gate.clear()
    await refused(keys, "one")
    assert not keys._tasks
    host.gate.set()
    host.now += INTERVAL_SECONDS
    assert await found(keys, "one")


@pytest.mark.parametrize(
    "document",
    [b"", b"no", b"[]", b'{"keys": 1}', b"\xff", b"[" * 60_000, b'{"keys": {"a": 1}}', b"null"],
)
async def test_what_is_no_key_set_is_a_failure(host: Host, keys: KeySet, document: bytes) -> None:
    host.answer = document
    await refused(keys, "one")


def test_only_keys_that_sign_tokens_count() -> None:
    small = {"kty": "RSA", "kid": "small", "n": "AQAB", "e": "AQAB"}
    entries = [
        public("one"),
        public("ec", EC_KEY),
        *(small, None, [], 1, {}, {"kty": "oct", "kid": "shared", "k": "AAAA"}),
        public("one", kid="for encryption", use="enc"),
        public("one", kid="PS256", alg="PS256"),
        public("one", kid=7),
        public("one", kid=""),
        public("one", kid="k" * 201),
        public("one", kid="private", d="AQAB"),
        public("ec", EC_KEY, kid="bad point", x="AAAA"),
        public("one", kid="no number", n="ä"),
    ]
    assert set(keys_of(key_set(*entries))) == {("one", "RS256"), ("ec", "ES256")}
    many = [public("one", kid=f"{number}") for number in range(60)]
    assert len(keys_of(key_set(*many))) == 50


# --- over HTTP -------------------------------------------------------------------------------


@pytest_asyncio.fixture
async def server() -> AsyncIterator[KeyServer]:
    with key_server() as shown:
        yield shown


async def test_a_document_is_read_and_anything_else_is_an_error(server: KeyServer) -> None:
    assert await fetch_document(server.url) == key_set(public("one"))
    server.pieces = [b"x" * DOCUMENT_BYTES, b"x"]
    with pytest.raises(ValueError, match="too long"):
        await fetch_document(server.url)
    for status in (404, 500, 204):
        server.status, server.pieces = status, []
        with pytest.raises(OSError, match=f"status {status}"):
            await fetch_document(server.url)
    server.status, server.location = 302, server.url
    with pytest.raises(OSError, match="status 302"):
        await fetch_document(server.url)
    with pytest.raises(OSError, match="ConnectError"):
        await fetch_document("http://127.0.0.1:1/keys")


async def test_a_body_that_trickles_is_given_up_in_time(
    server: KeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_sets, "FETCH_SECONDS", 0.2)
    server.gate.clear()
    keys = KeySet(server.url, fetch=fetch_document, now=lambda: 0.0)
    await refused(keys, "one")
    assert (server.calls, len(keys._tasks)) == (1, 0)
    await keys.aclose()
