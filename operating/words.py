"""What operators read for the codes of the ends of answers."""

from __future__ import annotations

FILTERED_BY_CODE = ("complete", "cancelled", "error")
"""Statuses whose streams the list can filter by their code."""

_ENDS = {
    "stop": "Finished",
    "length": "Finished at the length limit",
    "repetition": "Finished early: the model repeated itself",
    "owner": "Stopped by its owner",
    "admin": "Stopped by the staff",
    "abandoned": "Stopped because nobody watched",
}

_NOT_YET = {"running": "Running", "queued": "Waiting"}

FAILURES = {
    "provider_timeout": "The model took too long",
    "provider_rate_limited": "The model’s service was busy",
    "provider_unavailable": "The model was out of reach",
    "provider_rejected": "The model’s service refused the request",
    "refused": "The model declined to answer",
    "provider_malformed": "The model’s service sent something unreadable",
    "provider_interrupted": "The model stopped mid-answer",
    "empty_answer": "The model returned an empty answer",
    "invalid_output": "The answer did not have the block’s form",
    "generator_lost": "Its process died",
    "output_too_long": "The answer had too many events",
    "deadline_exceeded": "It took longer than STREAM_DEADLINE_SECONDS",
    "over_capacity": "The server was full",
    "store_unavailable": "The database or Redis was out of reach",
    "shutting_down": "The server shut down",
    "unauthorized": "Its user lost the right to it",
    "internal": "An error of ours; see the log",
}
"""By the codes of `error` events."""


def words_of(status: str, code: str) -> str:
    """Return how an answer ended, in a few words."""
    if status == "error":
        return FAILURES.get(code, "Failed")
    return _NOT_YET.get(status) or _ENDS.get(code) or status.capitalize()
