"""One preview: runs the engine, and numbers and encodes its events like those of a stream."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import aclosing
from typing import Any

from django.utils import timezone

from blocks.delta import Done, Item, Reset, Text, Thinking, Usage
from blocks.errors import GenerationError
from blocks.providers.registry import ProviderPool
from blocks.runtime import engine
from blocks.runtime.meter import Meter
from blocks.spec import BlockSpec

from ..generating.generation import MESSAGES
from ..loop.bell import Bell
from ..protocol import events
from ..protocol.codes import STREAM_ERRORS
from ..protocol.events import Event, StreamHead
from ..protocol.frames import encode_sse
from ..switches import Switches

logger = logging.getLogger(__name__)

READY_BYTES_AT_MOST = 256 * 1024
"""What may wait for a client that does not read. Beyond, the model waits, too."""

THINKING_EVERY_SECONDS = 1.0


class PreviewRun:
    """Runs a block whose definition is not stored. Belongs to one event loop.

    Args:
        stream_id: names the preview in its events. No stream has it.
        max_events: how many events it may have.
        deadline_seconds: how long it may take.
        bell: rung when there is something to take.
        now: seconds, monotonic.
    """

    def __init__(
        self,
        spec: BlockSpec,
        prompt: str,
        options: Mapping[str, Any],
        *,
        stream_id: str,
        max_events: int,
        deadline_seconds: float,
        bell: Bell,
        now: Callable[[], float],
    ) -> None:
        self._spec, self._prompt, self._options = spec, prompt, options
        self._id = stream_id
        self._max_events = max_events
        self._deadline_seconds = deadline_seconds
        self._bell = bell
        self._has_room = Bell()
        self._now = now
        self._seq = -1
        self._ready: list[bytes] = []
        self._ready_bytes = 0
        self._used = Usage(0, 0)
        self._meter = Meter()
        self._ttft_ms: int | None = None
        self._begun = now()
        self._thinking_since: float | None = None
        self._next_thinking = 0.0
        self.is_over = False
        """Whether the end is among what is to be taken, or was taken."""
        head = StreamHead(
            stream_id, spec.slug, spec.model_name, timezone.now().isoformat().replace("+00:00", "Z")
        )
        self._put(events.start(head, status="running", after=-1))

    @property
    def tokens(self) -> int:
        """Tokens that were used so far, those of a call in progress included."""
        used = self._used + (self._meter.usage or Usage(0, 0))
        return used.input_tokens + used.output_tokens

    def take(self) -> bytes:
        """Return the events since the last call, encoded as SSE; empty if there are none."""
        taken, self._ready, self._ready_bytes = b"".join(self._ready), [], 0
        self._has_room.ring()
        return taken

    def cut(self, code: str) -> None:
        """End it here. Nothing follows, whatever the engine still does."""
        if not self.is_over:
            self._end(self._error(code, MESSAGES[code], is_retryable=STREAM_ERRORS[code]))

    def obey(self, switches: Switches) -> None:
        """End it if everything is stopped."""
        if switches.paused:
            self._end(events.cancelled(self._id, self._seq + 1, by="admin"))

    async def run(self, providers: ProviderPool) -> None:
        """Run the block to its end.

        Raises nothing. Cancelling it closes the provider's stream.
        """
        try:
            async with asyncio.timeout(self._deadline_seconds):
                await self._pump(providers)
        except TimeoutError:
            self.cut("deadline_exceeded")
        except GenerationError as error:
            if error.detail != error.message:
                logger.warning(
                    "A preview of the block %s failed: %s", self._spec.slug, error.detail
                )
            failure = self._error(error.code, error.message, is_retryable=error.retryable)
            self._end(failure)
        except Exception:
            logger.exception("A preview of the block %s crashed.", self._spec.slug)
            self.cut("internal")

    async def _pump(self, providers: ProviderPool) -> None:
        run = engine.run(
            self._spec,
            self._prompt,
            self._options,
            providers=providers,
            seed=self._id,
            meter=self._meter,
        )
        done: Done | None = None
        async with aclosing(run) as deltas:
            async for delta in deltas:
                match delta:
                    case Usage():
                        self._used += delta
                    case Done():
                        done = delta
                    case Thinking():
                        self._think()
                    case _:
                        await self._write(delta)
                if self.is_over:
                    return
        assert done is not None, "the engine ends with Done, or raises"
        self._end(
            events.complete(
                self._id,
                self._seq + 1,
                finish_reason=done.finish_reason,
                input_tokens=self._used.input_tokens,
                output_tokens=self._used.output_tokens,
                is_estimated=self._used.is_estimated,
                ttft_ms=self._ttft_ms,
                duration_ms=self._elapsed_ms(),
                result=done.result,
                dropped=done.dropped,
            )
        )

    async def _write(self, delta: Text | Item | Reset) -> None:
        while self._ready_bytes > READY_BYTES_AT_MOST:
            await self._has_room.wait()
        if self._seq + 2 >= self._max_events:
            return self.cut("output_too_long")
        self._seq += 1
        self._thinking_since = None
        if self._ttft_ms is None:
            self._ttft_ms = self._elapsed_ms()
        match delta:
            case Text(token, path):
                self._put(events.chunk(self._id, self._seq, token, path))
            case Item(path, value):
                self._put(events.item(self._id, self._seq, path, value))
            case Reset(reason):
                self._put(events.reset(self._id, self._seq, reason))

    def _think(self) -> None:
        now = self._now()
        if self._thinking_since is None:
            self._thinking_since = now
        if now >= self._next_thinking:
            self._next_thinking = now + THINKING_EVERY_SECONDS
            since_ms = round((now - self._thinking_since) * 1000)
            self._put(events.thinking(self._id, since_ms=since_ms))

    def _error(self, code: str, message: str, *, is_retryable: bool) -> Event:
        return events.error(
            self._id, self._seq + 1, code=code, message=message, retryable=is_retryable
        )

    def _end(self, terminal: Event) -> None:
        if not self.is_over:
            self._put(terminal)
            self.is_over = True

    def _put(self, event: Event) -> None:
        encoded = encode_sse(event)
        self._ready.append(encoded)
        self._ready_bytes += len(encoded)
        self._bell.ring()

    def _elapsed_ms(self) -> int:
        return round((self._now() - self._begun) * 1000)
