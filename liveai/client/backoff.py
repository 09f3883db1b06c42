"""For how long to wait before the next attempt, and when to give up. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime


@dataclass(frozen=True, slots=True)
class Patience:
    """How a client goes on after a failure. The defaults last for about four minutes."""

    first_seconds: float = 0.3
    most_seconds: float = 15.0  # the longest pause of our own
    attempts: int = 20  # consecutive ones without an event
    unproven_attempts: int = 4  # as long as this server has never answered: about 2 s
    wait_at_most_seconds: float = 30.0  # a longer `Retry-After` is raised, not waited for

    def backoff(self, attempt: int, random: float, at_least: float = 0.0) -> float:
        """Return the pause before an attempt, in seconds. It doubles, up to a bound.

        Args:
            attempt: 0 for the first one after a failure.
            random: from [0, 1): jitter between half and all of it, so that the clients of a server
                that restarts don't return together.
            at_least: what the server asked for.
        """
        whole = min(self.most_seconds, self.first_seconds * 2.0 ** min(attempt, 20))
        return max(at_least, 0.0) + whole * (0.5 + random / 2)


PATIENCE = Patience()


def retry_after_of(headers: Mapping[str, str]) -> float | None:
    """Read `Retry-After`, in seconds; None if it is missing or can't be read.

    A date counts from the response's own `Date`: the clocks of two machines may disagree.
    """
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit() and len(value) <= 9:
        return float(value)
    try:
        until = parsedate_to_datetime(value)
        seconds = (until - parsedate_to_datetime(headers.get("date", ""))).total_seconds()
    except (TypeError, ValueError):  # no date, or one of two without a time zone
        return None
    return max(0.0, seconds)
