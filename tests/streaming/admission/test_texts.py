"""The texts of refusals by limits."""

from __future__ import annotations

import pytest

from streaming.admission.texts import too_many_running, too_many_starts, too_many_tokens
from streaming.limits import Whose


def test_a_refusal_says_in_words_what_is_too_much_and_what_to_do() -> None:
    assert (
        too_many_running(6, "owner").message
        == "You have 6 answers running. Wait until one is finished, or stop one."
    )
    assert (
        too_many_running(1, "owner").message
        == "You have 1 answer running. Wait until it is finished, or stop it."
    )
    assert (
        too_many_running(60, "address").message
        == "60 answers are running from your network. Wait until one is finished."
    )
    assert (
        too_many_running(9, "at_address").message
        == "9 answers are running for visitors of your network who are not signed in."
        " Sign in, or wait until one is finished."
    )
    assert (
        too_many_starts(30, "minute", "owner", wait_seconds=11.2).message
        == "You started 30 answers within a minute. Please wait 12 seconds."
    )
    assert (
        too_many_starts(1, "minute", "address", wait_seconds=0.4).message
        == "1 answer was started from your network within a minute. Please wait 1 second."
    )
    assert (
        too_many_starts(60, "hour", "owner", wait_seconds=600).message
        == "You started 60 answers within an hour. Please wait 10 minutes."
    )


@pytest.mark.parametrize(
    ("left", "whose", "words"),
    [
        (0, "owner", "You have used your 5,000 tokens for today. The limit resets in 3 hours."),
        (
            300,
            "owner",
            "Of your 5,000 tokens for today, 300 are left. This answer may need 1,024."
            " The limit resets in 3 hours.",
        ),
        (
            -7,
            "anonymous",
            "All 5,000 tokens for today have been used by visitors who are not signed in."
            " Sign in to continue. The limit resets in 3 hours.",
        ),
        (
            0,
            "at_address",
            "All 5,000 tokens for today have been used by visitors of your network who are not"
            " signed in. Sign in to continue. The limit resets in 3 hours.",
        ),
        (
            0,
            "group",
            "All 5,000 tokens for today have been used in your group. The limit resets in 3 hours.",
        ),
    ],
)
def test_a_refusal_says_how_many_tokens_are_left_and_when_there_are_more(
    left: int, whose: Whose, words: str
) -> None:
    refused = too_many_tokens(5_000, left, 1_024, "day", whose, wait_seconds=10_000)
    assert (refused.code, refused.message) == ("quota_exceeded", words)
    assert refused.retry_after_seconds == 10_000
