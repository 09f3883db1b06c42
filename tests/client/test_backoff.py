"""Pauses grow to a bound, and `Retry-After` is read in both of its forms."""

from __future__ import annotations

import pytest

from liveai.client.backoff import Patience, retry_after_of

DATE = "Tue, 01 Dec 2026 03:00:00 GMT"


def test_pauses_double_up_to_a_bound_with_jitter_of_a_half() -> None:
    patience = Patience(first_seconds=1.0, most_seconds=10.0)
    longest = [patience.backoff(attempt, 1.0) for attempt in (0, 1, 2, 3, 4, 1000)]
    assert longest == [1.0, 2.0, 4.0, 8.0, 10.0, 10.0]
    assert patience.backoff(1000, 0.0) == 5.0
    assert patience.backoff(0, 0.0, at_least=7.0) == 7.5


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "Tue, 01 Dec 2026 03:00:09 GMT", "date": DATE}, 9.0),
        ({"retry-after": "Tue, 01 Dec 2026 02:00:00 GMT", "date": DATE}, 0.0),
        ({"retry-after": "Tue, 01 Dec 2026 03:00:09 GMT"}, None),
        ({"retry-after": "Tue, 01 Dec 2026 03:00:09", "date": DATE}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "²"}, None),
        ({"retry-after": "9" * 400}, None),
        ({"retry-after": "soon"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_of(headers) == seconds
