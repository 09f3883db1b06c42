"""`/healthz` and `/readyz`, for probes without host names and sessions."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError

from liveai.project_asgi import inner_application
from streaming.errors import Refused
from streaming.generating.model_watch import FAILURES
from streaming.generating.worker_watch import PATIENCE_SECONDS, WorkerWatch
from streaming.http import readiness
from streaming.http.readiness import Readiness
from streaming.models import ServerProcess
from streaming.process import LOG_UNREACHABLE_SECONDS, Process
from tests.conftest import StartProcess
from tests.support.streaming.exchange import Exchange


async def ask(path: str, method: str = "GET", host: bytes = b"10.0.0.7:8001") -> Any:
    exchange = Exchange(method, path, "", [(b"host", host)])
    head = await exchange.head()
    assert "set-cookie" not in head.headers
    return head, await exchange.rest()


@pytest.fixture(autouse=True)
def no_shared_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inner_application, "_readiness", Readiness())


@pytest.mark.parametrize("host", [b"evil.test", b"10.0.0.7:8001", b"", b"bad host/"])
async def test_a_process_that_is_alive_says_so_to_any_host(process: Process, host: bytes) -> None:
    head, body = await ask("/healthz", host=host)
    assert (head.status, json.loads(body)) == (200, {"status": "ok", "checks": {"process": "ok"}})
    head, body = await ask("/readyz", host=host)
    assert head.status == 200
    assert json.loads(body)["checks"] == dict.fromkeys(
        ("database", "model", "tasks", "shutdown"), "ok"
    )


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_a_head_has_no_body_and_other_methods_are_refused(
    process: Process, path: str
) -> None:
    head, body = await ask(path, "HEAD")
    assert (head.status, body) == (200, b"")
    assert int(head.headers["content-length"]) > 0
    head, _ = await ask(path, "POST")
    assert (head.status, head.headers["allow"]) == (405, "GET, HEAD")


async def test_a_process_that_drains_is_alive_but_not_ready(process: Process) -> None:
    await process.manager.drain()
    head, body = await ask("/readyz")
    assert head.status == 503
    assert json.loads(body)["checks"]["shutdown"] == "draining"
    assert (await ask("/healthz"))[0].status == 200


async def test_a_process_one_of_whose_tasks_has_ended_is_not_ready(
    process: Process, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail() -> None:
        raise RuntimeError

    async def end() -> None:
        pass

    process.tasks.start([], once=[fail(), end()])  # what ends by itself, such as a model's loading
    await asyncio.wait(set(list(process.tasks)[-2:]))
    assert (await Readiness(process).report())["tasks"] == "ok"
    assert caplog.text.count("A task of this process has failed: ") == 1
    process.tasks.start([fail()])
    await asyncio.wait({list(process.tasks)[-1]})
    head, body = await ask("/readyz")
    assert (head.status, json.loads(body)["checks"]["tasks"]) == (503, "one has ended")
    assert caplog.text.count(f"A task of this process has failed: {fail.__qualname__}.") == 2


async def test_a_process_that_has_not_reached_redis_yet_is_not_ready(
    start_process: StartProcess, settings: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings.REDIS_URL = f"unix://{tmp_path}/nobody.sock"
    process = await start_process()
    assert process.log.unreachable_seconds < LOG_UNREACHABLE_SECONDS
    head, body = await ask("/readyz")
    assert (head.status, json.loads(body)["checks"]["redis"]) == (503, "can't be reached")


async def test_without_its_database_it_is_alive_but_not_ready(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail_unreachable() -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(readiness, "_ask_database", fail_unreachable)
    head, body = await ask("/readyz")
    assert head.status == 503
    assert json.loads(body)["checks"]["database"] == "can't be reached"
    assert b"gone" not in body
    assert (await ask("/healthz"))[0].status == 200


async def test_where_the_process_cannot_start_it_is_not_ready(
    start_process: StartProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail() -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(readiness, "ensure_started", fail)
    head, body = await ask("/readyz")
    assert (head.status, json.loads(body)["checks"]) == (503, {"database": "can't be reached"})


async def test_many_probes_cost_one_look_a_second(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = 0

    def look() -> None:
        nonlocal looks
        looks += 1

    monkeypatch.setattr(readiness, "_ask_database", look)
    clock = 0.0
    shared = Readiness(now=lambda: clock)
    for _ in range(50):
        await shared.report()
    assert looks == 1
    clock = 1.0
    await shared.report()
    assert looks == 2


async def test_without_a_worker_it_is_not_ready_and_refuses_starts(process: Process) -> None:
    clock = 0.0
    process.workers = WorkerWatch(now=lambda: clock)
    clock = PATIENCE_SECONDS
    head, body = await ask("/readyz")
    assert head.status == 503
    assert json.loads(body)["checks"]["workers"] == "none is alive"
    with pytest.raises(Refused, match="can't be generated"):
        process.workers.require()


async def test_a_model_that_fails_is_told_and_takes_no_process_out_of_service(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(FAILURES):
        process.generations.model.note(settings.AI_MODEL, "provider_unavailable")
    head, body = await ask("/readyz")
    assert head.status == 200
    told = json.loads(body)["checks"]["model"]
    assert told == "the last answers failed: provider_unavailable"

    monkeypatch.setattr(inner_application, "_readiness", Readiness())
    monkeypatch.setattr(process.providers, "is_down", lambda model: model == settings.AI_MODEL)
    head, body = await ask("/readyz")
    assert (head.status, json.loads(body)["checks"]["model"]) == (200, "its process does not run")


async def test_a_process_that_does_not_generate_tells_what_a_worker_says_of_the_model(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    process.workers = WorkerWatch(now=lambda: 0.0)
    for said, told in ((["", ""], "ok"), (["", "it fails"], "it fails"), ([], "ok")):
        process.workers.note(said)
        monkeypatch.setattr(inner_application, "_readiness", Readiness())
        head, body = await ask("/readyz")
        assert (head.status, json.loads(body)["checks"]["model"]) == (200, told)


async def test_a_heartbeat_tells_what_is_wrong_with_the_model(process: Process) -> None:
    for _ in range(FAILURES):
        process.generations.model.note(settings.AI_MODEL, "provider_unavailable")
    await process._beat()
    row = await ServerProcess.objects.aget(pk=process.liveness.process_id)
    assert row.model_trouble == "the last answers failed: provider_unavailable"
