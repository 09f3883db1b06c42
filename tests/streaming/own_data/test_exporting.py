"""`GET /api/export`: who gets what, in pages, at what rate. Source: spec.md, "HTTP"."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.utils import timezone

from blocks.models import BlockType
from streaming.access.rights import Rights
from streaming.access.sessions import SESSION_KEY, SessionStore
from streaming.access.visitor import Visitor
from streaming.http.handover import BodyCut
from streaming.models import Stream
from streaming.own_data import exporting
from streaming.own_data.exporting import FORMS, Export, open_export
from streaming.own_data.overview import describe_account
from streaming.process import Process
from tests.conftest import Play
from tests.support.schema import validate
from tests.support.streaming.api_tokens import token_of
from tests.support.streaming.browser import Answer, Browser
from tests.support.streaming.own_rows import owner_of, put_many

EXPORT = "/api/export"
TIMEOUT_SECONDS = 30


def document(answer: Answer) -> dict[str, Any]:
    assert answer.status == 200, answer
    data: dict[str, Any] = answer.json()
    validate("export", data)
    return data


async def export(browser: Browser, form: str = "json") -> Answer:
    return await browser.call("GET", f"{EXPORT}?format={form}")


async def test_everything_of_the_owner_is_there_once_the_newest_first(
    browser: Browser, make_browser: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "PAGE_ROWS", 3)
    await put_many(await owner_of(await make_browser("ada")), 2)
    for count in (0, 1, 3, 4, 7):
        await Stream.objects.filter(owner=await owner_of(browser)).adelete()
        ids = await put_many(await owner_of(browser), count)
        data = document(await export(browser))
        assert [each["stream_id"] for each in data["answers"]] == ids
        text = (await export(browser, "markdown")).body.decode()
        assert text.count("\n## ") == count
        for number in range(count):
            assert f"\n> question {number}\n" in text
            assert f"\n> answer {number}\n" in text
        assert text.endswith(f"End of the export: {count} answer{'' if count == 1 else 's'}.\n")


async def test_answers_of_one_moment_are_neither_repeated_nor_left_out(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "PAGE_ROWS", 2)
    now = timezone.now()
    ids = await put_many(await owner_of(browser), 7, created_at=now, ended_at=now)
    data = document(await export(browser))
    assert sorted(each["stream_id"] for each in data["answers"]) == sorted(ids)


async def test_a_user_is_named_and_no_secret_is_there(make_browser: Any, process: Process) -> None:
    ada = await make_browser("ada")
    user = await User.objects.aget(username="ada")
    user.email, user.password = "ada@example.org", "secret-hash"
    await user.asave()
    await ada.sign_in(user)  # another password, another session
    for name in ("Pupils", "7b"):
        await user.groups.aadd(await Group.objects.acreate(name=name))
    token = await token_of("ada")
    keys = {"session": "secret-session", "owner_key": "secret-owner", "address_key": "secret-net"}
    await put_many(f"user:{user.pk}", 1, user=user, process="secret-process", **keys)
    answer = await export(ada)
    account = document(answer)["account"]
    assert (account["name"], account["email"]) == ("ada", "ada@example.org")
    assert account["groups"] == ["7b", "Pupils"]
    assert account["joined_at"].startswith(f"{user.date_joined:%Y-%m-%dT%H:%M}")
    for body in (answer.body, (await export(ada, "markdown")).body):
        assert b"secret" not in body
        assert ada.cookies["sessionid"].encode() not in body
        assert token[:15].encode() not in body
    text = (await export(ada, "markdown")).body.decode()
    assert "\n- Name: ada\n- Email: ada@example.org\n" in text
    assert "\n- Groups: 7b, Pupils\n" in text


async def test_the_answer_and_its_end_are_as_in_its_document(
    process: Process, browser: Browser, block: BlockType, play: Play
) -> None:
    play("Hello", {"hang": True})
    stopped = await browser.start(prompt="Why is the sky blue?")
    await stopped.text("Hello")
    await browser.cancel(stopped.stream_id)
    await stopped.end()
    await process.generations.saver.flush()
    shown = await browser.resource(stopped.stream_id)
    data = document(await export(browser))
    assert data["account"] is None
    assert data["answers"] == [{**shown, "cancelled_by": "owner"}]
    text = (await export(browser, "markdown")).body.decode()
    assert f"## 1. {block.title}, " in text
    assert "- Status: stopped by you\n" in text


async def test_a_file_has_a_name_with_the_date_and_is_no_page(browser: Browser) -> None:
    for form, kind, extension in (
        ("json", "application/json", "json"),
        ("markdown", "text/markdown; charset=utf-8", "md"),
    ):
        headers = (await export(browser, form)).headers
        name = f"liveai-{timezone.now():%Y-%m-%d}.{extension}"
        assert headers["content-disposition"] == f'attachment; filename="{name}"'
        assert headers["content-type"] == kind
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert "content-length" not in headers
    assert json.loads((await browser.call("GET", EXPORT)).body)["answers"] == []


async def test_pages_are_read_on_a_thread_of_their_own_and_never_two_at_once(
    browser: Browser, process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "PAGE_ROWS", 2)
    real, names, sizes = exporting.read_page, [], []

    def note(*args: Any) -> Any:
        names.append(threading.current_thread().name)
        page = real(*args)
        sizes.append(page.count)
        return page

    monkeypatch.setattr(exporting, "read_page", note)
    await put_many(await owner_of(browser), 5)
    await export(browser)
    assert sizes == [2, 2, 1]
    assert all(name.startswith("stream-own-data") for name in names)


async def test_starts_that_a_sign_in_has_overtaken_are_there_too(
    make_browser: Any, process: Process
) -> None:
    ada = await make_browser("ada")
    session = SessionStore(ada.cookies["sessionid"])
    late = await put_many(f"anonymous:{await session.aget(SESSION_KEY)}", 1)
    assert [each["stream_id"] for each in document(await export(ada))["answers"]] == late


# --- limits ----------------------------------------------------------------------------------


async def test_an_owner_has_one_export_at_a_time_and_so_many_an_hour(
    browser: Browser, process: Process, make_browser: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "EXPORTS_PER_HOUR", 2)
    turn = process.exports.take(Visitor(await owner_of(browser), None, None), busy="")
    refused = await export(browser)
    assert refused.problem("rate_limited")["detail"] == "Your answers are being exported already."
    assert int(refused.headers["retry-after"]) > 0
    turn.end()
    for _ in range(2):
        document(await export(browser))
    refused = await export(browser)
    assert "2 times within an hour" in refused.problem("rate_limited")["detail"]
    assert 3_500 < int(refused.headers["retry-after"]) <= 3_601
    document(await export(await make_browser("ada")))
    assert len(process.exports) == 0


async def test_whoever_invents_sessions_counts_by_address(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "EXPORTS_PER_HOUR", 2)
    for _ in range(2):
        document(await export(Browser(address="192.0.2.1")))
    (await export(Browser(address="192.0.2.1"))).problem("rate_limited")
    document(await export(Browser(address="192.0.2.2")))


def of_somebody(owner: str, right: Any = None) -> Export:
    return Export(Visitor(owner, None, "x", None), FORMS["json"], None, right)


async def test_a_client_that_is_too_slow_is_cut_and_frees_its_turn(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "EXPORT_SECONDS", 0.01)
    response = await open_export(process, of_somebody("user:1"))

    async def send(_: bytes) -> None:
        await asyncio.Event().wait()

    with pytest.raises(BodyCut):
        [part async for part in response.body(send)]
    assert len(process.exports) == 0


async def assert_cut_while_the_client_reads_nothing(
    process: Process, cut: Callable[[], Awaitable[None]]
) -> None:
    """Begin an export whose client takes only the beginning, then end it."""
    sent: list[bytes] = []
    response = await open_export(process, of_somebody("user:1", right="a right"))
    is_sending = asyncio.Event()

    async def send(part: bytes) -> None:
        sent.append(part)
        is_sending.set()
        await asyncio.Event().wait()

    async def write() -> None:
        [part async for part in response.body(send)]

    writing = asyncio.create_task(write())
    await is_sending.wait()
    await cut()
    async with asyncio.timeout(TIMEOUT_SECONDS):
        with pytest.raises(BodyCut):
            await writing
    assert len(sent) == 1
    assert len(process.exports) == 0


async def test_an_export_ends_with_its_right_even_if_its_client_reads_nothing(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Rights, "find_ended", lambda _, rights: set(rights))
    await assert_cut_while_the_client_reads_nothing(process, process.connections.check_rights)


async def test_an_export_ends_with_its_process_even_if_its_client_reads_nothing(
    process: Process,
) -> None:
    async def dismiss() -> None:
        process.connections.dismiss()

    await assert_cut_while_the_client_reads_nothing(process, dismiss)


async def test_an_export_that_fails_is_cut_and_not_ended(
    process: Process, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await put_many("user:1", 1)

    def fail(*_: Any) -> None:
        raise KeyError

    monkeypatch.setattr(exporting, "_document", fail)
    response = await open_export(process, of_somebody("user:1"))

    async def send(_: bytes) -> None:
        pass

    with pytest.raises(BodyCut):
        [part async for part in response.body(send)]
    assert "A page of an export can't be read." in caplog.text
    assert len(process.exports) == 0


# --- who may ---------------------------------------------------------------------------------


async def test_a_token_of_either_scope_exports_as_its_user(process: Process) -> None:
    for scope in ("read", "ask"):
        program = Browser(token=await token_of("ada", scope=scope, name=scope))
        assert document(await export(program))["account"]["name"] == "ada"


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": None, "Referer": "https://evil.example/page"},
    ],
)
async def test_another_site_causes_no_export_and_uses_none_up(
    browser: Browser, monkeypatch: pytest.MonkeyPatch, headers: dict[str, str | None]
) -> None:
    monkeypatch.setattr(exporting, "EXPORTS_PER_HOUR", 1)
    for _ in range(2):
        (await browser.call("GET", EXPORT, headers=headers)).problem("forbidden_origin")
        (await Browser().call("GET", EXPORT, headers=headers)).problem("forbidden_origin")
    document(await export(browser))


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate"},
        {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"},  # a bookmark
        {"User-Agent": "Mozilla/5.0"},
    ],
)
async def test_own_pages_and_no_page_export(browser: Browser, headers: dict[str, Any]) -> None:
    document(await browser.call("GET", EXPORT, headers={"Origin": None, **headers}))


async def test_other_forms_methods_and_parameters_are_refused(browser: Browser) -> None:
    (await export(browser, "xml")).problem("invalid_input", field="format")
    answer = await browser.call("GET", f"{EXPORT}?format=json&status=error")
    answer.problem("invalid_input", field="status")
    assert (await browser.call("HEAD", EXPORT)).status == 405
    (await browser.call("DELETE", EXPORT)).problem("method_not_allowed")


async def test_nobody_gets_nothing_where_anonymous_use_is_off(start_process: Any) -> None:
    await start_process(AI_ALLOW_ANONYMOUS=False)
    (await export(Browser())).problem("not_authenticated")


async def test_without_the_layer_the_response_streams_itself(process: Process) -> None:
    ids = await put_many("user:1", 3)
    response = await open_export(process, of_somebody("user:1"))
    data = json.loads(b"".join([part async for part in response]))
    assert [each["stream_id"] for each in data["answers"]] == ids


def test_any_user_model_has_an_account() -> None:
    class Plain:
        is_authenticated = True

        def get_username(self) -> str:
            return "ada"

        def get_email_field_name(self) -> str:
            return "email"

    found = describe_account(Plain())
    assert found == {"name": "ada", "email": None, "joined_at": None, "groups": []}
