"""What the code of an end means for an operator, and what to do about it."""

from __future__ import annotations

from typing import NamedTuple


class Explanation(NamedTuple):
    meaning: str
    advice: str = ""  # empty: nothing needs to be done


_LOOK_AT_MODEL = "Look at the settings of the model and at the log of that time."

EXPLANATIONS: dict[str, Explanation] = {
    "stop": Explanation("The answer is complete."),
    "length": Explanation(
        "The answer reached the block’s limit of tokens.",
        "If many do, raise “max tokens” of the block type.",
    ),
    "repetition": Explanation(
        "The model repeated itself, so the answer was ended there.",
        "If many do, raise the block’s temperature, or use a larger model.",
    ),
    "owner": Explanation("The person who asked stopped it."),
    "admin": Explanation("An administrator stopped it, or stopped everything."),
    "abandoned": Explanation("Nobody was watching any more, so it was stopped."),
    "provider_timeout": Explanation(
        "The model was silent for too long.",
        "See whether the model’s service is slow or overloaded. AI_FIRST_TOKEN_SECONDS and "
        "AI_IDLE_SECONDS say how long it may be silent.",
    ),
    "provider_rate_limited": Explanation(
        "The model’s service refused all attempts: too many requests.",
        "Ask the service for a higher limit, or lower the limits of visitors (“Limits”).",
    ),
    "provider_unavailable": Explanation(
        "The model’s service could not be reached, or reported a fault of its own.",
        "Check that it runs, and that AI_BASE_URL is right. /readyz says what it answers now.",
    ),
    "provider_rejected": Explanation(
        "The model’s service rejected the request.",
        "Check AI_API_KEY, the name of the model, and whether the prompt is too long for it.",
    ),
    "refused": Explanation(
        "The model declined to answer. Its own words are shown.",
        "Nothing is broken. If it refuses harmless questions, change the block’s system prompt.",
    ),
    "provider_malformed": Explanation(
        "The model’s service sent something that can’t be read.",
        "A proxy in between may have answered, or AI_BASE_URL leads to something else.",
    ),
    "provider_interrupted": Explanation(
        "The model’s service broke off in the middle of the answer.",
        "If it happens often, look at the service’s own log.",
    ),
    "empty_answer": Explanation("The model answered nothing.", _LOOK_AT_MODEL),
    "invalid_output": Explanation(
        "The answer could not be turned into what the block shows.",
        "Small models often fail here. Use a larger one, or give the block type an example.",
    ),
    "generator_lost": Explanation(
        "The process that wrote the answer died, and no other one may continue it.",
        "See why it died. “On generator lost” of the block type allows others to continue.",
    ),
    "output_too_long": Explanation(
        "The answer has more events than a stream may have.",
        "STREAM_MAX_EVENTS is the bound. Lower “max tokens” of the block type.",
    ),
    "deadline_exceeded": Explanation(
        "The answer took longer than it may, or nobody was there to write it.",
        "See whether workers are alive. STREAM_DEADLINE_SECONDS is the bound.",
    ),
    "over_capacity": Explanation(
        "It waited for a place on a full server until its time was over.",
        "Add processes, or raise STREAM_MAX_RUNNING if the machine has room.",
    ),
    "store_unavailable": Explanation(
        "The event log rejected a write.", "Check Redis: its memory, and its own log."
    ),
    "shutting_down": Explanation(
        "The server was restarted, and this block allows no second generator.",
        "“On generator lost” of the block type allows others to continue.",
    ),
    "unauthorized": Explanation("The account of the person who asked was deleted meanwhile."),
    "internal": Explanation(
        "A fault of the server itself.", "The log of that time has the stream’s id and the error."
    ),
}
"""By code: a finish reason, an error code, or by whom an answer was stopped."""

UNKNOWN = Explanation("This code is not known here.", "The log of that time may say more.")


def explain(code: str) -> Explanation:
    return EXPLANATIONS.get(code, UNKNOWN)
