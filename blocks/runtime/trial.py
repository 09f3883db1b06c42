"""Tries a model: asks its provider for a few tokens, and says in words what came of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass

from blocks.delta import Usage
from blocks.errors import EmptyAnswer, GenerationError, ProviderTimeout
from blocks.providers.base import Alive, ChatRequest, Finish, Message
from blocks.runtime.engine import GivesProviders
from blocks.runtime.meter import Meter

logger = logging.getLogger(__name__)

TRIAL_SECONDS = 45.0
"""The local model may have to read its weights first."""

MAX_TOKENS = 16

REQUEST = ChatRequest((Message("user", "Answer with the word: yes"),), 0.0, MAX_TOKENS)

ADVICE = {
    "provider_timeout": "Try again. If it stays slow, look at the service, or raise"
    " AI_FIRST_TOKEN_SECONDS.",
    "provider_rate_limited": "Wait a moment, or ask the service for a higher limit.",
    "provider_unavailable": "Check AI_BASE_URL, the network and whether the service runs.",
    "provider_rejected": "Check the model’s name, and AI_API_KEY.",
    "provider_malformed": "Check that AI_BASE_URL is the address of an OpenAI-compatible API.",
    "provider_interrupted": "Try again. If it stays so, look at the service’s own log.",
    "empty_answer": "Try again, or raise AI_REASONING_TOKENS if the model reasons for long.",
    "refused": "The connection works: the model declined to answer.",
    "internal": "Look at the site’s log.",
}
"""What an operator can do, by the code of the failure."""


@dataclass(frozen=True, slots=True)
class Trial:
    """The result of a trial.

    Args:
        model: as in `AI_MODEL`.
        code: of the failure; empty if the model works.
        words: one sentence. It contains no secret and no address.
        usage: an estimate, or what the service reported.
    """

    model: str
    code: str
    words: str
    usage: Usage

    @property
    def advice(self) -> str:
        return ADVICE.get(self.code, "")


async def try_model(
    model: str,
    providers: GivesProviders,
    *,
    now: Callable[[], float],
    seconds: float = TRIAL_SECONDS,
) -> Trial:
    """Ask a model for a few tokens.

    Args:
        model: as in `AI_MODEL`.
        now: seconds, monotonic.
        seconds: how long it may take.

    Never raises for a model that fails. Cancelling stops the model.
    """
    begun, meter = now(), Meter()
    meter.begin(REQUEST)
    usage: Usage | None = None
    first_ms: int | None = None
    code, problem = "", ""
    try:
        pieces = providers.get(model).stream(REQUEST)
        async with asyncio.timeout(seconds), aclosing(pieces):
            async for piece in pieces:
                if isinstance(piece, Finish):
                    usage = meter.end(piece)
                    break
                if not isinstance(piece, Alive) and first_ms is None:
                    first_ms = round((now() - begun) * 1000)
                meter.add_thought()
    except EmptyAnswer as error:
        if first_ms is None:  # otherwise it only reasoned, for which these tokens were too few
            code, problem = error.code, error.detail
    except GenerationError as error:
        code, problem = error.code, error.detail
    except TimeoutError:
        code, problem = ProviderTimeout.code, f"No complete answer within {seconds:.0f} s."
    except Exception:
        logger.exception("The trial of the model %s failed", model)
        code, problem = GenerationError.code, "Something went wrong on our side."
    used = usage or meter.usage or Usage(0, 0)
    if code:
        return Trial(model, code, problem, used)
    total_ms = round((now() - begun) * 1000)
    first = "" if first_ms is None else f"first token after {first_ms:,} ms, "
    return Trial(model, "", f"{model} works: {first}done after {total_ms:,} ms.", used)
