"""The requests that the deployed nginx retries at a second process, and those that it doesn't.

Stand-ins replace the processes behind it: two listeners that record requests and answer as planned.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from streaming.errors import Refused
from streaming.http.problems import problem_body
from tests.support.faults.stand_ins import BUSY, DIES, FULL, HELLO, LAST_WORDS, behind_nginx
from tests.support.servers.visitor import START

LARGE = b"x" * 1_000_000  # more than any of nginx's own buffers


@pytest.mark.parametrize("path", [START, f"{START}?wait=1"])
async def test_a_start_that_one_process_refuses_is_made_by_the_other(
    tmp_path: Path, path: str
) -> None:
    async with behind_nginx(tmp_path, FULL, HELLO) as site:
        answer = await site.ask("POST", path, LARGE)
        assert (answer.status, answer.body) == (200, b"hello")
        posts = site.seen
        assert [one.target for one in posts] == [path, path]
        assert [one.method for one in posts] == ["POST", "POST"]
        assert all(one.body == LARGE for one in posts)


async def test_where_all_refuse_their_own_words_arrive(tmp_path: Path) -> None:
    async with behind_nginx(tmp_path, FULL) as site:
        for method, body in (("GET", b""), ("POST", b"{}")):
            answer = await site.ask(method, START, body)
            assert answer.status == 503
            assert json.loads(answer.body) == {"code": "full"}
            headers = [(name.lower(), value) for name, value in answer.headers]
            assert headers.count(("retry-after", "7")) == 1
            assert headers.count(("content-type", "application/problem+json")) == 1
        assert {one.process for one in site.seen} == {1, 2}
        assert "no live upstreams" not in site.nginx.error_log


@pytest.mark.parametrize("path", [START, "/api/streams/x/cancel", "/admin/login/"])
async def test_a_post_that_a_process_died_over_is_not_sent_again(tmp_path: Path, path: str) -> None:
    async with behind_nginx(tmp_path, DIES, HELLO) as site:
        answer = await site.ask("POST", path, b"{}")
        assert answer.status == 502
        assert len(site.seen) == 1


async def test_also_not_if_another_one_had_refused_it(tmp_path: Path) -> None:
    async with behind_nginx(tmp_path, FULL, DIES, HELLO) as site:
        answer = await site.ask("POST", START, b"{}")
        assert answer.status == 502
        assert len(site.seen) == 2


async def test_also_not_if_the_same_one_had_refused_it(tmp_path: Path) -> None:
    async with behind_nginx(tmp_path, BUSY, FULL, DIES, HELLO) as site, site.busy_process():
        answer = await site.ask("POST", START, b"{}")
        assert answer.status == 502
        assert [one.process for one in site.seen] == [1, 2, 2]


async def test_a_start_refused_by_a_process_that_closes_then_is_made_by_the_other(
    tmp_path: Path,
) -> None:
    async with behind_nginx(tmp_path, BUSY, LAST_WORDS, HELLO) as site, site.busy_process():
        answer = await site.ask("POST", START, LARGE)
        assert (answer.status, answer.body) == (200, b"hello")
        assert [one.process for one in site.seen] == [1, 2, 1]
        assert site.seen[-1].body == LARGE
        # nginx tried the closed port in between, and sent nothing there.
        assert " 503 : 502 : " in site.nginx.access_log


async def test_a_get_that_a_process_died_over_is_asked_of_the_other(tmp_path: Path) -> None:
    async with behind_nginx(tmp_path, DIES, HELLO) as site:
        for path in ("/api/streams/x/events", "/api/streams", "/"):
            before = len(site.seen)
            assert (await site.ask("GET", path)).status == 200
            assert {one.target for one in site.seen[before:]} == {path}
        assert {one.process for one in site.seen[:2]} == {1, 2}


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", [START, "/api/streams/x/events", "/ws/stream", "/api/streams"])
async def test_processes_that_do_not_run_are_stepped_over(
    tmp_path: Path, method: str, path: str
) -> None:
    async with behind_nginx(tmp_path, HELLO, absent=2) as site:
        for _ in range(5):
            assert (await site.ask(method, path, b"")).status == 200
        assert len(site.seen) == 5


async def test_the_processes_hear_who_asks_and_nothing_that_a_client_made_up(
    tmp_path: Path,
) -> None:
    claims = {
        "X-Forwarded-For": "6.6.6.6",
        "X-Forwarded-Proto": "https",
        "X-Request-ID": "made-up",
        "Upgrade": "h2c",
        "Connection": "Upgrade, HTTP2-Settings",
        "HTTP2-Settings": "AAMAAABkAARAAAAAAAIAAAAA",
    }
    async with behind_nginx(tmp_path, HELLO) as site:
        await site.ask("GET", "/api/config", **claims)
        headers = site.seen[0].headers
        assert headers["host"] == f"127.0.0.1:{site.nginx.port}"
        assert headers["x-forwarded-for"] == "127.0.0.1"
        assert headers["x-forwarded-proto"] == "http"
        assert re.fullmatch("[0-9a-f]{32}", headers["x-request-id"])
        assert "upgrade" not in headers
        assert headers["connection"] == "close"


async def test_a_body_may_have_one_mebibyte_and_not_a_byte_more(tmp_path: Path) -> None:
    async with behind_nginx(tmp_path, HELLO, changes={" crit;": " warn;"}) as site:
        for path in (START, "/api/streams/x/cancel", "/admin/"):
            assert (await site.ask("POST", path, b"x" * 1_048_576)).status == 200
            answer = await site.ask("POST", path, b"x" * 1_048_577)
            assert answer.status == 413
            assert ("Content-Type", "application/problem+json") in answer.headers
            said = Refused("prompt_too_long", "A body may hold 1,048,576 bytes at most.")
            assert json.loads(answer.body) == json.loads(problem_body(said))
        assert len(site.seen) == 3
        assert "is buffered to a temporary file" not in site.nginx.error_log  # prompts on disk


async def test_no_log_of_nginx_holds_what_people_ask(tmp_path: Path) -> None:
    async with behind_nginx(tmp_path, DIES, HELLO, absent=1) as site:
        query = "prompt=a-secret-question"
        referer = {"Referer": f"http://127.0.0.1:{site.nginx.port}/?{query}"}
        for path in (START, "/api/streams", "/static/ai/x.js", "/ws/stream"):
            await site.ask("GET", f"{path}?{query}", **referer)
        await site.ask("POST", f"{START}?{query}", b"x" * 1_048_577)
        await site.ask("POST", START, b'{"prompt": "a-secret-question"}')
        for page in ("password/reset/key/1-", "confirm-email/", "invitation/"):
            await site.ask("GET", f"/account/{page}a-secret-key/")
            await site.ask("GET", f"/ai/account/{page}a-secret-key/")
            await site.ask("GET", f"/Account/{page.upper()}a-secret-key/")
        assert any(query in one.target for one in site.seen)
        nginx = site.nginx
        nginx.end()  # flushes all log lines
        lines = nginx.access_log.splitlines()
        assert len(lines) == 15
        assert " GET /ai/account/invitation/... 200 " in lines[-2]
        assert " GET /Account/INVITATION/... 200 " in lines[-1]
        assert f" GET {START} 200 " in lines[0] and '"127.0.0.1:' in lines[0]
        assert "502, " in nginx.access_log  # the equivalent of the error log for absent processes
        assert "secret" not in nginx.access_log + nginx.error_log
