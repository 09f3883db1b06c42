"""What a request's body held is freed with its response, not by the garbage collector.

A busy process puts off full collections. Hundreds of parsed bodies would fill its memory meanwhile.
"""

from __future__ import annotations

import gc
import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from blocks.models import BlockType

START = "/api/stream/ai-block/tale"
CHAT = "/api/dialects/ai-sdk/tale"

LENGTHS = itertools.count(2_000)
"""Of the lists that are looked for: each test has its own."""


@pytest.fixture
def _collector_is_off(db: None) -> Iterator[None]:
    for slug, output in (("tale", "text"), ("cards", "quiz")):
        BlockType.objects.create(slug=slug, title=slug, model="scripted:x", output=output)
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("_collector_is_off")
@pytest.mark.parametrize(
    ("path", "body"),
    [
        (START, {"prompt": "LONG"}),
        (START, {"prompt": "Why?", "options": "LONG"}),
        (START, {"prompt": "Why?", "unknown": "LONG"}),
        ("/api/streams/cancel", {"request_id": "LONG"}),
        (CHAT, {"id": "x", "messages": "LONG"}),
        (CHAT, {"id": "x", "messages": [{"role": "user", "parts": "LONG"}]}),
        ("/api/dialects/ai-sdk/cards/object", {"prompt": "LONG"}),
        ("/api/dialects/ag-ui/tale", {"threadId": "x", "runId": "y", "messages": "LONG"}),
        ("/v1/chat/completions", {"model": "tale", "messages": "LONG"}),
    ],
)
def test_a_parsed_body_is_freed_with_its_response(
    path: str, body: Any, client: Client, settings: Any
) -> None:
    settings.AI_ALLOW_ANONYMOUS = True
    length = next(LENGTHS)
    sent = json.dumps(body).replace('"LONG"', f"[{', '.join(['[]'] * length)}]")
    assert client.post(path, sent, content_type="application/json").status_code == 400
    assert not [each for each in gc.get_objects() if type(each) is list and len(each) == length]
