"""Clients of the dialects against a real server: each starts, loses its connection, resumes, stops.

`clients/hooks.mjs` and `clients/agents.mjs` run those of npm, with an API token. docs/dialects.md
has the table of what each of them can do; it is true as far as it is asserted here.
"""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from liveai.api_libraries import API_LIBRARIES
from tests.dialects.conftest import Site
from tests.support.frontend.node import node_environment
from tests.support.servers.harness import Database, running
from tests.support.servers.tokens import add_token

CLIENTS = Path(__file__).parent / "clients"
INSTALL_SECONDS = 240
RUN_SECONDS = 100

BRIEF = "Please speak briefly."
BRIEF_ANSWER = "tick " * 20
FOR_EVER = "Please speak for ever."
RING = "Which planet has the largest rings?"

HOOKS = {"AI SDK 5": "ai-sdk-react-2", "AI SDK 6": "ai-sdk-react-3", "AI SDK 7": "ai-sdk-react-4"}
"""The packages of the hooks, by the version of the SDK that they belong to."""

by_version = pytest.mark.parametrize("version", HOOKS.values(), ids=HOOKS.keys())


@pytest.fixture(scope="module")
def seen(site: Site) -> Any:
    """What the clients of npm held. Installs them first, where a checkout has none."""
    environment = node_environment(BASE=site.url, TOKEN=site.token)
    node, npm = (shutil.which(name, path=environment["PATH"]) for name in ("node", "npm"))
    assert node and npm, "Node is missing: scripts/test installs it."
    installed = CLIENTS / "node_modules" / ".package-lock.json"
    wanted = CLIENTS / "package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < wanted.stat().st_mtime:
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        _run(command, environment, INSTALL_SECONDS)

    def run(script: str) -> Any:
        return json.loads(_run([node, script], environment, RUN_SECONDS))

    with ThreadPoolExecutor() as pool:
        hooks, agents = pool.map(run, ("hooks.mjs", "agents.mjs"))
    return {**hooks, **agents}


