"""The admin's first page: figures that agree with the lists they lead to, at a bounded price."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from html import unescape
from typing import Any, get_args, get_type_hints
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.contrib.admin.utils import quote
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from blocks.models import BlockType
from operating import counting, dashboard
from operating.models import ModelPrice
from operating.words import FAILURES
from operating.words import words_of as end_in_words
from streaming.database import time_limit
from streaming.models import ServerProcess, StreamingSettings
from streaming.protocol.codes import STREAM_ERRORS
from streaming.protocol.events import CancelledBy, complete
from tests.operating.rows import answer, many
from tests.support.streaming.admin import SECRET, STREAMS

INDEX = "/admin/"

QUERIES_AT_MOST = 16
"""Of the page: session, user and permissions included."""


def words_of(client: Client, query: str = "") -> str:
    """Return the page's text without its markup."""
    response = client.get(f"{INDEX}{query}")
    assert response.status_code == 200
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", response.content.decode())).split())


def test_a_day_in_figures(operator: Client) -> None:
    BlockType.objects.create(slug="tale", title="Tell a tale")
    for number in range(3):
        answer(ttft_ms=(number + 1) * 100)
    answer("complete", "length")
    answer("error", "provider_timeout", output_tokens=None)
    answer("cancelled", "owner")
    answer("running")
    answer(sample="a sample")
    answer(at=timezone.now() - timedelta(days=2))
    for name, viewers, silent in (("a", 4, 0), ("b", 1_200, 1), ("dead", 7, 3_600)):
        beat_at = timezone.now() - timedelta(seconds=silent)
        ServerProcess.objects.create(id=name, host="x", beat_at=beat_at, viewers=viewers)
    words = words_of(operator)
    for part in (
        "1 running 0 waiting 1,204 viewers 2 processes",
        "Started 8",
        "Failed 1 12.5 %",
        "First token, half within 0.20 s",
        "First token, 95 % within 1.0 s",
        "Tokens a second 15.4",  # 4 × 40 tokens in 2.9 + 2.8 + 2.7 + 2.0 s
        "The model took too long provider_timeout 1",
        "Finished 4",
        "Finished at the length limit 1",
        "Stopped by its owner 1",
        "Tell a tale 8 1 70 240",
    ):
        assert part in words, part
    assert words.index("The model took too long") < words.index("Stopped by its owner")


def test_the_time_to_a_first_token_and_the_speed_leave_samples_out(operator: Client) -> None:
    answer(sample="a sample", ttft_ms=1)
    words = words_of(operator)
    assert "half within –" in words and "Tokens a second –" in words and "Tokens 0" in words


@pytest.mark.parametrize(
    ("ms", "words"),
    [(94, "0.094 s"), (101, "0.11 s"), (999, "1.0 s"), (1_201, "1.3 s"), (99_999, "100 s")],
)
def test_a_time_within_which_answers_began_is_rounded_up(
    operator: Client, ms: int, words: str
) -> None:
    answer(ttft_ms=ms)
    assert f"First token, half within {words}" in words_of(operator)


def test_the_page_shows_nothing_that_people_wrote(operator: Client) -> None:
    answer(text=SECRET, prompt=SECRET)
    for query in ("", "?period=hour", "?period=week", "?period=yesterday", "?period=<script>"):
        page = operator.get(f"{INDEX}{query}").content.decode()
        assert SECRET not in page
        assert "<script>" not in page
        assert re.findall(r"<script(?![^>]* src=)|<style| style=| on[a-z]+=", page) == []


def test_yesterdays_failures_are_three_clicks_away(operator: Client) -> None:
    failed = answer("error", "provider_timeout", at=timezone.now() - timedelta(days=1))
    answer("error", "internal", at=timezone.now() - timedelta(days=2))
    page = operator.get(INDEX).content.decode()
    (first,) = set(re.findall(r'href="(\?period=yesterday)"', page))
    page = operator.get(f"{INDEX}{first}").content.decode()
    (second,) = set(re.findall(r'<li class="error"><a href="([^"]+)"', page))
    query = dict(parse_qsl(urlsplit(unescape(second)).query))
    assert (query["status"], query["code"]) == ("error", "provider_timeout")
    assert query["created_at__gte"] < failed.created_at.isoformat() < query["created_at__lt"]
    page = operator.get(unescape(second)).content.decode()
    (third,) = set(re.findall(rf'href="({STREAMS}[^"/]+/change/[^"]*)"', page))
    assert f"/{quote(failed.pk)}/" in third
    page = operator.get(unescape(third)).content.decode()
    assert "The model was silent for too long." in page


