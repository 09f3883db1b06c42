"""Limits of tokens that a service refuses, in its own words, and what is asked next."""

import pytest

from blocks.providers.chat.adapting import MAX_CHANGES, MIN_TOKENS
from blocks.providers.chat.request import Dialect, build_body, token_limit
from tests.support.blocks.refusals import PLAIN, after, error


@pytest.mark.parametrize(
    ("message", "cap"),
    [
        ("max_tokens is too large: 700. This model supports at most 100 completion tokens", 100),
        ("max_tokens: 700 > 512, which is the maximum allowed number of output tokens", 512),
        (
            "`max_tokens` must be less than or equal to `512`, the maximum value for `max_tokens`",
            512,
        ),
        (
            "`max_tokens` must be less than or equal to `512`, the maximum value for `max_tokens` "
            "is less than the `context_window` for this model",
            512,
        ),
        ("Invalid max_tokens value, the valid range of max_tokens is [1, 512]", 512),
        ("Range of max_tokens should be [1, 500]", 500),
        ("The maximum tokens you requested exceeds the model limit of 256. Try again", 256),
        ("maxOutputTokens value of 700 but the supported range is from 1 to 65 (exclusive)", 65),
        ("max_tokens is too large for gpt-4-0613", 350),
        ("max_tokens exceeds the limit", 350),
    ],
)
def test_a_limit_that_is_too_high_is_lowered_to_what_is_named_or_to_half(message, cap):
    for param in (None, "max_tokens"):
        dialect = after(error(message, param), request=PLAIN)
        assert dialect == Dialect(token_cap=cap)
        assert build_body("m", PLAIN, dialect)["max_tokens"] == cap


def test_halving_a_limit_ends():
    dialect, seen = Dialect(), []
    while dialect is not None:
        seen.append(token_limit(PLAIN, dialect, 0))
        dialect = after(error("max_tokens is too large"), dialect=dialect, request=PLAIN)
    assert seen == [700, 350, 175, 87, 43, 21]
    assert seen[-1] >= MIN_TOKENS and len(seen) <= MAX_CHANGES


VLLM = "This model's maximum context length is 2048 tokens. However, you requested 2100 tokens"


def test_a_prompt_that_leaves_room_gets_a_shorter_answer_for_this_request_alone():
    dialect = after(error(f"{VLLM} (1800 in the messages, 700 in the completion)"), request=PLAIN)
    assert dialect == Dialect(context_cap=248)
    assert dialect.lasting == Dialect()


@pytest.mark.parametrize(
    ("message", "left"),
    [
        (
            "'max_tokens' is too large: 700. This model's maximum context length is 2048 tokens "
            "and your request has 1600 input tokens (700 > 2048 - 1600).",
            448,
        ),
        (
            "`inputs` tokens + `max_new_tokens` must be <= 4097. Given: 3900 `inputs` tokens and "
            "700 `max_new_tokens`",
            197,
        ),
        (
            "This endpoint's maximum context length is 8192 tokens. However, you requested about "
            "8600 tokens (7900 of text input, 700 in the output).",
            292,
        ),
    ],
)
def test_what_the_context_leaves_is_computed_from_each_services_words(message, left):
    assert after(error(message), request=PLAIN) == Dialect(context_cap=left)


def test_room_for_reasoning_that_does_not_fit_is_given_up_and_a_long_prompt_stays_too_long():
    dialect = after(error(VLLM), dialect=Dialect(room=1))
    assert dialect == Dialect(room=1, context_cap=700)
    assert after(error(VLLM), dialect=dialect) is None
    assert after(error(VLLM)) is None


@pytest.mark.parametrize(
    "message",
    [
        "The number of input and maximum output tokens (8193) exceeded this model context window "
        "limit (8192).",
        "Prompt contains 32700 tokens and max_tokens is 700, too large for the context length",
        "input length and `max_tokens` exceed context limit: 199800 + 700 > 200000",
        "Request too large on output tokens per minute (TPM): Limit 300, reduce your max_tokens",
        "You can only afford fewer: max_tokens exceeds your credit",
    ],
)
def test_a_limit_that_depends_on_the_prompt_or_a_quota_is_lowered_for_this_request_alone(message):
    dialect = after(error(message), request=PLAIN)
    assert dialect is not None
    assert token_limit(PLAIN, dialect, 0) < 700
    assert dialect.lasting == Dialect()


@pytest.mark.parametrize(
    "message",
    [
        "litellm.UnsupportedParamsError: x does not support parameters: ['max_tokens']",
        "Unrecognized request argument supplied: max_tokens",
        "Unknown parameter: 'max_tokens'.",
    ],
)
def test_a_limit_whose_name_is_refused_gets_its_other_name(message):
    asked = build_body("m", PLAIN, after(error(message)))
    assert "max_completion_tokens" in asked
    assert "max_tokens" not in asked
