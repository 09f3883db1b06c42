"""Runs a block: asks the model, reads the answer as it arrives, judges it, once tries again."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any, Protocol

from blocks.delta import Delta, Done, FinishReason, Item, Reset, Text, Usage
from blocks.errors import (
    EmptyAnswer,
    GenerationError,
    InvalidOutput,
    ProviderInterrupted,
    ProviderRateLimited,
    ProviderRejected,
    ProviderUnavailable,
)
from blocks.outputs.base import Ask
from blocks.outputs.registry import OUTPUTS
from blocks.providers.base import ChatRequest, Finish, Message, Provider, Token
from blocks.runtime.meter import Meter
from blocks.spec import BlockSpec

logger = logging.getLogger(__name__)

ATTEMPTS = 2  # the answer, and one repair
_REFUSALS = (ProviderRateLimited, ProviderRejected, ProviderUnavailable)
_REPAIR_WARMTH = 0.2  # added to the temperature: the same again would fail the same way


class GivesProviders(Protocol):
    """The part of `blocks.providers.registry.ProviderPool` that is used here."""

    def get(self, model: str) -> Provider: ...


def run(
    spec: BlockSpec,
    prompt: str,
    options: Mapping[str, Any],
    *,
    providers: GivesProviders,
    seed: str,
    streaming: bool = True,
    gathered: Gathered | None = None,
    meter: Meter | None = None,
    so_far: str = "",
) -> AsyncGenerator[Delta, None]:
    """Answer a prompt, piece by piece.

    Args:
        prompt, options: as `blocks.inputs.check_input` gave them.
        seed: makes what is drawn by lot repeatable; the stream's id.
        streaming: False gathers first, then yields one Text with all the text (of a structured
            answer: its valid Items alone), Usage and Done.
        gathered: where it gathers them, so that who stops the run can still take what there is.
        meter: where it counts the call that is under way, so that who stops the run, or sees it
            fail, knows what that call used. Calls that end well are told by a Usage.
        so_far: the beginning of the answer, of a run that was lost: the model goes on from it to
            the character, and only what follows is yielded, which may be nothing but the Done.

    Yields:
        Text, Item, Reset and Usage (after each provider call), at the end one Done.

    Raises:
        ValueError: at the call, `so_far` for a run that can't go on: ask `can_continue` before.
        GenerationError: one of its subclasses, or itself for a fault of ours; what there is has
            been yielded before, and no Done.

    Closing the generator, or cancelling the task that waits for it, closes the provider's
    generator before it returns.
    Source: specs/050-live-ai-interaction/spec.md, "Events", "Switches".
    """
    if so_far and not can_continue(spec, providers):
        raise ValueError(f"the block {spec.slug} can't go on from the middle of an answer")
    deltas = _attempts(spec, prompt, options, providers, seed, meter or Meter(), so_far)
    return deltas if streaming else _at_once(deltas, gathered or Gathered())


def can_continue(spec: BlockSpec, providers: GivesProviders) -> bool:
    """Whether an answer of this block can be gone on with from its middle: plain text alone, and
    where its provider declares it. False too where there is no such provider."""
    output = OUTPUTS.get(spec.output)
    if output is None or output.structured:
        return False
    try:
        return providers.get(spec.model).can_continue
    except GenerationError:
        return False


async def _at_once(
    deltas: AsyncGenerator[Delta, None], gathered: Gathered
) -> AsyncGenerator[Delta, None]:
    failure: GenerationError | None = None
    async with aclosing(deltas):
        try:
            async for delta in deltas:
                gathered.add(delta)
        except GenerationError as error:
            failure = error
    for delta in gathered.take():
        yield delta
    if failure is not None:
        raise failure


class Gathered:
    """The deltas of a run that is not streaming, as one answer."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._items: list[Item] = []
        self._ends: list[Usage | Done] = []

    def add(self, delta: Delta) -> None:
        match delta:
            case Text(token, path):
                if path is None:
                    self._texts.append(token)
            case Item(_, value):
                if value is not None:
                    self._items.append(delta)
            case Reset():
                self._texts.clear()
                self._items.clear()
            case _:
                self._ends.append(delta)

    def take(self) -> list[Delta]:
        """What there is by now; it is taken out."""
        text = "".join(self._texts)
        deltas: list[Delta] = [*([Text(text)] if text else []), *self._items, *self._ends]
        self.__init__()  # type: ignore[misc]
        return deltas


async def _attempts(
    spec: BlockSpec,
    prompt: str,
    options: Mapping[str, Any],
    providers: GivesProviders,
    seed: str,
    meter: Meter,
    so_far: str,
) -> AsyncGenerator[Delta, None]:
    try:
        output = OUTPUTS[spec.output]
        provider = providers.get(spec.model)
        for attempt in range(ATTEMPTS if output.structured else 1):
            if attempt:
                yield Reset("retry")
            answer = output.begin(spec, prompt, options, seed=seed, repair=attempt > 0)
            finish: FinishReason = "stop"
            while (ask := answer.next_ask()) is not None:
                if so_far:
                    answer.feed(so_far)  # judged with the rest; whoever asks has it already
                ending: Finish | None = None
                request = _request(spec, ask, attempt, so_far)
                meter.begin(request)
                has_begun = False
                try:
                    async with aclosing(provider.stream(request)) as pieces:
                        async for piece in pieces:
                            has_begun = True
                            if isinstance(piece, Token):
                                text = piece.text
                                if not text.isascii() or "\0" in text:
                                    text = _storable(text)
                                meter.add_text(text)
                                for delta in answer.feed(text):
                                    yield delta
                                if answer.is_over_limit:
                                    raise InvalidOutput
                            elif isinstance(piece, Finish):
                                ending = piece
                                break
                            else:
                                meter.add_thought()
                except _REFUSALS:
                    if not has_begun:
                        meter.drop()
                    raise
                except EmptyAnswer:
                    if not so_far:
                        raise
                    for delta in answer.close("stop"):
                        yield delta
                    break  # what there was is the whole answer, if it is one
                if ending is None:
                    raise ProviderInterrupted
                for delta in answer.close(ending.reason):
                    yield delta
                yield meter.end(ending)
                if ending.reason == "length":
                    finish = "length"  # cut in any of its calls, the answer as a whole is cut
            if answer.is_enough:
                yield Done(finish, answer.result, dict(answer.dropped))
                return
        raise InvalidOutput if output.structured else EmptyAnswer
    except GenerationError:
        raise
    except Exception:
        logger.exception("The block %s broke", spec.slug)
        raise GenerationError from None


def _storable(text: str) -> str:
    """What a provider should have seen to: text that any store and any encoder takes."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


def _request(spec: BlockSpec, ask: Ask, attempt: int, so_far: str) -> ChatRequest:
    messages = [Message(turn.role, turn.content) for turn in ask.turns]
    if so_far:
        messages.append(Message("assistant", so_far))
    return ChatRequest(
        messages=tuple(messages),
        temperature=min(2.0, spec.temperature + _REPAIR_WARMTH * attempt),
        max_tokens=spec.max_tokens,
        schema=ask.schema,
        repeat_penalty=ask.repeat_penalty,
    )
