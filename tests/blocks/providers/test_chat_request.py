import json

import pytest

from blocks.providers.base import ChatRequest, Message
from blocks.providers.chat_decoder import decode_error
from blocks.providers.chat_request import Dialect, build_body, next_dialect
from tests.support.blocks.shapes import REFUSALS

SCHEMA = {"type": "object", "properties": {"title": {"type": "string"}}}
REQUEST = ChatRequest((Message("user", "hi"),), temperature=0.4, max_tokens=9, schema=SCHEMA)


def test_a_request_asks_for_a_stream_with_usage_and_the_schema():
    assert build_body("m", REQUEST, Dialect(), {"return_progress": True}) == {
        "model": "m",
        "messages": [{"role": "user", "content": "hi"}],
        "stream": True,
        "max_tokens": 9,
        "temperature": 0.4,
        "stream_options": {"include_usage": True},
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "answer", "schema": SCHEMA},
        },
        "return_progress": True,
    }


@pytest.mark.parametrize("member", sorted(REFUSALS))
def test_each_refused_member_is_left_out_afterwards(member):
    status, body = REFUSALS[member]
    refusal = decode_error(json.dumps(body).encode())
    dialect = next_dialect(Dialect(), refusal, status=status, has_schema=True)
    assert dialect is not None
    before, after = (build_body("m", REQUEST, d) for d in (Dialect(), dialect))
    assert member in before
    assert member not in after
    assert next_dialect(dialect, refusal, status=status, has_schema=True) is None


def test_the_token_limit_stays_under_its_other_name():
    assert (
        build_body("m", REQUEST, Dialect(token_limit_name="max_completion_tokens"))[
            "max_completion_tokens"
        ]
        == 9
    )


@pytest.mark.parametrize("has_system", [True, False])
def test_a_schema_in_words_goes_into_the_one_system_message(has_system):
    system = (Message("system", "Be brief."),) if has_system else ()
    request = ChatRequest((*system, *REQUEST.messages), 0.4, 9, schema=SCHEMA)
    messages = build_body("m", request, Dialect(has_response_format=False))["messages"]
    assert [m["role"] for m in messages] == ["system", "user"]
    assert json.dumps(SCHEMA) in messages[0]["content"]
    assert messages[0]["content"].startswith("Be brief." if has_system else "Answer")


def test_a_refusal_for_another_reason_changes_nothing():
    refusal = decode_error(b'{"error": {"message": "Unknown model", "code": "model_not_found"}}')
    assert next_dialect(Dialect(), refusal, status=400, has_schema=True) is None


def test_a_text_to_go_on_from_is_sent_to_its_last_blank_and_named_as_such():
    beginning = Message("assistant", "  The sky \n ")
    request = ChatRequest((*REQUEST.messages, beginning), 0.4, 9)
    assert request.so_far == beginning.content
    body = build_body("m", request, Dialect())
    assert body["messages"][-1] == {"role": "assistant", "content": "  The sky \n "}
    assert (body["continue_final_message"], body["add_generation_prompt"]) == (True, False)


def test_an_answer_within_the_chat_is_nothing_to_go_on_from():
    example = (Message("user", "a"), Message("assistant", "b"))
    request = ChatRequest((*example, *REQUEST.messages), 0.4, 9)
    assert request.so_far == ""
    assert "continue_final_message" not in build_body("m", request, Dialect())


def test_only_a_refusal_changes_the_dialect():
    _, body = REFUSALS["temperature"]
    refusal = decode_error(json.dumps(body).encode())
    assert next_dialect(Dialect(), refusal, status=500, has_schema=False) is None


def test_the_named_parameter_counts_before_the_words_of_the_message():
    refusal = decode_error(
        b'{"error": {"param": "temperature", "message": "temperature, unlike stream_options"}}'
    )
    dialect = next_dialect(Dialect(), refusal, status=400, has_schema=False)
    assert dialect == Dialect(has_temperature=False)