def listed(client: Client, url: str) -> int:
    """Return how many streams a figure's list has."""
    parts = urlsplit(unescape(url))
    assert parts.path == STREAMS
    response = client.get(STREAMS, dict(parse_qsl(parts.query)))
    assert response.status_code == 200
    return int(response.context["cl"].result_count)


def test_each_figure_leads_to_a_list_of_as_many_streams(operator: Client) -> None:
    for slug in ("tale", "poem"):
        BlockType.objects.create(slug=slug, title=slug)
    for slug, status, code in (
        ("tale", "complete", "stop"),
        ("tale", "error", "internal"),
        ("poem", "error", "internal"),
        ("poem", "cancelled", "admin"),
        ("poem", "cancelled", "owner"),
        ("poem", "complete", "repetition"),
        ("poem", "queued", ""),
    ):
        answer(status, code, block_type=slug)
    answer(at=timezone.now() - timedelta(days=3))
    context = operator.get(INDEX).context
    assert listed(operator, context["all_url"]) == 7
    assert listed(operator, context["failed_url"]) == context["summary"].total.failed == 2
    assert len({bar.words for bar in context["bars"]}) == len(context["bars"]) == 6
    for bar in context["bars"]:
        assert listed(operator, bar.url) == bar.answers
    for step in context["steps"]:
        assert listed(operator, step.url) == step.total
    (blocks,) = (rows for title, _, rows in context["tables"] if title == "By block")
    assert {row.name: listed(operator, row.url) for row in blocks} == {"poem": 5, "tale": 2}


def test_costs_by_block_model_and_plan(operator: Client) -> None:
    ModelPrice.objects.create(model="openai:a", input_price="0.25", output_price=2)
    gold, silver = (Group.objects.create(name=name) for name in ("gold", "silver"))
    both, none = (User.objects.create(username=name) for name in ("both", "none"))
    both.groups.set([gold, silver])
    million = {"input_tokens": 10**6, "output_tokens": 10**6}
    answer(model="openai:a", user=both, **million)
    answer(model="openai:a", user=none, **million)
    answer(model="local:x", usage_is_estimated=True, **million)
    answer(model="openai:a", owner="jwt:https://host.example:7", **million)
    response = operator.get(INDEX)
    tables = {
        title: {row.name: (row.usage.answers, row.usage.cost_words) for row in rows}
        for title, _, rows in response.context["tables"]
    }
    assert tables == {
        "By block": {"tale": (4, "6.75 USD")},
        "By model": {"openai:a": (3, "6.75 USD"), "local:x": (1, "–")},
        "By plan": {
            "gold": (1, "2.25 USD"),
            "silver": (1, "2.25 USD"),
            "No group": (2, "4.50 USD"),
            "Not signed in": (1, "–"),
        },
    }
    words = words_of(operator)
    assert "2,000,000 tokens are of models without a price" in words
    assert "The tokens of 1 answers are estimated" in words


def test_a_user_model_may_have_no_groups(operator: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "_has_groups", lambda: False)
    answer(user=User.objects.get())
    context = operator.get(INDEX).context
    (rows,) = (rows for title, _, rows in context["tables"] if title == "By plan")
    assert [(row.name, row.usage.answers) for row in rows] == [("No group", 1)]


def test_long_tables_end_with_a_sum_of_the_rest(
    operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dashboard, "LISTED_AT_MOST", 1)
    for number in range(3):
        answer(block_type=f"block-{number}", output_tokens=number)
    (rows,) = (
        rows for title, _, rows in operator.get(INDEX).context["tables"] if title == "By block"
    )
    assert [(row.name, row.usage.output_tokens) for row in rows] == [
        ("block-2", 2),
        ("2 others", 1),
    ]


