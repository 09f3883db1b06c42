"""A real Prometheus reads the metrics, loads the alerts and answers the board's queries."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tests.servers.test_metrics import (
    HEADERS,
    SETTINGS,
    TOKEN,
    expressions_of_alerts,
    expressions_of_board,
    get,
)
from tests.support.faults.missing import skip_loudly
from tests.support.prometheus import (
    ALERTS,
    NO_PROMETHEUS,
    PROMETHEUS,
    promtool,
    running_prometheus,
)
from tests.support.servers.harness import Database, running
from tests.support.servers.visitor import Visitor

CASES = Path(__file__).parent / "alerts.yml"
VARIABLES = {"$job": "liveai", "$__rate_interval": "5s"}


@pytest.fixture(autouse=True)
def needs_prometheus() -> None:
    if PROMETHEUS is None:
        skip_loudly(NO_PROMETHEUS)


def test_the_alerts_are_rules_and_fire_when_they_should(tmp_path: Path) -> None:
    rules = yaml.safe_load(ALERTS.read_text("utf-8"))["groups"][0]["rules"]
    assert f"{len(rules)} rules found" in promtool("check", "rules", str(ALERTS))
    cases = CASES.read_text("utf-8").replace("[RULES]", f"[{ALERTS}]")
    (tmp_path / "cases.yml").write_text(cases)
    assert "SUCCESS" in promtool("test", "rules", str(tmp_path / "cases.yml"))
    wrong, well = [
        case["promql_expr_test"][0]["exp_samples"] for case in yaml.safe_load(cases)["tests"]
    ]
    fired = {re.findall(r'alertname="(\w+)"', sample["labels"])[0] for sample in wrong}
    assert (fired, well) == ({rule["alert"] for rule in rules}, [])


async def test_it_scrapes_a_process_and_answers_every_query(template: Path, tmp_path: Path) -> None:
    database = Database(template, tmp_path / "db")
    with (
        running("serve", database, environment=SETTINGS) as server,
        running_prometheus(tmp_path / "prom", [f"127.0.0.1:{server.port}"], TOKEN) as prometheus,
    ):
        await prometheus.until('up{job="liveai"} == 1')
        visitor = await Visitor.arrive(server.port)
        async with await visitor.ask("Why?") as client:
            assert (await client.until_end())[-1]["type"] == "complete"
        (ended,) = await prometheus.until("liveai_streams_ended_total == 1")
        assert ended["metric"]["code"] == "stop"
        for expression in (*expressions_of_board(), *expressions_of_alerts()):
            for name, value in VARIABLES.items():
                expression = expression.replace(name, value)
            await prometheus.ask("query", query=expression)
        rules = (await prometheus.ask("rules"))["groups"][0]["rules"]
        assert {rule["health"] for rule in rules} <= {"ok", "unknown"}
        assert len(rules) == len(expressions_of_alerts())
        assert (await get(f"{server.url}/metrics", HEADERS)).status_code == 200
        server.assert_unharmed()


async def test_a_wrong_token_shows_as_a_process_that_is_gone(
    template: Path, tmp_path: Path
) -> None:
    with (
        running("serve", Database(template, tmp_path / "db"), environment=SETTINGS) as server,
        running_prometheus(tmp_path / "prom", [f"127.0.0.1:{server.port}"], "wrong") as prometheus,
    ):
        await prometheus.until('up{job="liveai"} == 0')
