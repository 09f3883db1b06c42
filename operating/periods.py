"""The periods that the dashboard shows, each divided into equal steps. Times are UTC."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Period:
    """A span of time, from `since` on and before `until`; a whole number of steps."""

    name: str
    title: str
    since: datetime
    until: datetime
    step: timedelta

    @property
    def edges(self) -> list[datetime]:
        """The beginning of each step, and the end of the last one."""
        count = (self.until - self.since) // self.step
        return [self.since + number * self.step for number in range(count + 1)]

    @property
    def span_words(self) -> str:
        """Return what it covers exactly: an hour in steps of 5 minutes covers up to 65 minutes."""
        since, until = (f"{t:%a} {t.day} {t:%b}, {t:%H:%M}" for t in (self.since, self.until))
        if self.since.date() == self.until.date():
            return f"{since}–{self.until:%H:%M} UTC"
        return f"{since} – {until} UTC"

    def words_of(self, number: int) -> str:
        """Return when a step is: `Mon 30 Nov, 14:00–15:00`, or its day if it is one."""
        begin = self.edges[number]
        if self.step == DAY:
            return f"{begin:%a} {begin.day} {begin:%b}"
        return f"{begin:%a} {begin.day} {begin:%b}, {begin:%H:%M}–{begin + self.step:%H:%M}"


def _latest(
    name: str, title: str, span: timedelta, step: timedelta
) -> Callable[[datetime], Period]:
    """Return what makes the period that ends now. Its first step begins up to a step earlier."""

    def make(now: datetime) -> Period:
        return Period(name, title, floor(now - span, step), floor(now, step) + step, step)

    return make


def _yesterday(now: datetime) -> Period:
    today = floor(now, DAY)
    return Period("yesterday", "Yesterday", today - DAY, today, HOUR)


PERIODS: dict[str, Callable[[datetime], Period]] = {
    "hour": _latest("hour", "Last hour", HOUR, timedelta(minutes=5)),
    "day": _latest("day", "Last day", DAY, HOUR),
    "week": _latest("week", "Last week", 7 * DAY, timedelta(hours=6)),
    "yesterday": _yesterday,
}
"""By the name that the address has."""

DEFAULT = "day"


def days_of_two_months(now: datetime) -> Period:
    """Return the days of last month and of this month up to today."""
    today = floor(now, DAY)
    last = (today.replace(day=1) - DAY).replace(day=1)
    return Period("months", "Last month and this month", last, today + DAY, DAY)


def floor(time: datetime, step: timedelta) -> datetime:
    """Return the beginning of the step that a time is in. A step divides a day, or is one."""
    return time - (time - _EPOCH) % step
