"""The calls of the dialects as entry points; `/api/schema` leaves them out.

An owner's request id serves as the id of a chat, of a run, and of a completion's start.
"""

from __future__ import annotations

import json
from random import Random
from typing import Any

from tests.support.servers.access.entries import Entry, is_refused, is_unknown
from tests.support.servers.access.exchange import Answer, Request
from tests.support.servers.access.names import Names, text
from tests.support.servers.access.people import MARK
from tests.support.servers.access.rights import ASK, PUBLIC, READ, START

CHAT = "/api/dialects/ai-sdk/ask-question"
RUN = "/api/dialects/ag-ui/ask-question"
JSON = {"Content-Type": "application/json"}

OF_THE_DIALECTS = (
    "dialect-ai-sdk dialect-ai-sdk-object dialect-ai-sdk-resume dialect-ai-sdk-stop dialect-ag-ui"
    " dialect-ag-ui-stop openai-models openai-model openai-chat"
).split()
"""Names of their addresses, which are the operations of the entries."""


def is_no_answer(answer: Answer) -> bool:
    """Whether an answer refuses a call, or says that there is nothing to resume."""
    return answer.status == 204 or is_refused(answer)


def is_refused_their_way(answer: Answer) -> bool:
    """Whether an answer refuses a call in the form of OpenAI's errors."""
    return 400 <= answer.status < 500 and set(json.loads(answer.body)) == {"error"}


def is_answered_their_way(answer: Answer) -> bool:
    """Whether a call that needs no right is answered."""
    return answer.status == 200 or is_refused_their_way(answer)


def _post(path: str, data: Any) -> Request:
    return Request("POST", path, JSON, json.dumps(data).encode())


def _chat(names: Names, random: Random) -> Request:
    message = {"id": "m1", "role": "user", "parts": [{"type": "text", "text": f"What is {MARK}?"}]}
    return _post(CHAT, {"id": text(names.request_id), "messages": [message]})


def _run(names: Names, random: Random) -> Request:
    message = {"id": "u1", "role": "user", "content": f"What is {MARK}?"}
    ids = {"threadId": "t1", "runId": text(names.request_id)}
    return _post(RUN, {**ids, "messages": [message]})


def _completion(names: Names, random: Random) -> Request:
    message = {"role": "user", "content": f"What is {MARK}?"}
    body = {
        "model": "ask-question",
        "messages": [message],
        "request_id": text(names.request_id),
        "stream": True,  # it may have been stopped, which is an error where it is asked for whole
    }
    return _post("/v1/chat/completions", body)


DIALECTS = [
    Entry("useChat", "dialect-ai-sdk", START, _chat),
    Entry(
        "useObject",
        "dialect-ai-sdk-object",
        START,
        lambda n, r: _post("/api/dialects/ai-sdk/quiz/object", {"prompt": "Why"}),
    ),
    Entry(
        "resume a chat",
        "dialect-ai-sdk-resume",
        READ,
        lambda n, r: Request("GET", f"{CHAT}/{n.request_id}/stream"),
        is_no_answer,
    ),
    Entry(
        "stop a chat",
        "dialect-ai-sdk-stop",
        ASK,
        lambda n, r: Request("POST", f"{CHAT}/{n.request_id}/stop"),
    ),
    Entry("run of an agent", "dialect-ag-ui", START, _run),
    Entry(
        "stop a run",
        "dialect-ag-ui-stop",
        ASK,
        lambda n, r: _post(f"{RUN}/stop", {"threadId": "t1", "runId": text(n.request_id)}),
        is_unknown,
    ),
    Entry(
        "models",
        "openai-models",
        PUBLIC,
        lambda n, r: Request("GET", "/v1/models"),
        is_answered_their_way,
    ),
    Entry(
        "model",
        "openai-model",
        PUBLIC,
        lambda n, r: Request("GET", "/v1/models/quiz"),
        is_answered_their_way,
    ),
    Entry("completion", "openai-chat", START, _completion, is_refused_their_way),
]
"""For an owner they succeed in this order."""
