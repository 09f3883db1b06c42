"""Calls of the dialects, and what comes back."""

from __future__ import annotations

import asyncio
from typing import Any

from streaming.models import Stream

CHAT = "/api/dialects/ai-sdk/tale"
OBJECT = "/api/dialects/ai-sdk/quiz/object"
RUN = "/api/dialects/ag-ui/tale"
COMPLETIONS = "/v1/chat/completions"


def chat(text: str = "Why?", *, message: str = "m1", **fields: Any) -> dict[str, Any]:
    asked = {"id": message, "role": "user", "parts": [{"type": "text", "text": text}]}
    return {"id": "c1", "messages": [asked], "trigger": "submit-message", **fields}


def run(text: str = "Why?", *, run_id: str = "r1", **fields: Any) -> dict[str, Any]:
    asked = {"id": "u1", "role": "user", "content": text}
    return {
        "threadId": "t1",
        "runId": run_id,
        "messages": [asked],
        "tools": [],
        "context": [],
        "state": {},
        "forwardedProps": {},
        "protocolVersion": "1.0",
        **fields,
    }


def completion(text: str = "Why?", model: str = "tale", **fields: Any) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": text}], **fields}


def code_of(answer: Any) -> str:
    data = answer.json()
    return str(data["error"]["code"] if "error" in data else data["code"])


async def running_stream(**fields: Any) -> Stream:
    """Wait until the one stream of a test, or the one with these fields, has its row."""
    async with asyncio.timeout(30):
        while (row := await Stream.objects.filter(**fields).afirst()) is None:  # noqa: ASYNC110 (no event)
            await asyncio.sleep(0.01)
    return row
