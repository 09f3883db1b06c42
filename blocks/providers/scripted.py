"""Plays a written script as if it were a model: for demos, tests and benchmarks.

`script.py` describes the format of a script. `scripted:NAME` plays `NAME.json` from the folder
`AI_SCRIPTS_DIR`.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter, deque
from collections.abc import AsyncGenerator, Callable
from itertools import repeat
from pathlib import Path
from typing import ClassVar

from blocks.errors import EmptyAnswer, ProviderRejected
from blocks.providers.base import ChatRequest, Finish, Piece, Thinking, Token
from blocks.providers.config import ProviderConfig
from blocks.providers.script import (
    Clock,
    End,
    Fail,
    Hang,
    Pause,
    Say,
    Script,
    Step,
    Tell,
    Think,
    parse_script,
)
from blocks.providers.script_rest import rest_of

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_MAX_BURST = 16
_KEPT_REQUESTS = 100


class ScriptedProvider:
    """Plays one script for each request, from the start or from the end of the given text.

    Tokens keep to their due times: a late reader gets the missed tokens at once, and nothing
    drifts.

    Tests can read the events, and wait for them with `until`: `calls_started`, `calls_open`,
    `closed_early` (closed or cancelled by the reader) and the last hundred `requests`.
    """

    is_demo: ClassVar[bool] = False
    can_continue: bool = True

    def __init__(self, script: Script) -> None:
        self.model = script.model
        self.calls_started = 0
        self.calls_open = 0
        self.closed_early = 0
        self.requests: deque[ChatRequest] = deque(maxlen=_KEPT_REQUESTS)
        self._script = script
        self._turns: Counter[int] = Counter()
        self._waiting: list[asyncio.Future[None]] = []

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Piece, None]:
        steps = self._choose(request)
        self.calls_started += 1
        self.calls_open += 1
        self.requests.append(request)
        self._changed()
        is_early = True
        loop = asyncio.get_running_loop()
        now = loop.time
        due = now()
        burst = spoken = 0
        reason = End("stop")
        usage: Tell | None = None
        try:
            for step in rest_of(steps, request.schema, request.so_far):
                if isinstance(step, Say | Clock):
                    told = step.tokens if isinstance(step, Say) else repeat(None, step.times)
                    every_seconds = step.every_seconds
                    turn = step.turn if isinstance(step, Clock) else None
                    for text in told:
                        due += every_seconds
                        if turn is not None:
                            due = turn.postpone(due, every_seconds)
                        if (wait := due - now()) > 0:
                            await asyncio.sleep(wait)
                            burst = 0
                        elif (burst := burst + 1) >= _MAX_BURST:
                            await asyncio.sleep(0)
                            burst = 0
                        spoken += 1
                        yield Token(Clock.token(due) if text is None else text)
                elif isinstance(step, Pause):
                    due += step.seconds
                    await asyncio.sleep(max(0.0, due - loop.time()))
                elif isinstance(step, Hang):
                    await loop.create_future()
                elif isinstance(step, Think):
                    yield Thinking()
                elif isinstance(step, Tell):
                    usage = step
                elif isinstance(step, Fail):
                    is_early = False
                    raise step.error(step.message)
                else:
                    reason = step
                    break
            is_early = False
            if not spoken and not request.so_far:
                raise EmptyAnswer()
            if usage is None:
                usage = Tell(sum(len(m.content) for m in request.messages) // 4, spoken)
            yield Finish(reason.reason, usage.input_tokens, usage.output_tokens)
        finally:
            self.calls_open -= 1
            self.closed_early += is_early
            self._changed()

    async def warm(self) -> None:
        """Does nothing: a script needs no preparation."""

    async def aclose(self) -> None:
        """Does nothing: there is nothing to release, and the counts stay."""

    async def until(self, condition: Callable[[ScriptedProvider], bool]) -> None:
        """Wait until the counts meet a condition: `await p.until(lambda p: p.closed_early)`."""
        while not condition(self):
            changed = asyncio.get_running_loop().create_future()
            self._waiting.append(changed)
            await changed

    def _changed(self) -> None:
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)

    def _choose(self, request: ChatRequest) -> tuple[Step, ...]:
        for index, reply in enumerate(self._script.replies):
            if reply.fits(request):
                turn = min(self._turns[index], len(reply.takes) - 1)
                self._turns[index] += 1
                return reply.takes[turn]
        raise ProviderRejected(detail="The script has no reply to this request.")


def load_script(name: str, scripts_dir: Path) -> Script:
    """Load the script `NAME.json` from a folder.

    Raises:
        ProviderRejected: not a name (paths are not accepted), no such file, or not a script.
    """
    if not _NAME.fullmatch(name):
        raise ProviderRejected(detail="A script's name is made of letters, digits, `-` and `_`.")
    try:
        return parse_script(json.loads((scripts_dir / f"{name}.json").read_bytes()), model=name)
    except OSError:
        raise ProviderRejected(detail=f"There is no script {name!r} in AI_SCRIPTS_DIR.") from None
    except ValueError as error:
        detail = f"The script {name!r} can't be played: {error}."
        raise ProviderRejected(detail=detail) from None


def build(name: str, config: ProviderConfig) -> ScriptedProvider:
    return ScriptedProvider(load_script(name, config.scripts_dir))


def problem(name: str, config: ProviderConfig) -> str:
    """Describe why a model can't work; empty if nothing is known to prevent it."""
    try:
        build(name, config)
    except ProviderRejected as error:
        return error.detail
    return ""
