"""The comparison's peers, their source, and the client that reads all of them."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import pytest

from benchmarks.comparison.memory import is_open
from benchmarks.load.client import Connection, Watched, ask_to_start
from benchmarks.load.lag import Lag
from benchmarks.load.metered import measure
from benchmarks.load.prompts import prompt_of, script_of
from benchmarks.peers.source import Asked, Event, events
from blocks.providers.base import ChatRequest, Message
from blocks.providers.script import Clock, Pause, parse_script

ROOT = Path(__file__).resolve().parent.parent.parent
MS = 1_000_000  # in ns


def _watched(*pieces: tuple[bytes, int]) -> Watched:
    return Watched([piece for piece, _ in pieces], [at for _, at in pieces])


# --- prompts and peers --------------------------------------------------------------------


def test_a_prompt_says_the_same_to_a_peer_and_to_our_script() -> None:
    prompt = prompt_of(250, 33.3, pause_ms=800)
    assert Asked.in_prompt(prompt) == Asked(250, pytest.approx(0.0333), 0.8, "")
    script = parse_script(script_of([prompt_of(1250, 33.3), prompt]), model="bench")
    request = ChatRequest([Message("user", prompt)], temperature=0, max_tokens=1)
    reply = next(reply for reply in script.replies if reply.fits(request))
    pause, clock = reply.takes[0]
    assert isinstance(pause, Pause) and pause.seconds == pytest.approx(0.8)
    assert isinstance(clock, Clock) and clock.times == 250
    assert clock.every_seconds == pytest.approx(0.0333)


def test_a_prompt_without_tokens_is_refused() -> None:
    with pytest.raises(ValueError, match="n250e20"):
        Asked.in_prompt("Why is the sky blue?")


async def test_a_source_sends_each_token_with_its_due_time_and_then_the_end() -> None:
    began = time.monotonic_ns()
    found = [event async for event in events(prompt_of(3, 5, pause_ms=10), lambda event: event)]
    assert [(event.type, event.seq) for event in found] == [
        ("chunk", 0), ("chunk", 1), ("chunk", 2), ("complete", 3)
    ]  # fmt: skip
    dues = [int(event.token) for event in found[:-1]]
    assert dues[0] - began >= 14 * MS and dues[2] - dues[0] == pytest.approx(10 * MS, abs=2)


async def test_viewers_of_a_channel_share_one_source() -> None:
    encoded: list[Event] = []

    def encode(event: Event) -> Event:
        encoded.append(event)
        return event

    async def view(channel: int) -> list[Event]:
        prompt = prompt_of(2, 1, pause_ms=20, channel=channel)
        return [event async for event in events(prompt, encode)]

    first, second, other = await asyncio.gather(view(1), view(1), view(2))
    assert first == second and len(first) == 3
    assert len(other) == 3 and len(encoded) == 6


def test_a_peers_event_is_the_json_of_ours() -> None:
    assert json.loads(Event("chunk", 4, "12 ").json()) == {
        "type": "chunk", "stream_id": "0123456789abcdefghijkl", "seq": 4, "token": "12 "
    }  # fmt: skip
    assert "token" not in Event("complete", 5, "").json()


def test_peers_run_on_the_versions_that_we_run_on() -> None:
    def pins(name: str) -> dict[str, str]:
        lines = (ROOT / name).read_text().splitlines()
        pairs = [line.partition(";")[0].split("==") for line in lines if "==" in line]
        return {name.strip().lower(): version.strip() for name, version in pairs}

    ours, peers = pins("requirements.txt"), pins("benchmarks/peers/requirements.txt")
    shared = set(ours) & set(peers)
    assert {"uvicorn", "uvloop", "httptools", "django", "daphne", "websockets"} <= shared
    assert {name: peers[name] for name in shared} == {name: ours[name] for name in shared}


def test_the_client_reads_our_events_and_those_of_the_ai_sdk() -> None:
    ours = _watched((b'{"seq":1,"first_seq":0,"token":"5 6 "}', 9), (b'{"seq":2,"token":"7 "}', 11))
    assert list(ours.arrivals()) == [(0, 5, 9), (1, 6, 9), (2, 7, 11)]
    delta = b'data: {"type":"text-delta","id":"text","delta":"%d "}\n\n'
    theirs = _watched((delta % 5, 6), (delta % 7 + delta % 8, 9))
    assert list(theirs.arrivals()) == [(0, 5, 6), (1, 7, 9), (2, 8, 9)]


def test_both_transports_carry_the_prompt() -> None:
    assert b"prompt=n1e0. HTTP/1.1" in ask_to_start("sse", 1, "n1e0.").request
    assert b'"prompt": "n1e0."' in ask_to_start("websocket", 1, "n1e0.").frame


async def test_the_meter_finds_a_pause_of_the_loop(tmp_path: Path) -> None:
    path = str(tmp_path / "meter")
    async with await asyncio.start_unix_server(measure, path):
        meter = Lag(path)
        async with meter:
            await asyncio.sleep(0.03)
            time.sleep(0.08)
            await asyncio.sleep(0.03)
    assert max(meter.late_ms) >= 70
    assert len(meter.late_ms) >= 3


@pytest.mark.parametrize(
    ("data", "has_ended", "expected"),
    [
        (b"HTTP/1.1 200 OK", False, True),
        (b"HTTP/1.1 101 Switching Protocols", False, True),
        (b"", False, True),  # Daphne
        (b"", True, False),
        (b"HTTP/1.1 503 Service Unavailable", False, False),
    ],
)
async def test_an_idle_stream_is_open_until_the_server_refuses_or_ends_it(
    data: bytes, has_ended: bool, expected: bool
) -> None:
    connection = Connection(ask_to_start("sse", 1, "n1e0."))
    if data:
        connection.data_received(data)
    if has_ended:
        connection.connection_lost(None)
    assert is_open(connection) is expected
