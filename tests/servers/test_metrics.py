"""The metrics of real processes, and what `deploy/` looks at in them."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from django.core.management import CommandError, call_command
from prometheus_client.parser import text_string_to_metric_families

from streaming.serving.worker_page import parse_address
from tests.support.faults.redis_server import free_port, running_redis
from tests.support.servers.harness import ROOT, Database, Server, running
from tests.support.servers.visitor import Visitor

TOKEN = "metrics-token-of-these-tests"
SETTINGS = {"METRICS_TOKEN": TOKEN}
HEADERS = {"Authorization": f"Bearer {TOKEN}"}

ALERTS = ROOT / "deploy" / "prometheus" / "alerts.yml"
BOARD = ROOT / "deploy" / "grafana" / "liveai.json"
_METRIC = re.compile(r"\b(?:liveai|process)_[a-z_]+\b")


def names_in(page: str) -> set[str]:
    """Return the names of all series, as queries use them."""
    families = list(text_string_to_metric_families(page))
    described = {family.name for family in families if family.type in ("gauge", "histogram")}
    counters = {f"{family.name}_total" for family in families if family.type == "counter"}
    buckets = {f"{family.name}_bucket" for family in families if family.type == "histogram"}
    return described | counters | buckets


@pytest.fixture(scope="module")
def cluster(
    template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, str]]:
    """A web process and a worker on one Redis: the server, and the worker's address."""
    folder = tmp_path_factory.mktemp("metrics")
    port = free_port()
    # The worker's command, with an option more.
    wrapper = ["bash", "-c", f'exec "$@" --metrics 127.0.0.1:{port}', "-"]
    with running_redis(folder / "redis") as redis:
        environment = {**SETTINGS, "REDIS_URL": redis.url, "AI_STREAMING_RUNNER": "worker"}
        database = Database(template, folder / "db")
        with (
            running("serve", database, environment=environment) as server,
            running("work", database, environment=environment, wrapper=wrapper) as worker,
        ):
            yield server, f"http://127.0.0.1:{port}"
            server.assert_unharmed()
            worker.assert_unharmed()


async def get(url: str, headers: dict[str, str] = HEADERS) -> httpx.Response:
    async with httpx.AsyncClient(timeout=30) as client:
        return await client.get(url, headers=headers)


async def test_a_worker_has_metrics_and_probes_and_nothing_else(
    cluster: tuple[Server, str],
) -> None:
    server, worker = cluster
    visitor = await Visitor.arrive(server.port)
    async with await visitor.ask("Why?") as client:
        assert (await client.until_end())[-1]["type"] == "complete"
    page = (await get(f"{worker}/metrics")).text
    assert (
        'liveai_streams_ended_total{block="ask-question",code="stop",status="complete"} 1.0' in page
    )
    assert "liveai_log_append_seconds_count 0.0" not in page
    assert 'liveai_takeovers_total{reason="handed_over"} 0.0' in page  # it came from the queue
    web = (await get(f"{server.url}/metrics")).text
    assert 'liveai_streams_started_total{block="ask-question"} 1.0' in web
    assert "liveai_streams_ended_total{" not in web
    assert 'liveai_check_ok{check="workers"} 1.0' in web
    assert 'liveai_check_ok{check="model"} 1.0' in web
    assert "liveai_queue_waiting 0.0" in web
    ready = await get(f"{worker}/readyz", {})
    assert ready.status_code == 200
    assert ready.json()["checks"] == dict.fromkeys(
        ("database", "redis", "model", "tasks", "shutdown"), "ok"
    )
    assert (await get(f"{worker}/healthz", {})).status_code == 200
    assert (await get(f"{worker}/metrics", {})).status_code == 401
    assert (await get(f"{worker}/api/config")).status_code == 404


def expressions_of_board() -> list[str]:
    board: dict[str, Any] = json.loads(BOARD.read_text("utf-8"))
    return [target["expr"] for panel in board["panels"] for target in panel["targets"]]


def expressions_of_alerts() -> list[str]:
    groups: list[dict[str, Any]] = yaml.safe_load(ALERTS.read_text("utf-8"))["groups"]
    return [rule["expr"] for group in groups for rule in group["rules"]]


@pytest.mark.parametrize("expressions", [expressions_of_board(), expressions_of_alerts()],
                         ids=["board", "alerts"])  # fmt: skip
async def test_what_deploy_looks_at_is_in_a_real_scrape(
    cluster: tuple[Server, str], expressions: list[str]
) -> None:
    server, worker = cluster
    there = names_in((await get(f"{server.url}/metrics")).text)
    there |= names_in((await get(f"{worker}/metrics")).text)
    used = {name for expression in expressions for name in _METRIC.findall(expression)}
    assert len(used) > 10
    if not Path("/proc").exists():  # prometheus-client has the process's own figures on Linux alone
        used = {name for name in used if not name.startswith("process_")}
    assert used <= there


def test_the_board_has_a_title_and_a_query_in_each_panel_and_no_data_from_elsewhere() -> None:
    text = BOARD.read_text("utf-8")
    board = json.loads(text)
    assert not re.findall(r"https?://", text)
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"]) > 10
    for panel in board["panels"]:
        assert panel["title"] and panel["targets"]


def test_every_alert_says_what_is_wrong() -> None:
    for group in yaml.safe_load(ALERTS.read_text("utf-8"))["groups"]:
        for rule in group["rules"]:
            assert rule["annotations"]["summary"]
            assert rule["labels"]["severity"] in ("critical", "warning")


async def test_the_page_is_below_the_sites_path_too(template: Path, tmp_path: Path) -> None:
    environment = {**SETTINGS, "SITE_PATH": "/ai/"}
    with running("serve", Database(template, tmp_path), environment=environment) as server:
        for path in ("/ai/metrics", "/metrics"):
            answer = await get(f"{server.url}{path}")
            assert answer.status_code == 200
            assert "liveai_streams_running 0.0" in answer.text
            assert (await get(f"{server.url}{path}", {})).status_code == 401
        assert TOKEN not in server.output


@pytest.mark.parametrize("address", ["9101", ":9101", "127.0.0.1:", "::1:9101", "a:b:1", "h:99999"])
def test_a_wrong_address_of_a_worker_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="Write HOST:PORT"):
        parse_address(address)
    assert parse_address("[::1]:9101") == ("::1", 9101)
    assert parse_address("127.0.0.1:9101") == ("127.0.0.1", 9101)


def test_a_worker_that_can_not_listen_says_why(settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    settings.AI_STREAMING_RUNNER = "worker"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            CommandError, match=f"Can't listen on 127.0.0.1:{port}: Address already"
        ):
            call_command("work", metrics=f"127.0.0.1:{port}")
    with pytest.raises(CommandError, match=r"--metrics is not an address\. Write"):
        call_command("work", metrics="9101")
