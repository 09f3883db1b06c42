"""How a model is asked to continue a text, and what a continuation is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from blocks.continuation import CONTINUES, Earlier, EndedAnswer
from blocks.errors import InvalidInput
from blocks.outputs.base import Ask
from blocks.outputs.registry import OUTPUTS
from blocks.providers.base import Message
from blocks.runtime.seam import tail_of
from blocks.spec import BlockSpec

_REQUEST = (
    "Your answer was cut off. Continue it exactly where it ended, even in the middle of a word."
    " Repeat nothing but its last words, with which you begin, and add no remark."
    " Its last words are: {tail}"
)


def earlier_of(
    spec: BlockSpec, answers: Sequence[EndedAnswer], options: Mapping[str, Any]
) -> Earlier:
    """Return what a continuation of these answers is given. See `Output.earlier_of`.

    Raises:
        InvalidInput: nothing can be added to them. Says why.
    """
    output = OUTPUTS.get(spec.output)
    if output is None:
        raise InvalidInput(CONTINUES, "Answers of this block can't be continued.")
    return output.earlier_of(answers, options)


def messages_of(ask: Ask, begun: str, *, is_asked: bool) -> tuple[Message, ...]:
    """Return the chat of a request.

    Args:
        begun: the text that is continued; "" for a new answer.
        is_asked: whether a user turn asks the model to continue it.
    """
    messages = [Message(turn.role, turn.content) for turn in ask.turns]
    if begun:
        messages.append(Message("assistant", begun))
    if is_asked:
        messages.append(Message("user", _REQUEST.format(tail=tail_of(begun))))
    return tuple(messages)
