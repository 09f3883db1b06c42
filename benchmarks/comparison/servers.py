"""The servers that are compared: how each one starts, and what it can do."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.servers.harness import NO_LIMITS

from ..load import client
from ..load.client import Ask, Transport
from ..load.lag import METERED
from ..load.prompts import script_of
from ..load.servers import ROOT, Server, free_port, running, scripted_server
from .environments import FOLDER, node, peers_python

NO_REFUSALS = dict.fromkeys(NO_LIMITS, "1000000") | {
    "LIMIT_ANONYMOUS_SHARE": "100",
    "LIMIT_ANONYMOUS_SHARE_PER_ADDRESS": "100",
    "STREAM_MAX_WAITING": "0",
    "LIMIT_TOKENS_PER_DAY": "1000000000000",
    "LIMIT_TOKENS_PER_MONTH": "1000000000000",
    "LIMIT_ANONYMOUS_TOKENS_PER_DAY": "1000000000000",
    "LIMIT_ANONYMOUS_TOKENS_PER_DAY_PER_ADDRESS": "1000000000000",
    "LIMIT_CONNECTIONS": "10000",
    "LIMIT_CONNECTIONS_PER_ADDRESS": "10000",
}
"""The limits count, as in production, but one address may start the whole load."""

OURS = "liveai"
HELD = "liveai-held"
RAW = "raw"
FASTAPI = "fastapi"
HELD_MS = "100"

GOAL_SERVERS = (OURS, HELD, RAW, FASTAPI)
"""The servers that goals refer to."""


@dataclass(frozen=True)
class Kind:
    """One server program of the comparison."""

    name: str
    label: str
    transports: tuple[Transport, ...] = ("sse",)
    loads: tuple[str, ...] = ()
    """The loads that it takes part in; empty: in all."""


KINDS = {
    kind.name: kind
    for kind in (
        Kind(OURS, "liveai", ("sse", "websocket")),
        Kind(HELD, "liveai, rounds held at 100 ms", ("sse", "websocket"), loads=("fanout",)),
        Kind(RAW, "raw ASGI", ("sse", "websocket")),
        Kind(FASTAPI, "FastAPI"),
        Kind("sse-starlette", "sse-starlette"),
        Kind("django", "Django on uvicorn"),
        Kind("daphne", "Django on Daphne"),
        Kind("ai-sdk", "AI SDK, `createUIMessageStream`"),
        Kind("ai-sdk-model", "AI SDK, `streamText`", loads=("200x50", "lone", "opens")),
    )
}


@dataclass(frozen=True)
class Started:
    """A running server of the comparison."""

    kind: Kind
    server: Server
    lag_socket: str = ""
    """The meter of its loop's lag (`load/lag.py`); empty if it has none."""

    def ask(self, transport: Transport, prompt: str) -> Ask:
        return client.ask_to_start(transport, self.server.port, prompt)


def names_of(given: Iterable[str]) -> list[str]:
    """Return the names of servers that can run here, in the order of the tables."""
    can_run = [name for name in given if not name.startswith("ai-sdk") or node()]
    return [name for name in KINDS if name in can_run]


@contextmanager
def started(
    names: Iterable[str], *, core: int | None, prompts: Sequence[str], streams: int
) -> Iterator[dict[str, Started]]:
    """Start servers that idle on one core until a client comes.

    Args:
        core: the servers' core, or None for any.
        prompts: what our server must know how to answer; peers understand any prompt.
        streams: the maximum of streams that one server runs at a time.
    """
    FOLDER.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-"))
        found = {}
        for name in names:
            lag = str(Path(folder) / name) if name in (OURS, RAW) else ""
            if name in (OURS, HELD):
                held = ("-m", "benchmarks.load.held_rounds", HELD_MS)
                server = stack.enter_context(
                    scripted_server(
                        core,
                        script_of(prompts),
                        streams=streams,
                        program=(
                            held if name == HELD else (*METERED, lag, str(ROOT / "manage.py"))
                        ),
                        limits=NO_REFUSALS,
                    )
                )
            else:
                port = free_port()
                command = _command(name, port, lag)
                log = stack.enter_context((FOLDER / f"{name}.log").open("wb"))
                server = stack.enter_context(
                    running(command, dict(os.environ), port, core, stderr=log)
                )
            found[name] = Started(KINDS[name], server, lag)
        yield found


def _command(name: str, port: int, lag: str) -> list[str]:
    match name:
        case "raw":
            return [sys.executable, *METERED, lag, "benchmarks.peers.raw_asgi", str(port)]
        case "daphne":
            app = "benchmarks.peers.django_app:application"
            return [peers_python(), "-m", "daphne", "-v0", "-p", str(port), app]
        case "ai-sdk" | "ai-sdk-model":
            mode = ["model"] if name == "ai-sdk-model" else []
            program = ROOT / "benchmarks" / "peers" / "ai_sdk" / "server.mjs"
            return [node(), str(program), str(port), *mode]
        case _:
            module = f"benchmarks.peers.{name.replace('-', '_')}_app"
            return [peers_python(), "-m", module, str(port)]
