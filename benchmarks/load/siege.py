"""Shared code of the attacks: the target, the counts, and repetition."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from .plain_http import NoAnswer

START_PATH = "/api/stream/ai-block/ask-question"
JSON_HEADERS = {"Accept": "application/json", "Content-Type": "application/json"}

PAUSE_SECONDS = 0.02  # after a failed connection, to save the attacker's CPU


@dataclass
class Target:
    """The target of an attack, and the counts of its responses."""

    ports: list[int]
    file: str = ""  # path of the largest static file
    search_cookie: str = ""  # `sessionid` of a visitor with a long history
    source: str = "127.0.0.2"
    met: Counter[str] = field(default_factory=Counter)
    cookies: dict[int, dict[str, str]] = field(default_factory=dict)  # of the attacker, by port

    def __post_init__(self) -> None:
        self._ports = itertools.cycle(self.ports)

    @property
    def port(self) -> int:
        """The next port, in rotation."""
        return next(self._ports)

    @contextlib.contextmanager
    def counting_failures(self) -> Iterator[None]:
        """Count how a connection failed or was refused, and suppress the error."""
        try:
            yield
        except NoAnswer:
            self.met["closed without an answer"] += 1
        except (asyncio.IncompleteReadError, ConnectionError):
            self.met["connection broken"] += 1
        except OSError as error:
            self.met[f"can't connect: {error.strerror}"] += 1
        except InvalidStatus as error:
            self.met[f"handshake {error.response.status_code}"] += 1
        except ConnectionClosed as error:
            self.met[f"socket closed {error.rcvd.code if error.rcvd else 1006}"] += 1
        except (WebSocketException, EOFError, TimeoutError) as error:
            self.met[type(error).__name__] += 1


Attack = Callable[[Target], Awaitable[None]]


async def at_once(count: int, act: Attack, target: Target) -> None:
    """Repeat an action in `count` concurrent tasks until cancelled."""

    async def again() -> None:
        while True:
            with target.counting_failures():
                await act(target)
                continue
            await asyncio.sleep(PAUSE_SECONDS)

    async with asyncio.TaskGroup() as group:
        for _ in range(count):
            group.create_task(again())
