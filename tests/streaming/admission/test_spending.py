"""Limits on tokens: reserved by running streams, settled when they end, by day and month."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Group, User
from django.db import connection
from django.utils import timezone

from blocks.providers.scripted import ScriptedProvider
from streaming.access.visitor import Visitor
from streaming.admission import groups, spending
from streaming.admission.subjects import clear_rules, key_of, subjects_of
from streaming.admission.usage import end_of, first_day_kept, use_of
from streaming.database import store
from streaming.database.housekeeping import clear_counters
from streaming.limits import Allowance, Subject, visitors_counter
from streaming.models import Limit, Stream, TokenUse
from streaming.protocol import events
from tests.conftest import MODEL, MakeBlock, StartProcess, scripted
from tests.support.streaming.browser import Browser

URL = "/api/stream/ai-block/tale"
SAYS = ("one two three ", {"hang": True})


async def used(key: str) -> int:
    """Return what a subject has used today."""
    row = await TokenUse.objects.filter(subject=key).afirst()
    return 0 if row is None else row.tokens


async def start(
    start_process: StartProcess, make_block: MakeBlock, *steps: Any, **settings: Any
) -> ScriptedProvider:
    process = await start_process(**settings)
    provider = scripted(*(steps or SAYS))
    process.providers.use(MODEL, provider)
    await make_block(max_tokens=100)
    return provider


async def post(browser: Browser) -> Any:
    return await browser.post_json(URL, {"prompt": "Why?"})


async def test_what_running_streams_may_use_counts_until_they_end(
    start_process: StartProcess, make_block: MakeBlock, make_browser: Any
) -> None:
    await start(start_process, make_block, LIMIT_TOKENS_PER_DAY=250)
    ada, bob = await make_browser(), await make_browser()
    first = (await post(ada)).stream(201)["stream_id"]
    reserved = (await Stream.objects.aget(pk=first)).reserved_tokens
    assert 100 < reserved < 125
    second = (await post(ada)).stream(201)["stream_id"]
    refused = await post(ada)
    words = "Your running answers may use the rest of your 250 tokens for today."
    assert refused.problem("quota_exceeded")["detail"].startswith(words)
    assert int(refused.headers["retry-after"]) == 5
    assert (await post(bob)).status == 201
    socket = await ada.connect()
    await socket.say(type="start", ref="r", block_type="tale", prompt="Why?")
    assert (await socket.until("refused"))["code"] == "quota_exceeded"
    await ada.cancel(first)
    assert (await post(ada)).status == 201
    await ada.cancel(second)


@pytest.mark.parametrize("period", ["day", "month"])
async def test_what_was_used_counts_for_its_day_and_month(
    start_process: StartProcess, make_block: MakeBlock, make_browser: Any, period: str
) -> None:
    limit = {f"LIMIT_TOKENS_PER_{period.upper()}": 1_000}
    await start(start_process, make_block, "Hello", **limit)
    ada = await make_browser("ada")
    user = await User.objects.aget(username="ada")
    key = key_of(f"user:{user.pk}")
    await (await ada.start()).end()
    spent = await used(key)
    assert spent > 0
    await TokenUse.objects.filter(subject=key).aupdate(tokens=1_000)
    refused = (await post(ada)).problem("quota_exceeded")
    this = "today" if period == "day" else "this month"
    assert f"You have used your 1,000 tokens for {this}." in refused["detail"]
    first = f"{timezone.now():%Y-%m}-01"
    await TokenUse.objects.filter(subject=key).aupdate(day=first)
    is_first = timezone.now().day == 1
    assert (await post(ada)).status == (429 if period == "month" or is_first else 201)
    await TokenUse.objects.filter(subject=key).adelete()
    assert (await post(ada)).status == 201


@pytest.mark.parametrize("how", ["complete", "cancelled", "error"])
async def test_each_end_settles_once_for_all_whom_it_counts_for(
    start_process: StartProcess, make_block: MakeBlock, make_browser: Any, how: str
) -> None:
    steps: dict[str, tuple[Any, ...]] = {
        "complete": ("one two three ",),
        "cancelled": SAYS,
        "error": ("one two three ", {"fail": "provider_interrupted"}),
    }
    provider = await start(start_process, make_block, *steps[how])
    ada = await make_browser(address="203.0.113.7")
    reader = await ada.start()
    if how == "cancelled":
        await reader.text("one two three ")
        await ada.cancel(reader.stream_id)
    assert (await reader.end())["type"] == how
    row = await Stream.objects.aget(pk=reader.stream_id)
    tokens = (row.input_tokens or 0) + (row.output_tokens or 0)
    assert tokens > 0 and provider.calls_started == 1
    own, address = key_of(row.owner), key_of("address:203.0.113.7")
    for key in (own, "anonymous", "all"):
        assert await used(key) == tokens
    assert await used(address) == 0  # no limit asks for it


async def test_usage_that_was_saved_before_the_end_is_settled_with_it(
    start_process: StartProcess, make_block: MakeBlock, make_browser: Any
) -> None:
    process = await start_process()
    process.providers.use(MODEL, scripted(*SAYS))
    await make_block()
    ada = await make_browser()
    reader = await ada.start()
    await reader.text("one two three ")
    await process.generations.saver.flush()
    await ada.cancel(reader.stream_id)
    assert await used("all") > 0


async def test_a_stream_that_ends_without_its_generator_is_settled_too(
    start_process: StartProcess, make_block: MakeBlock
) -> None:
    await start(start_process, make_block)

    def end(**columns: Any) -> None:
        row = Stream.objects.create(
            id=store.new_stream_id(),
            owner="anonymous:x",
            owner_key="k" * 32,
            block_type="tale",
            model="x",
            prompt="w" * 40,
            text="w" * 400,
            mark=99,
            created_at=timezone.now(),
            **columns,
        )
        lost = events.error(row.id, 0, code="generator_lost", message="x", retryable=True)
        for _ in range(2):
            store.end(row, lost)

    await sync_to_async(end)(started_at=timezone.now(), input_tokens=5, output_tokens=7)
    assert await used("all") == 12
    await sync_to_async(end)(started_at=timezone.now())  # its provider reported nothing
    assert await used("k" * 32) == 12 + 110
    await sync_to_async(end)()  # no provider was called
    await sync_to_async(end)(started_at=timezone.now(), input_tokens=5, sample="a sample")
    assert await used("anonymous") == 122


async def test_all_anonymous_visitors_share_a_limit_and_users_do_not(
    start_process: StartProcess, make_block: MakeBlock, make_browser: Any
) -> None:
    await start(start_process, make_block, LIMIT_ANONYMOUS_TOKENS_PER_DAY=150)
    assert (await post(await make_browser())).status == 201
    refused = await post(await make_browser())
    assert "Sign in to continue" in refused.problem("quota_exceeded")["detail"]
    assert (await post(await make_browser("ada"))).status == 201


async def test_the_anonymous_visitors_of_an_address_share_a_limit_and_its_users_do_not(
    start_process: StartProcess, make_block: MakeBlock, make_browser: Any
) -> None:
    await start(start_process, make_block, LIMIT_ANONYMOUS_TOKENS_PER_DAY_PER_ADDRESS=150)
    school, home = "203.0.113.7", "198.51.100.4"
    ada = await make_browser("ada", address=school)
    by_user = (await post(ada)).stream(201)["stream_id"]
    pupil = await make_browser(address=school)
    running = (await post(pupil)).stream(201)["stream_id"]
    for browser in (pupil, await make_browser(address=school), Browser(address=school)):
        detail = (await post(browser)).problem("quota_exceeded")["detail"]
        assert "by visitors of your network who are not signed in. Sign in" in detail
    for browser in (ada, await make_browser(address=home), await make_browser()):
        assert (await post(browser)).status == 201
    await ada.cancel(by_user)
    await pupil.cancel(running)
    counter = visitors_counter(key_of(f"address:{school}"))
    row = await Stream.objects.aget(pk=running)
    assert await used(counter) == (row.input_tokens or 0) + (row.output_tokens or 0) > 0
    await TokenUse.objects.filter(subject=counter).aupdate(tokens=150)
    (await post(pupil)).problem("quota_exceeded")
    await Limit.objects.acreate(whose=Limit.Whose.AT_ADDRESS, tokens_per_day=0)
    clear_rules()
    assert (await post(pupil)).status == 201


async def test_a_groups_members_can_share_a_limit(
    start_process: StartProcess, make_block: MakeBlock, make_browser: Any
) -> None:
    await start(start_process, make_block)
    group = await Group.objects.acreate(name="7b")
    await Limit.objects.acreate(whose=Limit.Whose.TOGETHER, group=group, tokens_per_day=150)
    ada, bob, eve = [await make_browser(name) for name in ("ada", "bob", "eve")]
    async for user in User.objects.filter(username__in=("ada", "bob")):
        await sync_to_async(user.groups.add)(group)
    clear_rules()
    started = (await post(ada)).stream(201)["stream_id"]
    assert "in your group" in (await post(bob)).problem("quota_exceeded")["detail"]
    assert (await post(eve)).status == 201
    await ada.cancel(started)
    assert await used(f"group:{group.pk}") > 0
    assert (await post(bob)).status == 201


async def test_a_row_that_is_deleted_while_it_runs_keeps_its_usage_counted(
    start_process: StartProcess, make_block: MakeBlock
) -> None:
    await start(start_process, make_block)

    def delete(**columns: Any) -> None:
        row = Stream(id=store.new_stream_id(), owner="user:1", prompt="Why?", **columns)
        row.block_type, row.model, row.mark, row.created_at = "tale", "x", 9, timezone.now()
        row.save()
        Stream.objects.filter(pk=row.pk).delete()

    await sync_to_async(delete)(input_tokens=5, output_tokens=7, started_at=timezone.now())
    await sync_to_async(delete)(input_tokens=5, output_tokens=7, ended_at=timezone.now())
    await sync_to_async(delete)()
    assert await used("all") == 12


async def test_visitors_without_a_session_count_apart_from_others_at_their_address(
    start_process: StartProcess, make_block: MakeBlock, make_browser: Any
) -> None:
    await start(start_process, make_block, LIMIT_TOKENS_PER_DAY=150)
    school = "203.0.113.7"
    for _ in range(3):
        assert (await post(await make_browser(address=school))).status == 201
    assert (await post(Browser(address=school))).status == 201
    (await post(Browser(address=school))).problem("quota_exceeded")


@pytest.mark.parametrize("has_groups", [True, False])
async def test_a_user_model_may_have_no_groups(
    start_process: StartProcess,
    make_block: MakeBlock,
    make_browser: Any,
    monkeypatch: pytest.MonkeyPatch,
    has_groups: bool,
) -> None:
    await start(start_process, make_block, "Hello")
    group = await Group.objects.acreate(name="7b")
    await Limit.objects.acreate(whose=Limit.Whose.TOGETHER, group=group, tokens_per_day=9_000)
    ada = await make_browser("ada")
    user = await User.objects.aget(username="ada")
    await sync_to_async(user.groups.add)(group)
    clear_rules()
    if not has_groups:
        monkeypatch.setattr(groups, "_field", lambda: None)
    await (await ada.start()).end()
    assert await used(key_of(f"user:{user.pk}")) > 0
    assert (await used(f"group:{group.pk}") > 0) is has_groups


def test_what_asks_no_model_needs_no_tokens(db: None) -> None:
    subjects = (Subject("owner", "k", Allowance(tokens_per_day=1)),)
    TokenUse.objects.create(subject="k", day=f"{timezone.now():%Y-%m-%d}", writer=1, tokens=5)
    with connection.cursor() as cursor:
        uses = use_of(cursor, subjects, timezone.now())
    assert spending.find_spent(subjects, uses, 0) is None
    spent = spending.find_spent(subjects, uses, 1)
    assert spent is not None and spent.left == -4


def test_a_month_is_the_sum_of_its_days_and_writers(db: None) -> None:
    now = datetime(2026, 11, 30, 12, tzinfo=UTC)
    subjects = (Subject("owner", "k", Allowance(tokens_per_day=1, tokens_per_month=1)),)
    for day, writer in (("2026-11-30", 1), ("2026-11-30", 2), ("2026-11-01", 1), ("2026-10-31", 1)):
        TokenUse.objects.create(subject="k", day=day, writer=writer, tokens=5)
    with connection.cursor() as cursor:
        (use,) = use_of(cursor, subjects, now)
    assert (use.day, use.month) == (10, 15)


def test_the_reset_is_at_midnight_or_on_the_first_of_the_month() -> None:
    now = datetime(2026, 12, 31, 22, tzinfo=UTC)
    assert end_of("day", now) == end_of("month", now) == datetime(2027, 1, 1, tzinfo=UTC)


def test_old_counters_are_deleted(db: None) -> None:
    now = timezone.now()
    kept = {f"{now:%Y-%m-%d}", first_day_kept(now)}
    for day in {"2001-01-01", *kept}:
        TokenUse.objects.create(subject="all", day=day, writer=1, tokens=1)
    assert clear_counters() is False
    assert set(TokenUse.objects.values_list("day", flat=True)) == kept


def test_a_visitor_without_session_and_address_counts_for_all_only(db: None) -> None:
    visitor = Visitor("anonymous:x", None, "x", None, has_session=False)
    assert [subject.whose for subject in subjects_of(visitor)] == ["anonymous", "all"]
