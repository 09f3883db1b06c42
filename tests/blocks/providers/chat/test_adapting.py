"""Refusals in the services' own words, and what is asked next."""

import json

import pytest

from blocks.providers.base import ChatRequest, Message
from blocks.providers.chat.adapting import MAX_CHANGES, MIN_TOKENS, next_dialect
from blocks.providers.chat.error import UpstreamError, decode_error
from blocks.providers.chat.request import Dialect, build_body, token_limit
from tests.support.blocks.shapes import REFUSALS

SCHEMA = {"type": "object", "properties": {"title": {"type": "string"}}}
TURNS = (
    Message("system", "Be brief."),
    Message("user", "a"),
    Message("assistant", "b"),
    Message("user", "hi"),
)
REQUEST = ChatRequest(TURNS, temperature=0.4, max_tokens=700, schema=SCHEMA)
PLAIN = ChatRequest(TURNS, temperature=0.4, max_tokens=700)


def after(
    body: object, status: int = 400, *, dialect: Dialect | None = None, request=REQUEST, room=4000
) -> Dialect | None:
    refusal = decode_error(json.dumps(body).encode())
    return next_dialect(
        dialect or Dialect(), refusal, status=status, request=request, reasoning_tokens=room
    )


def error(message: str, param: str | None = None, code: object = None) -> dict:
    return {"error": {"message": message, "type": "invalid_request_error", "param": param}}


@pytest.mark.parametrize("member", sorted(REFUSALS))
def test_each_refused_member_is_left_out_afterwards(member):
    status, body = REFUSALS[member]
    dialect = after(body, status)
    assert dialect is not None
    before, then = (build_body("m", REQUEST, d) for d in (Dialect(), dialect))
    assert member in before
    assert member not in then
    assert after(body, status, dialect=dialect) is None


@pytest.mark.parametrize(
    "body",
    [
        {"object": "error", "message": "System role not supported", "code": 400},
        error(
            "Unsupported value: 'messages[0].role' does not support 'system' with this model.",
            "messages[0].role",
        ),
        error("Developer instruction is not enabled for models/gemma-3-27b-it"),
        error("Only user and assistant roles are supported!"),
        error('messages: Unexpected role "system". The Messages API accepts a top-level `system`'),
        error(
            "Invalid value: 'system'. Supported values are: 'assistant' and 'user'.",
            "messages[0].role",
        ),
        {
            "detail": [
                {
                    "loc": ["body", "messages", 0, "role"],
                    "msg": "Input should be 'user' or 'assistant'",
                }
            ]
        },
        error("The chat template does not support system messages"),
    ],
)
def test_a_model_without_a_system_role_gets_its_text_in_the_first_turn(body):
    dialect = after(body)
    assert dialect == Dialect(system_role="user")
    messages = build_body("m", REQUEST, dialect)["messages"]
    assert [m["role"] for m in messages] == ["user", "assistant", "user"]
    assert messages[0]["content"] == "Be brief.\n\na"
    assert after(body, dialect=dialect) is None


def test_a_model_that_wants_a_developer_gets_one_and_else_none():
    asked = error("'system' is not supported with this model. Use 'developer' instead.")
    dialect = after(asked)
    assert dialect == Dialect(system_role="developer")
    assert build_body("m", REQUEST, dialect)["messages"][0]["role"] == "developer"
    refused = error("The developer role is not supported.")
    assert after(refused, dialect=dialect) == Dialect(system_role="user")


@pytest.mark.parametrize(
    "message",
    [
        "Conversation roles must alternate user/assistant/user/assistant/...",
        "After the optional system message, conversation roles must alternate user/assistant/...",
        'roles must alternate between "user" and "assistant", but found multiple "user" roles',
        "Last message must have role user",
    ],
)
def test_turns_that_must_alternate_are_merged_and_then_only_the_last_is_left(message):
    merged = after(error(message))
    assert merged is not None
    roles = [m["role"] for m in build_body("m", REQUEST, merged)["messages"]]
    assert roles == ["user", "assistant", "user"]
    last = after(error(message), dialect=merged)
    assert last is not None
    assert build_body("m", PLAIN, last)["messages"] == [
        {"role": "user", "content": "Be brief.\n\nhi"}
    ]
    assert after(error(message), dialect=last) is None


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (error("Your organization must be verified to stream this model.", "stream"), 400),
        (error("Your organization must be verified to stream this model."), 403),
        (error("This model does not support streaming."), 400),
        (error("stream must be set to false for this model"), 400),
        (
            error("Unsupported value: 'stream' does not support true with this model.", "stream"),
            400,
        ),
        (error("Streaming is not supported for this model"), 422),
    ],
)
def test_a_model_that_may_not_stream_is_asked_for_the_whole(body, status):
    dialect = after(body, status)
    assert dialect == Dialect(is_streaming=False)
    asked = build_body("m", REQUEST, dialect)
    assert asked["stream"] is False
    assert "stream_options" not in asked


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


