"""The texts of refusals by limits."""

from __future__ import annotations

import math
from typing import Literal

from ..errors import Refused
from ..limits import Whose

RUNNING_RETRY_SECONDS = 5.0
"""An estimate, since an answer's end is unpredictable; most blocks take about this long."""

Span = Literal["minute", "hour"]
Period = Literal["day", "month"]

_USED = {
    "address": "from your network",
    "at_address": "by visitors of your network who are not signed in",
    "group": "in your group",
    "anonymous": "by visitors who are not signed in",
    "all": "on this site",
}

_SIGN_IN_HELPS = ("at_address", "anonymous")


def too_many_running(count: int, whose: Whose) -> Refused:
    """Build the refusal of a start beyond `Allowance.running`."""
    are = "answer is" if count == 1 else "answers are"
    match whose:
        case "owner" if count == 1:
            message = "You have 1 answer running. Wait until it is finished, or stop it."
        case "owner":
            message = f"You have {count} answers running. Wait until one is finished, or stop one."
        case "at_address":
            message = (
                f"{count} {are} running for visitors of your network who are not signed in. "
                "Sign in, or wait until one is finished."
            )
        case "address":
            message = f"{count} {are} running from your network. Wait until one is finished."
        case "group":
            message = f"{count} {are} running in your group. Wait until one is finished."
        case "anonymous":
            message = (
                f"{count} {are} running for visitors who are not signed in. "
                "Sign in, or wait until one is finished."
            )
        case "all":
            message = f"{count} {are} running on this site. Wait until one is finished."
    return Refused("too_many_streams", message, retry_after_seconds=RUNNING_RETRY_SECONDS)


def too_many_starts(limit: int, span: Span, whose: Whose, *, wait_seconds: float) -> Refused:
    """Build the refusal of a start beyond `Allowance.starts_per_minute` or `starts_per_hour`.

    Args:
        wait_seconds: time until the oldest counted start is outside the span.
    """
    answers = f"{limit} answer{'' if limit == 1 else 's'}"
    within = "a minute" if span == "minute" else "an hour"
    if whose == "owner":
        started = f"You started {answers} within {within}."
    else:
        were = "was" if limit == 1 else "were"
        started = f"{answers} {were} started {_USED[whose]} within {within}."
    message = f"{started} Please wait {_in_words(wait_seconds)}."
    return Refused("rate_limited", message, retry_after_seconds=wait_seconds)


def too_many_tokens(
    limit: int, left: int, needed: int, period: Period, whose: Whose, *, wait_seconds: float
) -> Refused:
    """Build the refusal of a start beyond `Allowance.tokens_per_day` or `tokens_per_month`.

    Args:
        left: what the subject may still use, apart from the reservations of running streams.
        needed: what the refused stream might use.
        wait_seconds: time until the period ends.
    """
    this = "today" if period == "day" else "this month"
    match whose:
        case "owner":
            used = f"You have used your {limit:,} tokens for {this}."
            few = f"Of your {limit:,} tokens for {this}, {max(0, left):,} are left."
        case _:
            of = _USED[whose]
            used = f"All {limit:,} tokens for {this} have been used {of}."
            few = f"Of {limit:,} tokens for {this}, {max(0, left):,} are left to be used {of}."
    message = used if left <= 0 else f"{few} This answer may need {needed:,}."
    if whose in _SIGN_IN_HELPS:
        message += " Sign in to continue."
    message += f" The limit resets in {_in_words(wait_seconds)}."
    return Refused("quota_exceeded", message, retry_after_seconds=wait_seconds)


def tokens_are_reserved(limit: int, period: Period, whose: Whose) -> Refused:
    """Build the refusal of a start whose tokens are reserved by running streams."""
    this = "today" if period == "day" else "this month"
    if whose == "owner":
        message = f"Your running answers may use the rest of your {limit:,} tokens for {this}."
    else:
        of = f"the {limit:,} tokens for {this}, which count what is used {_USED[whose]}"
        message = f"Running answers may use the rest of {of}."
    if whose in _SIGN_IN_HELPS:
        message += " Sign in to continue, or wait until one is finished."
    else:
        message += " Wait until one is finished."
    return Refused("quota_exceeded", message, retry_after_seconds=RUNNING_RETRY_SECONDS)


def _in_words(seconds: float) -> str:
    for size, name in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds > 2 * size:
            return f"{math.ceil((seconds - 1) / size)} {name}s"
    count = max(1, math.ceil(seconds))
    return f"{count} second{'' if count == 1 else 's'}"