def test_a_hundred_thousand_answers_take_as_many_queries_as_one(
    operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dashboard, "LIMIT_SECONDS", 60.0)  # a busy machine may take long
    row = answer(text="x" * 200)
    with CaptureQueriesContext(connection) as few:
        operator.get(f"{INDEX}?period=hour")
    many(row, 100_000)
    with CaptureQueriesContext(connection) as queries:
        response = operator.get(f"{INDEX}?period=hour")
    assert response.status_code == 200
    summary = response.context["summary"]
    assert summary.total.answers == 100_001
    assert summary.total.output_tokens == 40 * 100_001
    assert (summary.p50_ms, summary.p95_ms) == (2_500, 4_800)
    assert len(queries) == len(few) <= QUERIES_AT_MOST
    rows = [each["sql"] for each in queries if 'FROM "streaming_stream"' in each["sql"]]
    assert all("GROUP BY" in sql for sql in rows)


def test_figures_that_take_too_long_are_503_with_the_lists(
    operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("its statements here are too short to be stopped")
    answer()
    answer("running")
    monkeypatch.setattr(dashboard, "LIMIT_SECONDS", -1.0)
    monkeypatch.setattr(time_limit, "STEPS_BETWEEN_LOOKS", 1)
    response = operator.get(INDEX)
    assert (response.status_code, response["Retry-After"]) == (503, "2")
    page = response.content.decode()
    assert "Choose a shorter period" in page and STREAMS in page
    assert "<b>1</b> running" in page and "Started" not in page


def test_the_figures_are_for_those_who_may_view_streams(staff: Any) -> None:
    answer("error", "internal")
    with CaptureQueriesContext(connection) as queries:
        page = staff("view_blocktype").get(INDEX).content.decode()
    assert "Started" not in page and "/admin/spent/" not in page
    assert "/admin/blocks/blocktype/" in page
    assert not any("streaming_stream" in each["sql"] for each in queries)


@pytest.mark.parametrize("permission", ["view_stream", "change_stream"])
def test_who_may_view_streams_sees_the_figures(staff: Any, permission: str) -> None:
    answer("error", "internal")
    client = staff(permission)
    assert "Failed 1" in words_of(client)
    assert client.get("/admin/spent/").status_code == 200


def test_without_answers_the_page_says_so(operator: Client) -> None:
    assert "No answers began in this period." in words_of(operator)


def test_while_everything_is_stopped_the_page_says_so(operator: Client) -> None:
    assert "Everything is stopped" not in words_of(operator)
    StreamingSettings.objects.create(paused=True)
    assert "Everything is stopped, and starts are refused. See the streaming" in words_of(operator)


def test_every_way_to_end_has_words_of_its_own() -> None:
    reasons = get_args(get_type_hints(complete)["finish_reason"])
    ends = [("complete", reason) for reason in reasons]
    ends += [("cancelled", by) for by in get_args(CancelledBy)]
    words = [end_in_words(*end) for end in ends]
    assert len(set(words)) == len(words) and not {"Complete", "Cancelled"} & set(words)


def test_every_way_to_fail_has_words() -> None:
    assert set(FAILURES) == set(STREAM_ERRORS)


# --- prices ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"input_price": "-1"}, "input_price"),
        ({"output_price": "1.1234567"}, "output_price"),
        ({"currency": "usd"}, "currency"),
        ({"currency": "US\n"}, "currency"),
        ({"model": "openai:taken"}, "model"),
    ],
)
def test_a_wrong_price_is_refused_at_its_field(
    operator: Client, wrong: dict[str, str], field: str
) -> None:
    ModelPrice.objects.create(model="openai:taken", input_price=1, output_price=1)
    right = {"model": "openai:a", "input_price": "0.25", "output_price": "2", "currency": "EUR"}
    response = operator.post("/admin/operating/modelprice/add/", right | wrong)
    assert list(response.context["adminform"].form.errors) == [field]
    assert operator.post("/admin/operating/modelprice/add/", right).status_code == 302
    assert ModelPrice.objects.get(model="openai:a").input_price == Decimal("0.25")
