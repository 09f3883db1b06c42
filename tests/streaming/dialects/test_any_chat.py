"""Any body at all, at the doors of the chats: it is a chat, or it is refused in the door's form.

hypothesis makes the bodies, the same ones in each run.
"""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from blocks.models import BlockType
from tests.conftest import Play
from tests.support.schema import validate_problem
from tests.support.sizes import sized
from tests.support.streaming.browser import Browser
from tests.support.streaming.dialect_calls import CHAT, COMPLETIONS, RUN, chat, completion, run

JSON: dict[str, str | None] = {"Content-Type": "application/json"}

texts = st.text(max_size=20) | st.sampled_from(["\0", "\ud800", "x" * 300])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2),
    max_leaves=5,
)
ids = st.just("i1") | texts | values
parts = st.fixed_dictionaries({"type": st.just("text") | values, "text": st.just("Why?") | values})
messages = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "system"]) | values},
    optional={
        "id": ids,
        "content": st.just("Why?") | values | st.lists(parts, max_size=2),
        "parts": st.lists(parts | values, max_size=2) | values,
    },
)
changes = st.fixed_dictionaries(
    {},
    optional={
        "messages": st.lists(messages | values, max_size=3) | values,
        "id": ids,
        "messageId": ids,
        "trigger": st.just("regenerate-message") | values,
        "threadId": ids,
        "runId": ids,
        "forwardedProps": st.dictionaries(texts, values, max_size=1) | values,
        "model": st.just("tale") | values,
        "stream": values,
        "stream_options": st.just({"include_usage": True}) | values,
        "n": values,
        "options": values,
        "request_id": st.uuids().map(str) | values,
    },
)
CALLS = [
    (CHAT, chat()),
    (f"{CHAT}/c1/stop", {}),
    (RUN, run()),
    (f"{RUN}/stop", {"threadId": "t1", "runId": "r1"}),
    (COMPLETIONS, completion()),
    (COMPLETIONS, completion(stream=True)),
]


@pytest.mark.parametrize(("path", "body"), CALLS)
@settings(
    max_examples=sized(40, 500),
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@example(change={"x": 2**70})
@example(change={"messages": [{"role": "user", "id": "\ud800", "content": "\ud800"}]})
@given(change=changes)
async def test_any_body_is_a_chat_or_is_refused(
    browser: Browser,
    block: BlockType,
    play: Play,
    caplog: pytest.LogCaptureFixture,
    path: str,
    body: dict[str, Any],
    change: dict[str, Any],
) -> None:
    play("Hello")
    sent = json.dumps({**body, **change}).encode()
    answer = await browser.call("POST", path, body=sent, headers=JSON)
    assert answer.status < 500, answer
    if answer.status >= 400 and path == COMPLETIONS:
        error = answer.json()["error"]
        assert set(error) == {"message", "type", "param", "code"}
    elif answer.status >= 400:
        validate_problem(answer.json())
    assert [each for each in caplog.records if each.levelno >= logging.ERROR] == []
