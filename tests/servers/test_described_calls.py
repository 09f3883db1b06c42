"""Every call of the API's description, with inputs that fit it and inputs that don't.

schemathesis makes the inputs from `/api/schema`, and compares each answer with what is described
there. The owner of a few answers makes half of the calls, so that more than refusals is compared.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.support.schema import validate_event
from tests.support.servers.harness import Database, Server, running
from tests.support.servers.tokens import Program, add_token
from tests.support.servers.visitor import START
from tests.support.sizes import sized
from tests.support.streaming.sse_reader import SseReader

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = sized(40, 200)
TIMEOUT_SECONDS = 30
JSON = {"media_type": "application/json"}
GOOD: dict[str, dict[str, Any]] = {
    "GET /api/blocks": {},
    "GET /api/config": {},
    "GET /api/stream/ai-block/{block_type}": {"query": {"prompt": "Why?"}},
    "POST /api/stream/ai-block/{block_type}": {"body": {"prompt": "Why?"}, **JSON},
    "GET /api/streams": {"query": {"q": "Why", "status": "complete", "limit": 1}},
    "GET /api/streams/{stream_id}": {},
    "POST /api/streams/{stream_id}/cancel": {},
    "GET /api/streams/{stream_id}/events": {},
    "POST /api/streams/cancel": {"body": {"request_id": str(uuid.UUID(int=1))}, **JSON},
    "GET /api/export": {"query": {"format": "json"}},
    "DELETE /api/streams/{stream_id}": {},  # last: these delete what the others read
    "DELETE /api/streams": {},
}
"""For each call that is described, one that succeeds. A new call needs a line here."""

BLOCKS = ["ask-question", "explain-eli10", "quiz", "diagram"]


@pytest.fixture(scope="module")
def database(template: Any, tmp_path_factory: pytest.TempPathFactory) -> Database:
    return Database(template, tmp_path_factory.mktemp("described"))


@pytest.fixture(scope="module")
def server(database: Database) -> Iterator[Server]:
    with running("serve", database) as started:
        yield started


@pytest.mark.timeout(300)
async def test_every_described_call_answers_as_described(
    server: Server, database: Database
) -> None:
    token = add_token(database)
    owner = Program(server.port, token)
    streams = []
    for _ in range(3):
        async with await owner.open(START, method="POST", data={"prompt": "Why?"}) as client:
            await client.until_end()
            streams.append(client.events[0]["stream_id"])
    schema = schemathesis.openapi.from_url(f"{server.url}/api/schema")
    schema.config.update(base_url=server.url)
    operations = {found.ok().label: found.ok() for found in schema.get_all_operations()}
    assert set(operations) == set(GOOD)
    for label in GOOD:
        call_many(operations[label], {"Authorization": f"Bearer {token}"}, streams)
    server.assert_unharmed()


def call_many(operation: Any, headers: dict[str, str], streams: list[str]) -> None:
    """Make the good call, which must succeed, and then many that are made up."""
    real = {"stream_id": streams[0], "block_type": BLOCKS[0]}
    in_path = {name: real[name] for name in real if f"{{{name}}}" in operation.label}
    good = operation.Case(path_parameters=in_path, **GOOD[operation.label])
    assert check(good, headers) < 300
    fitting, wrong = map(operation.as_strategy, (GenerationMode.POSITIVE, GenerationMode.NEGATIVE))

    @seed(1)
    @settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(fitting | wrong, st.booleans(), st.sampled_from(streams), st.sampled_from(BLOCKS))
    def call(case: Any, is_owner: bool, stream_id: str, block_type: str) -> None:
        real = {"stream_id": stream_id, "block_type": block_type}
        if is_owner:
            case.path_parameters = {name: real[name] for name in case.path_parameters or ()}
        check(case, headers if is_owner else {})

    call()


def check(case: Any, headers: dict[str, str]) -> int:
    """Make a call, compare the answer with its description, and return its status."""
    response = case.call(headers=headers, timeout=TIMEOUT_SECONDS)
    is_stream = response.headers.get("content-type", [""])[0].startswith("text/event-stream")
    if is_stream:  # OpenAPI 3.1 describes it as text; schemathesis reads its first events
        events = [json.loads(message.data) for message in SseReader().feed(response.content)]
        for event in events:
            validate_event(event)
        assert events[0]["type"] == "start"
    case.validate_response(response, checks=CHECKS[:-1] if is_stream else CHECKS)
    return int(response.status_code)
