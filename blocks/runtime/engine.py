"""Runs a block: asks the model, parses and validates the answer as it arrives, and retries once."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any, Protocol

from blocks.continuation import NOTHING, Earlier
from blocks.delta import Delta, Done, FinishReason, Item, Reset, Text, Thinking, Usage
from blocks.errors import (
    EmptyAnswer,
    GenerationError,
    InvalidOutput,
    ProviderInterrupted,
    ProviderRateLimited,
    ProviderRejected,
    ProviderUnavailable,
    Refused,
)
from blocks.outputs.base import Ask
from blocks.outputs.registry import OUTPUTS
from blocks.providers.base import Alive, ChatRequest, Finish, Provider, Token
from blocks.runtime.chat_span import call
from blocks.runtime.continuing import messages_of
from blocks.runtime.meter import Meter
from blocks.runtime.refusal import is_brief, is_refusal
from blocks.runtime.repetition import Repetition
from blocks.runtime.seam import Seam
from blocks.spec import BlockSpec

logger = logging.getLogger(__name__)

ATTEMPTS = 2  # the answer and one repair
_REFUSALS = (ProviderRateLimited, ProviderRejected, ProviderUnavailable, Refused)
_REPAIR_WARMTH = 0.2  # added to the temperature: an identical request would fail the same way


class GivesProviders(Protocol):
    """The part of `blocks.providers.registry.ProviderPool` that the engine uses."""

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
    earlier: Earlier = NOTHING,
) -> AsyncGenerator[Delta, None]:
    """Answer a prompt, piece by piece.

    Args:
        prompt, options: as returned by `blocks.inputs.check_input`.
        seed: makes random choices repeatable; the stream's id.
        streaming: False collects the answer first, then yields one Text with all the text (for a
            structured answer: only its valid Items), Usage and Done. Thinking is yielded at once.
        gathered: collects the deltas of a non-streaming run. A caller that stops the run can take
            the partial answer from it.
        meter: counts the usage of the current call. A caller that stops the run, or sees it fail,
            reads that call's usage from it. Successful calls yield a Usage.
        so_far: the beginning of the answer, from a lost run. The model continues it to the
            character; only the continuation is yielded, possibly just the Done.
        earlier: what the answer adds to, from `continuing.earlier_of`. Only the addition is
            yielded, possibly just the Done.

    Yields:
        Text, Item, Reset and Usage (one after each provider call), and one Done at the end.
        Thinking, for each piece of reasoning before the first word of a call.

    Raises:
        ValueError: at the call, if `so_far` is given for a run that can't continue. Call
            `can_continue` first.
        Refused: the model declined. A structured answer is refused in prose instead of an object.
        GenerationError: one of its other subclasses, or the class itself for an internal fault.
            Partial output has been yielded before, without a Done.

    Closing the generator, or cancelling the task that awaits it, closes the provider's generator
    before it returns.
    Source: specs/050-live-ai-interaction/spec.md, "Events", "Switches".
    """
    if so_far and not can_continue(spec, providers):
        raise ValueError(f"the block {spec.slug} can't continue a partial answer")
    deltas = _attempts(spec, prompt, options, providers, seed, meter or Meter(), so_far, earlier)
    return deltas if streaming else _at_once(deltas, gathered or Gathered())


def can_continue(spec: BlockSpec, providers: GivesProviders) -> bool:
    """Whether this block can continue a partial answer.

    True only for plain text whose provider declares it; False if no such provider exists.
    """
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
                if isinstance(delta, Thinking):
                    yield delta  # a sign of life during the long silence
        except GenerationError as error:
            failure = error
    for delta in gathered.take():
        yield delta
    if failure is not None:
        raise failure


class Gathered:
    """Collects the deltas of a non-streaming run into one answer."""

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
            case Usage() | Done():
                self._ends.append(delta)

    def take(self) -> list[Delta]:
        """Return the deltas collected so far, and clear them."""
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
    earlier: Earlier,
) -> AsyncGenerator[Delta, None]:
    try:
        output = OUTPUTS[spec.output]
        provider = providers.get(spec.model)
        before = "" if output.structured else earlier.text
        is_asked = bool(before) and not provider.can_continue
        seam = Seam(before, prompt, is_asked=is_asked) if before and not so_far else None
        words = ""  # what the model said instead of an answer, e.g. a question about the prompt
        for attempt in range(ATTEMPTS if output.structured else 1):
            if attempt:
                yield Reset("retry")
            answer = output.begin(
                spec, prompt, options, seed=seed, repair=attempt > 0, earlier=earlier
            )
            has_parts, words = False, ""
            finish: FinishReason = "stop"
            while (ask := answer.next_ask()) is not None:
                is_watched = spec.is_local and not output.structured
                loop = Repetition(before + so_far) if is_watched else None
                if so_far:
                    answer.feed(so_far)  # validated with the rest; the caller already has it
                ending: Finish | None = None
                request = _request(spec, ask, attempt, before + so_far, is_asked=is_asked)
                meter.begin(request)
                has_begun = has_written = False
                try:
                    async with call(provider, request, spec) as called:
                        async for piece in called.pieces:
                            has_begun = True
                            if isinstance(piece, Token):
                                if not has_written:
                                    has_written = True
                                    called.note_first()
                                text = piece.text
                                if not text.isascii() or "\0" in text:
                                    text = _storable(text)
                                meter.add_text(text)
                                if seam is not None:
                                    text = seam.feed(text)
                                kept = loop.feed(text) if loop else None
                                if kept is not None:
                                    text, finish = text[:kept], "repetition"
                                for delta in answer.feed(text):
                                    has_parts = True
                                    yield delta
                                if answer.is_over_limit:
                                    raise InvalidOutput
                                if kept is not None:
                                    ending = Finish("stop", None, None)
                                    break
                            elif isinstance(piece, Finish):
                                called.note_first()
                                called.note_end(piece)
                                ending = piece
                                break
                            else:
                                meter.add_thought()
                                # Reasoning after the first word: some services repeat all of it
                                # at the end.
                                if not has_written and not isinstance(piece, Alive):
                                    called.note_first()
                                    yield Thinking()
                except _REFUSALS:
                    if not has_begun:
                        meter.drop()
                    raise
                except EmptyAnswer:
                    if not request.so_far:
                        raise
                    for delta in answer.close("stop"):
                        yield delta
                    break  # the existing text may be the whole answer
                if ending is None:
                    raise ProviderInterrupted
                is_looping = finish == "repetition"  # what the seam still holds repeats, too
                held = () if seam is None or is_looping else answer.feed(seam.close())
                closing = [*held, *answer.close(ending.reason)]
                usage = meter.end(ending)
                is_all_prose = not has_parts and not answer.is_enough
                if is_all_prose and is_refusal(answer.prose):  # a repair would be refused, too
                    yield usage
                    raise Refused(answer.prose)
                words = answer.prose if is_all_prose and is_brief(answer.prose) else ""
                for delta in closing:
                    yield delta
                yield usage
                if ending.reason == "length":
                    finish = "length"  # one truncated call truncates the whole answer
            if answer.is_enough or before:
                yield Done(finish, answer.result, dict(answer.dropped))
                return
        raise InvalidOutput(words, noun=output.noun) if output.structured else EmptyAnswer()
    except Refused as refused:
        raise Refused(_storable(refused.message)) from None
    except GenerationError:
        raise
    except Exception:
        logger.exception("The block %s failed", spec.slug)
        raise GenerationError from None


def _storable(text: str) -> str:
    """Replace lone surrogates and NUL, in case the provider did not."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


def _request(spec: BlockSpec, ask: Ask, attempt: int, begun: str, *, is_asked: bool) -> ChatRequest:
    warmth = spec.temperature + _REPAIR_WARMTH * attempt
    return ChatRequest(
        messages=messages_of(ask, begun, is_asked=is_asked),
        temperature=min(2.0, warmth if ask.temperature is None else ask.temperature),
        max_tokens=spec.max_tokens if ask.max_tokens is None else ask.max_tokens,
        schema=ask.schema,
        repeat_penalty=ask.repeat_penalty,
        grammar=ask.grammar,
        sampling=ask.sampling,
    )
