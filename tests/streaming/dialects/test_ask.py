"""What a chat client asks, and the ids that make its starts idempotent."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.dialects.ag_ui_views import options_in
from streaming.dialects.ask import (
    ID_CHARS,
    id_in,
    last_of_user,
    messages_in,
    request_id_of,
    request_ids_of,
    text_of,
)
from streaming.dialects.openai_views import stream_options_in
from streaming.errors import Refused
from streaming.protocol.commands import is_uuid

ids = st.text(min_size=1, max_size=20)


@given(ids, ids, ids)
def test_a_turns_request_id_is_a_uuid_among_those_of_its_chat(
    block: str, chat: str, turn: str
) -> None:
    request_id = request_id_of("ai-sdk", block, chat, turn)
    assert is_uuid(request_id) and request_id == request_id.lower()
    assert request_id == request_id_of("ai-sdk", block, chat, turn)
    low, high = request_ids_of("ai-sdk", block, chat)
    assert low <= request_id <= high and is_uuid(low) and is_uuid(high)
    for other in (
        request_id_of("ag-ui", block, chat, turn),
        request_id_of("ai-sdk", f"{block}!", chat, turn),
        request_id_of("ai-sdk", block, f"{chat}!", turn),
    ):
        assert not low <= other <= high
    assert request_id != request_id_of("ai-sdk", block, chat, f"{turn}!")


def test_ids_that_look_alike_when_joined_are_different() -> None:
    assert request_id_of("d", "a", "bc", "x") != request_id_of("d", "ab", "c", "x")
    assert request_id_of("d", "a", "b", "x", "y") != request_id_of("d", "a", "b", "xy")


def test_the_last_message_of_the_user_is_the_prompt_wherever_it_stands() -> None:
    messages = messages_in(
        {
            "messages": [
                {"role": "user", "content": "Old"},
                {
                    "role": "user",
                    "parts": [{"type": "text", "text": "N"}, {"type": "text", "text": "ew"}],
                },
                {"role": "assistant", "content": "was cut he"},
            ]
        }
    )
    assert text_of(last_of_user(messages)) == "New"
    assert text_of({"content": "Plain"}) == "Plain"
    assert text_of({"content": [{"type": "text", "text": "Parts"}]}) == "Parts"


@pytest.mark.parametrize(
    "body", [{}, {"messages": "x"}, {"messages": ["x"]}, {"messages": []}, {"messages": [{}]}]
)
def test_a_body_without_a_message_of_the_user_is_refused(body: Any) -> None:
    with pytest.raises(Refused, match="messages"):
        last_of_user(messages_in(body))


@pytest.mark.parametrize(
    "message",
    [{}, {"content": 1}, {"content": [{"type": "file"}]}, {"parts": [{"type": "text", "text": 1}]}],
)
def test_a_message_of_other_things_than_text_is_refused(message: Any) -> None:
    with pytest.raises(Refused, match="only text"):
        text_of(message)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["role", "content", "parts", "type", "text"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)


@given(values, st.booleans())
def test_any_message_is_read_or_refused(value: Any, is_of_user: bool) -> None:
    message = {**value, "role": "user"} if isinstance(value, dict) and is_of_user else value
    with suppress(Refused):
        assert isinstance(text_of(last_of_user(messages_in({"messages": [message]}))), str)
    for read in (options_in, lambda value: stream_options_in({"stream": value})):
        with suppress(Refused):
            read(value)


@pytest.mark.parametrize("value", [None, "", 1, "x" * (ID_CHARS + 1)])
def test_an_id_is_a_bounded_text(value: Any) -> None:
    with pytest.raises(Refused, match="threadId"):
        id_in({"threadId": value}, "threadId")