def test_a_template_that_raises_for_the_system_role_is_a_refusal_of_it():
    body = error("Jinja Exception: System role not supported")
    assert after(body, 500) == Dialect(system_role="user")


def test_room_for_reasoning_that_does_not_fit_is_given_up_and_a_long_prompt_stays_too_long():
    dialect = after(error(VLLM), dialect=Dialect(room=1))
    assert dialect == Dialect(room=1, context_cap=700)
    assert after(error(VLLM), dialect=dialect) is None
    assert after(error(VLLM)) is None


@pytest.mark.parametrize(
    ("body", "form"),
    [
        ({"error": "'response_format.type' must be 'json_schema' or 'text'"}, "words"),
        (error("This response_format type is unavailable now"), "words"),
        (error("This model does not support response format `json_schema`."), "words"),
        (
            error("'json_schema' is not supported. Supported values are: 'text', 'json_object'."),
            "object",
        ),
        (
            error("Invalid value: 'json_schema'. Use 'json_object'.", "response_format.type"),
            "object",
        ),
        (
            error("Unknown name \"additionalProperties\" at 'generation_config.response_schema'"),
            "words",
        ),
        (error("Structured outputs are not supported"), "words"),
    ],
)
def test_a_form_that_is_refused_becomes_a_simpler_one(body, form):
    dialect = after(body)
    assert dialect == Dialect(answer_form=form)
    asked = build_body("m", REQUEST, dialect)
    assert json.dumps(SCHEMA) in asked["messages"][0]["content"]
    assert asked.get("response_format") == ({"type": "json_object"} if form == "object" else None)
    assert after(body, request=PLAIN) is None


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (
            error(
                "Failed to generate JSON. Please adjust your prompt.", code="json_validate_failed"
            ),
            400,
        ),
        (
            {
                "error": {
                    "code": 500,
                    "message": "Failed to initialize samplers: failed to parse grammar",
                }
            },
            500,
        ),
        (
            {
                "error": {
                    "code": 404,
                    "message": "No endpoints found that can handle the requested parameters.",
                }
            },
            404,
        ),
    ],
)
def test_a_form_that_failed_by_chance_is_asked_once_more_and_then_in_words(body, status):
    again = after(body, status)
    assert again is not None
    assert build_body("m", REQUEST, again) == build_body("m", REQUEST, Dialect())
    assert again.lasting == Dialect()
    words = after(body, status, dialect=again)
    assert words == Dialect(answer_form="words")
    assert after(body, status, dialect=words) is None
    assert after(body, status, request=PLAIN) is None


def test_a_reasoning_model_gets_room_and_a_low_effort_until_it_refuses_that():
    dialect = after(REFUSALS["max_tokens"][1])
    asked = build_body("m", REQUEST, dialect, reasoning_tokens=4000)
    assert (asked["max_completion_tokens"], asked["reasoning_effort"]) == (4700, "low")
    refused = error("Unrecognized request argument supplied: reasoning_effort")
    without = after(refused, dialect=dialect)
    assert "reasoning_effort" not in build_body("m", REQUEST, without)
    assert after(refused) is None  # it was not sent


@pytest.mark.parametrize(
    ("message", "status"),
    [
        ("Unknown model", 400),
        ("Incorrect API key provided", 401),
        ("You exceeded your current quota", 429),
        ("temperature", 500),
        ("model 'llama9' not found, try pulling it first", 404),
        ("No endpoints found matching your data policy", 404),
        ("Loading model", 503),
    ],
)
def test_a_refusal_for_another_reason_changes_nothing(message, status):
    assert after(error(message), status) is None


def test_the_named_parameter_counts_before_the_words_of_the_message():
    refusal = error("temperature, unlike stream_options", "temperature")
    assert after(refusal) == Dialect(has_temperature=False)


def test_what_a_service_echoes_of_the_request_is_no_sign():
    body = {"detail": [{"loc": ["body", "seed"], "msg": "Invalid", "input": {"temperature": 1}}]}
    assert after(body, 422) is None


def test_any_number_of_refusals_for_all_reasons_comes_to_an_end():
    words = " ".join(
        "stream_options temperature max_completion_tokens response_format json_schema alternate "
        "system role not supported streaming is not supported reasoning_effort".split()
    )
    dialect, changes = Dialect(), 0
    while dialect is not None:
        dialect = next_dialect(
            dialect, UpstreamError(400, "", "", words), status=400, request=REQUEST
        )
        changes += 1
    assert changes <= MAX_CHANGES
