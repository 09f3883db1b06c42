"""What a preview costs: the limits that hold for a start, and the tokens that it has used.

A preview has no row, so it is not counted as running for other starts, and reserves no tokens;
instead a user has one at a time in a process, and a process few.
"""

from __future__ import annotations

import logging

from django.db import connection

from ..access.visitor import Visitor
from ..admission.capacity import Capacity
from ..admission.crowd import USER, Taken
from ..admission.forecast import refusal_by_rows
from ..admission.one_each import Turn
from ..admission.spending import Ending, settle
from ..admission.subjects import keys_of, subjects_of
from ..errors import Refused
from ..limits import Subjects
from ..process import Process
from .runs import RUNS

logger = logging.getLogger(__name__)

BUSY = "You have a preview running already. Stop it first."


def require_allowance(visitor: Visitor, needed_tokens: int) -> Subjects:
    """Check the limits of running answers and of tokens. Synchronous ORM.

    Raises:
        Refused: as for a start.
    """
    visitor.require_ask()
    subjects = subjects_of(visitor)
    if refused := refusal_by_rows(subjects, needed_tokens):
        raise refused
    return subjects


async def take_turn(process: Process, visitor: Visitor, subjects: Subjects) -> Turn:
    """Count a start, and take the user's turn. On the process's loop.

    Raises:
        Refused: `shutting_down`, `paused`, `over_capacity`, `rate_limited`.
    """
    if process.manager.is_draining:
        raise Refused("shutting_down", retry_after_seconds=1)
    process.switches.require_starts()
    await RUNS.until_stopped(visitor.owner)
    turn = process.previews.take(visitor, busy=BUSY)
    try:
        ahead = Taken(len(process.generations) + len(process.previews) - 1)
        Capacity.from_settings(has_line=False).check(USER, ahead)
        await process.rates.check(subjects)
        await process.rates.count(subjects)
    except BaseException:
        turn.end()
        raise
    return turn


async def charge(process: Process, visitor: Visitor, subjects: Subjects, tokens: int) -> None:
    """Add used tokens to the counters of the day. A failure is logged: the answer was given."""
    if tokens <= 0:
        return
    keys = keys_of(subjects)
    ending = Ending(
        owner_key=keys.get("owner", ""),
        address_key=keys.get("address", ""),
        user_id=visitor.user_id,
        is_sample=False,
        input_tokens=None,
        output_tokens=None,
        owner=visitor.owner,
    )
    try:
        await process.writes.run(_settle, ending, tokens)
    except Exception:
        logger.exception("The tokens of a preview could not be counted.")


def _settle(ending: Ending, tokens: int) -> None:
    with connection.cursor() as cursor:
        settle(cursor, [(ending, tokens)])
