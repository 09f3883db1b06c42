"""Plays a model's replies to an answer of the demo model, and follows what a client has then."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from blocks.delta import FinishReason
from blocks.outputs.base import Answer, Ask
from blocks.spec import BlockSpec
from tests.contracts.output_contract import Outcome
from tests.support.blocks.example_spec import spec_of


def demo_spec(output: str, **changes: Any) -> BlockSpec:
    return spec_of(output, **{"model": "local:smollm2-135m", **changes})


def play(
    answer: Answer, *replies: str, size: int = 0, finish: FinishReason = "stop"
) -> tuple[Outcome, list[Ask]]:
    """Play one reply for each request, in pieces of this size; return the end and the requests.

    Requests beyond the last reply get it again.
    """
    outcome, asks = Outcome(), []
    while (ask := answer.next_ask()) is not None:
        reply = replies[min(len(asks), len(replies) - 1)]
        asks.append(ask)
        assert len(asks) <= 20, "it never stops asking"
        for piece in in_pieces(reply, size):
            outcome.take(answer.feed(piece))
        outcome.take(answer.close(finish))
    outcome.result = answer.result
    outcome.dropped = dict(answer.dropped)
    outcome.is_enough = answer.is_enough
    return outcome, asks


def in_pieces(text: str, size: int) -> Sequence[str]:
    return [text[at : at + size] for at in range(0, len(text), size)] if size else [text]