def _run(command: list[str], environment: dict[str, str], seconds: int) -> str:
    done = subprocess.run(
        command, cwd=CLIENTS, env=environment, capture_output=True, text=True, timeout=seconds
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.timeout(INSTALL_SECONDS + RUN_SECONDS)
@by_version
def test_use_chat_starts_resumes_and_stops(seen: Any, version: str) -> None:
    """Also installs and runs the clients, so it takes longest."""
    told = seen[version]["chat"]
    assert told["started"] == {
        "status": "ready",
        "roles": ["user", "assistant"],
        "text": BRIEF_ANSWER,
        "kinds": ["text"],
        "isOpen": False,
    }
    cut = told["cut"]
    assert cut["status"] == "error"
    assert 0 < len(cut["text"]) < len(BRIEF_ANSWER)
    assert told["resumed"] == told["started"]  # nothing lost, nothing doubled
    assert told["loaded"] == told["started"]
    assert told["idle"] == "ready"
    assert told["stop"]["status"] == 200
    assert told["stop"]["body"]["status"] == "cancelled"
    stopped = told["stopped"]
    assert (stopped["status"], stopped["kinds"]) == ("ready", ["text", "data-cancelled"])
    assert stopped["text"] == told["stop"]["body"]["text"]
    # An edited message, and two regenerations of its answer.
    assert len(set(told["again"].pop("ids"))) == 4
    assert told["again"] == told["started"]


@by_version
def test_use_chat_has_the_parts_of_a_quiz_and_its_failures(seen: Any, version: str) -> None:
    told = seen[version]["chat"]
    items = {part["id"]: part["data"] for part in told["quiz"]}
    assert items["/questions/1"]["value"] == items["result"]["questions"][1]
    assert items["result"]["questions"][1]["question"] == RING
    assert told["failed"] == {"status": "error", "code": "provider_rejected"}
    assert told["refused"] == {"status": "error", "code": "unknown_block"}


@by_version
@pytest.mark.parametrize(("kind", "parts"), [("quiz", 3), ("diagram", 8), ("again", 3)])
def test_use_object_grows_part_by_part_and_fits_its_schema(
    seen: Any, version: str, kind: str, parts: int
) -> None:
    """A second time with the `request_id` of the one that was cut, too."""
    told = seen[version]["object"][kind]
    assert told["failure"] is None
    assert told["object"] == told["shown"]  # the schema's check found no fault
    counts = told["counts"]
    assert counts == sorted(counts) and counts[-1] == parts
    assert kind == "again" or len(set(counts)) > 2


@by_version
@pytest.mark.parametrize("kind", ["cut", "failed", "stopped"])
def test_use_object_has_an_error_where_the_answer_has_no_end(
    seen: Any, version: str, kind: str
) -> None:
    """Its connection was lost, the model failed after the first question, or it was stopped."""
    told = seen[version]["object"][kind]
    assert told["failure"] is not None and told["error"] == told["failure"]
    assert "object" not in told  # `onFinish` was not called
    assert len(told["shown"]["questions"]) == 1
    assert seen[version]["object"]["stop"]["body"]["status"] == "cancelled"


def test_http_agent_starts_resumes_and_stops(seen: Any) -> None:
    told = seen["ag-ui"]
    answer = {"role": "assistant", "content": BRIEF_ANSWER}
    started, cut, resumed, stopped = (
        told[name] for name in ("started", "cut", "resumed", "stopped")
    )
    assert started["messages"][1:] == [answer]
    assert started["outcome"] == {"type": "success"}
    assert cut["failure"] is not None and cut["outcome"] is None
    assert 0 < len(cut["messages"][1]["content"]) < len(BRIEF_ANSWER)
    assert resumed["messages"] == started["messages"]
    assert resumed["failure"] is None
    assert told["stop"]["body"]["status"] == "cancelled"
    assert stopped["outcome"] == {"type": "cancelled"}
    assert stopped["messages"][1]["content"] == told["stop"]["body"]["text"]
    assert told["quiz"]["state"]["questions"][1]["question"] == RING
    assert told["quiz"]["outcome"] == {"type": "success"}
    diagram = told["diagram"]["state"]
    assert (len(diagram["nodes"]), len(diagram["edges"])) == (4, 4)
    assert diagram["source"].startswith("flowchart")
    # A failed run rejects nothing: its client has to look for the event.
    assert "RUN_ERROR" in told["failed"]["types"] and told["failed"]["outcome"] is None
    assert told["failed"]["failure"] is None
    assert len(told["failed"]["state"]["questions"]) == 1


def test_openai_for_node_starts_finds_its_answer_again_and_is_stopped(seen: Any) -> None:
    told = seen["openai"]
    assert told["whole"] == told["started"]["text"] == BRIEF_ANSWER
    assert told["started"]["reason"] == "stop"
    assert told["cut"]["failure"] is not None and told["cut"]["reason"] is None
    assert told["again"]["text"] == BRIEF_ANSWER
    assert told["again"]["id"] == told["cut"]["id"]
    assert (told["stopped"]["status"], told["stopped"]["failure"]) == (200, "cancelled")
    assert told["helped"] == BRIEF_ANSWER
    assert "ask-question" in told["models"]
    # In a page of another origin, each of these needs the preflight's leave.
    assert {"authorization", "x-stainless-helper-method"} <= set(told["headers"])
    assert set(told["headers"]) <= set(API_LIBRARIES["CORS_ALLOW_HEADERS"])


def test_openai_for_python_starts_finds_its_answer_again_and_is_stopped(site: Site) -> None:
    def ask(client: openai.OpenAI, text: str, model: str = "ask-question", **more: Any) -> Any:
        messages: Any = [{"role": "user", "content": text}]
        return client.chat.completions.create(model=model, messages=messages, **more)

    with site.openai() as client:
        assert ask(client, BRIEF).choices[0].message.content == BRIEF_ANSWER
        again = {"extra_body": {"request_id": str(uuid.uuid4())}}
        cut = ask(client, BRIEF, stream=True, **again)
        first = next(iter(cut))
        cut.close()
        options = {"stream": True, "stream_options": {"include_usage": True}}
        chunks = list(ask(client, BRIEF, **options, **again))
        assert chunks[0].id == first.id
        assert "".join(c.choices[0].delta.content or "" for c in chunks[:-1]) == BRIEF_ANSWER
        assert chunks[-1].usage.total_tokens > 0
        stream = ask(client, FOR_EVER, stream=True)
        stream_id = next(iter(stream)).id.removeprefix("chatcmpl-")
        httpx.post(f"{site.url}/api/streams/{stream_id}/cancel", headers=site.headers)
        with pytest.raises(openai.APIError) as stopped:
            list(stream)
        assert stopped.value.code == "cancelled"
        with pytest.raises(openai.NotFoundError) as missing:
            ask(client, BRIEF, model="none")
        assert missing.value.code == "unknown_block"
        assert client.models.retrieve("quiz").id in [model.id for model in client.models.list()]
        with pytest.raises(openai.NotFoundError) as missing:
            client.embeddings.create(model="quiz", input="Why?")
        assert missing.value.code == "not_found"
    with pytest.raises(openai.AuthenticationError):
        ask(openai.OpenAI(base_url=f"{site.url}/v1", api_key="wrong", max_retries=0), BRIEF)


def test_a_server_that_goes_away_breaks_the_body_instead_of_ending_it(
    template: Path, tmp_path: Path
) -> None:
    """A clean end would be the whole answer to a client of another dialect."""
    database = Database(template, tmp_path)
    with running("serve", database) as server:
        site = Site(server, add_token(database))
        body = {"model": "ask-question", "messages": [{"role": "user", "content": FOR_EVER}]}
        url = f"{site.url}/v1/chat/completions"
        with (
            httpx.Client(headers=site.headers) as client,
            client.stream("POST", url, json={**body, "stream": True}) as response,
        ):
            pieces = response.iter_bytes()
            assert next(pieces)
            server.signal(signal.SIGTERM)
            with pytest.raises(httpx.RemoteProtocolError):
                for _ in pieces:
                    pass
        server.wait(60)
        assert "without completing response" not in server.output  # it is no error of ours
