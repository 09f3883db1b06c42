import json

import pytest

from blocks.providers.base import ChatRequest, Message
from blocks.providers.chat.request import Dialect, build_body, token_limit

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


def test_a_grammar_and_a_local_models_sampling_are_not_sent_to_services():
    request = ChatRequest(
        REQUEST.messages, 0.4, 9, grammar='root ::= "x"', sampling={"min_p": 0.05}
    )
    assert build_body("m", request, Dialect()).keys() == {
        "model", "messages", "stream", "max_tokens", "temperature", "stream_options"
    }  # fmt: skip


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
    messages = build_body("m", request, Dialect(answer_form="words"))["messages"]
    assert [m["role"] for m in messages] == ["system", "user"]
    assert json.dumps(SCHEMA) in messages[0]["content"]
    assert messages[0]["content"].startswith("Be brief." if has_system else "Answer")


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


def test_room_for_reasoning_is_added_to_the_blocks_own_tokens_within_the_models_limit():
    levels = [token_limit(REQUEST, Dialect(room=level), 4000) for level in (0, 1, 2)]
    assert levels == [9, 4009, 16009]
    assert token_limit(REQUEST, Dialect(room=2, token_cap=5000), 4000) == 5000
    assert token_limit(REQUEST, Dialect(room=2), 0) == 9


def test_an_effort_is_asked_for_only_beside_the_limit_of_reasoning_models():
    reasoning = Dialect(token_limit_name="max_completion_tokens")
    assert build_body("m", REQUEST, reasoning)["reasoning_effort"] == "low"
    assert "reasoning_effort" not in build_body("m", REQUEST, Dialect())


def test_json_without_a_schema_has_the_schema_in_words():
    body = build_body("m", REQUEST, Dialect(answer_form="object"))
    assert body["response_format"] == {"type": "json_object"}
    assert json.dumps(SCHEMA) in body["messages"][0]["content"]


def test_an_answer_to_go_on_from_stays_the_last_turn_in_every_dialect():
    turns = (Message("system", "s"), Message("user", "a"), Message("assistant", "b"))
    request = ChatRequest((*turns, Message("user", "c"), Message("assistant", "so far")), 0.4, 9)
    for turns_in in ("all", "merged", "last"):
        for role in ("system", "developer", "user"):
            messages = build_body("m", request, Dialect(turns=turns_in, system_role=role))[
                "messages"
            ]
            assert messages[-1] == {"role": "assistant", "content": "so far"}
            assert "s" in messages[0]["content"]
