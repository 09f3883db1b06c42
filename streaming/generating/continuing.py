"""What a continuation adds to: the ended streams of its chain, read when it starts."""

from __future__ import annotations

from blocks.continuation import CONTINUES, NOTHING, Earlier, EndedAnswer
from blocks.errors import InvalidInput
from blocks.runtime.continuing import earlier_of
from blocks.spec import BlockSpec

from ..database.store import NewStream
from ..errors import Refused
from ..protocol.state import StreamState
from ..refusals import refusal_of
from ..watching.finder import Finder

CHAIN_AT_MOST = 20
"""Streams of one chain, the newest included."""


async def find_earlier(finder: Finder, new: NewStream, spec: BlockSpec) -> Earlier:
    """Return what a new stream continues; nothing if it continues none.

    Raises:
        Refused: `not_found`, `store_unavailable`; `invalid_input`: a stream of the chain has not
            ended or was deleted, the chain is too long, or nothing can be added to the answer.
    """
    answers: list[EndedAnswer] = []
    stream_id = new.continues
    while stream_id is not None:
        if len(answers) == CHAIN_AT_MOST - 1:
            raise _refusal(f"An answer can have {CHAIN_AT_MOST} parts at most.")
        try:
            feed = await finder.find(stream_id, new.owner)
        except Refused as refused:
            if refused.code == "not_found" and answers:
                raise _refusal("The beginning of this answer was deleted.") from None
            raise
        if not feed.window.has_ended:
            raise _refusal("This answer is still being written.")
        answers.append(_ended_answer(feed.window.state))
        stream_id = feed.row.continues
    if not answers:
        return NOTHING
    try:
        return earlier_of(spec, answers[::-1], new.options)
    except InvalidInput as invalid:
        raise refusal_of(invalid) from None


def _ended_answer(state: StreamState) -> EndedAnswer:
    end = state.terminal.fields if state.terminal is not None else {}
    return EndedAnswer(
        text=state.text,
        result=end.get("result"),
        finish_reason=end.get("finish_reason"),
        error=end.get("code"),
    )


def _refusal(reason: str) -> Refused:
    return Refused("invalid_input", reason, field=CONTINUES)
