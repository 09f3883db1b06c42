"""Refusals in the services' own words, and what is asked next."""

import json

import pytest

from blocks.providers.base import ChatRequest, Message
from blocks.providers.chat.adapting import MAX_CHANGES, next_dialect
from blocks.providers.chat.error import UpstreamError
from blocks.providers.chat.request import Dialect, build_body
from tests.support.blocks.refusals import PLAIN, REQUEST, SCHEMA, after, error
from tests.support.blocks.shapes import REFUSALS


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


def test_a_template_that_raises_for_the_system_role_is_a_refusal_of_it():
    body = error("Jinja Exception: System role not supported")
    assert after(body, 500) == Dialect(system_role="user")


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
        (error("Constrained decoding is not enabled"), "words"),
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


@pytest.mark.parametrize(
    "message",
    [
        "temperature must be between 0 and 1",
        "`temperature` must be strictly positive",
        "temperature: Input should be less than or equal to 1.5",
        "temperature must be in the range [0, 0.3]",
    ],
)
def test_a_temperature_out_of_range_is_left_out_of_this_request_alone(message):
    dialect = after(error(message, "temperature"))
    assert dialect is not None
    assert "temperature" not in build_body("m", PLAIN, dialect)
    assert dialect.lasting == Dialect()


@pytest.mark.parametrize(
    "message",
    [
        "The temperature service is down",
        "Provider returned error: reasoning engine crashed",
        "The system is busy",
        "This model is not available. Alternatively, ask another one, or an alternate region",
        "You must contact the system administrator",
    ],
)
def test_a_parameter_that_is_mentioned_but_not_refused_stays(message):
    reasoning = Dialect(token_limit_name="max_completion_tokens")
    assert after(error(message), dialect=reasoning) is None


def test_what_the_prompt_says_is_no_sign():
    prompt = "Which temperature must a response_format have?"
    request = ChatRequest((Message("user", prompt),), 0.4, 700, schema=SCHEMA)
    assert after(error(f"Invalid input: '{prompt}'"), request=request) is None


def test_a_prompt_that_is_refused_for_what_it_says_is_not_asked_again():
    message = "Your prompt was flagged. You must not ask for a temperature. See /docs/reasoning."
    assert after(error(message, code="invalid_prompt")) is None


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
