"""Responses beside the pages: the docs, static files, and errors.

Calls pass through the whole application, as from a server.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.staticfiles import finders
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404
from django.test import Client, RequestFactory
from django.urls import get_script_prefix, set_script_prefix

from streaming.http import problems
from streaming.process import Process
from tests.support.streaming.browser import Answer, Browser

CSS = "/static/admin/css/base.css"
HTML = "text/html; charset=utf-8"


@pytest.fixture
async def visitor(process: Process) -> Browser:
    """A new visitor."""
    return Browser()


def policy_of(answer: Answer) -> dict[str, list[str]]:
    """Return the content security policy by directive."""
    policy = answer.headers["content-security-policy"]
    parts = [part.split() for part in policy.split(";") if part.strip()]
    return {part[0]: part[1:] for part in parts}


def assert_is_safe(answer: Answer) -> None:
    """Check that the policy admits only the site's own scripts, and the page needs no others."""
    policy = policy_of(answer)
    assert policy["default-src"] == ["'self'"]
    assert policy.get("script-src", ["'self'"]) == ["'self'"]
    assert policy["frame-ancestors"] == ["'none'"]
    assert policy["object-src"] == ["'none'"]
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["x-content-type-options"] == "nosniff"
    page = answer.body.decode()
    assert re.findall(r"<script(?![^>]*\bsrc=)[^>]*>", page) == []
    assert re.findall(r"\son[a-z]+\s*=", page) == []
    assert re.findall(r'(?:src|<link[^>]*href)="(?:https?:)?//[^"]*', page) == []


# --- the description of the calls ---------------------------------------------------------


async def test_the_docs_work_without_any_other_site_and_without_inline_scripts(
    visitor: Browser,
) -> None:
    answer = await visitor.call("GET", "/api/docs")
    assert (answer.status, answer.headers["content-type"]) == (200, HTML)
    assert_is_safe(answer)
    page = answer.body.decode()
    files = re.findall(r'(?:src|<link[^>]*href)="(/[^"]*)"', page)
    assert len(files) >= 4
    for file in files:
        asked = await visitor.call("GET", file.replace("&amp;", "&"))
        assert asked.status == 200, file
        assert asked.body


async def test_the_schema_is_openapi_of_every_call(visitor: Browser) -> None:
    answer = await visitor.call("GET", "/api/schema")
    assert answer.status == 200
    schema = answer.body.decode()
    for call in (
        "/api/config:",
        "/api/blocks:",
        "/api/stream/ai-block/{block_type}:",
        "/api/streams:",
        "/api/streams/cancel:",
        "/api/streams/{stream_id}:",
        "/api/streams/{stream_id}/events:",
        "/api/streams/{stream_id}/cancel:",
    ):
        assert call in schema


# --- static files -------------------------------------------------------------------------


@pytest.fixture
def css() -> bytes:
    path = finders.find("admin/css/base.css")
    assert isinstance(path, str)
    with open(path, "rb") as file:
        return file.read()


async def test_a_static_file_arrives_whole(visitor: Browser, css: bytes) -> None:
    answer = await visitor.call("GET", CSS)
    assert (answer.status, answer.body) == (200, css)
    assert answer.headers["content-type"].startswith("text/css")
    assert answer.headers["content-length"] == str(len(css))
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_head_tells_its_length_alone(visitor: Browser, css: bytes) -> None:
    answer = await visitor.call("HEAD", CSS)
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["content-length"] == str(len(css))


async def test_a_file_that_the_browser_has_is_not_sent_again(visitor: Browser) -> None:
    first = await visitor.call("GET", CSS)
    since = {"If-Modified-Since": first.headers["last-modified"]}
    again = await visitor.call("GET", CSS, headers=since)
    assert (again.status, again.body) == (304, b"")
    old = {"If-Modified-Since": "Mon, 01 Jan 2001 00:00:00 GMT"}
    assert (await visitor.call("GET", CSS, headers=old)).status == 200


@pytest.mark.parametrize(
    ("wanted", "part"),
    [("0-3", slice(0, 4)), ("10-19", slice(10, 20)), ("100-", slice(100, None))],
)
async def test_a_range_of_a_file_is_206(
    visitor: Browser, css: bytes, wanted: str, part: slice
) -> None:
    answer = await visitor.call("GET", CSS, headers={"Range": f"bytes={wanted}"})
    assert (answer.status, answer.body) == (206, css[part])
    start = part.start
    end = start + len(css[part]) - 1
    assert answer.headers["content-range"] == f"bytes {start}-{end}/{len(css)}"
    assert answer.headers["content-length"] == str(len(css[part]))


async def test_a_range_beyond_the_end_is_416(visitor: Browser, css: bytes) -> None:
    answer = await visitor.call("GET", CSS, headers={"Range": "bytes=9999999-"})
    assert answer.status == 416
    assert answer.headers["content-range"] == f"bytes */{len(css)}"


@pytest.mark.parametrize("wanted", ["bytes=x-y", "lines=1-2", "bytes=5-2", "", "bytes=1-2,5-6"])
async def test_a_range_that_means_nothing_is_no_range(
    visitor: Browser, css: bytes, wanted: str
) -> None:
    answer = await visitor.call("GET", CSS, headers={"Range": wanted})
    assert (answer.status, answer.body) in [(200, css), (416, b"")]


async def test_a_static_file_can_only_be_read(visitor: Browser) -> None:
    for method in ("POST", "PUT", "DELETE"):
        assert (await visitor.call(method, CSS)).status == 405


@pytest.mark.parametrize(
    "path",
    [
        "/static/nothing.css",
        "/static/",
        "/static/../manage.py",
        "/static/%2e%2e/manage.py",
        "/static/admin/../../../liveai/settings.py",
        "/static//etc/passwd",
        "/static/%00",
    ],
)
async def test_what_is_no_static_file_is_404(visitor: Browser, path: str) -> None:
    answer = await visitor.call("GET", path)
    assert answer.status == 404
    assert b"SECRET_KEY" not in answer.body


# --- missing pages and errors ----------------------------------------------------------------


@pytest.mark.parametrize("path", ["/nothing", "/apis", "/apiconfig", "/nothing/", "/%00"])
async def test_an_unknown_page_is_html(visitor: Browser, path: str) -> None:
    answer = await visitor.call("GET", path)
    assert (answer.status, answer.headers["content-type"]) == (404, HTML)
    assert "content-security-policy" in answer.headers


NOTICES = {
    400: "Bad request",
    403: "You can’t open this page",
    404: "Page not found",
    500: "Something went wrong",
}


@pytest.mark.parametrize("status", NOTICES)
@pytest.mark.parametrize("root", ["", "/ai"])
def test_every_error_has_a_page_of_the_site(rf: RequestFactory, status: int, root: str) -> None:
    views = {
        400: lambda request: problems.bad_request(request, SuspiciousOperation("hunter2")),
        403: lambda request: problems.permission_denied(request, PermissionDenied("hunter2")),
        404: lambda request: problems.page_not_found(request, Http404("hunter2")),
        500: problems.server_error,
    }
    before = get_script_prefix()
    set_script_prefix(f"{root}/")
    try:
        response = views[status](rf.get("/somewhere"))
    finally:
        set_script_prefix(before)
    page = response.content.decode()
    assert (response.status_code, response["Content-Type"]) == (status, HTML)
    assert f"<h1>{NOTICES[status]}</h1>" in page
    assert f'href="{root}/"' in page
    assert "hunter2" not in page
    assert re.findall(r"<script(?![^>]*\bsrc=)[^>]*>", page) == []


@pytest.mark.parametrize("is_debugged", [False, True])
def test_a_form_without_its_token_gets_a_page_of_the_site(
    db: None, settings: Any, *, is_debugged: bool
) -> None:
    settings.DEBUG = is_debugged
    response = Client(enforce_csrf_checks=True).post("/admin/login/", {"username": "x"})
    assert response.status_code == 403
    assert "<h1>This form has expired</h1>" in response.content.decode()


def test_a_host_that_is_not_allowed_gets_a_page_of_the_site(db: None, caplog: Any) -> None:
    response = Client(raise_request_exception=False).get("/", headers={"Host": "evil.example"})
    assert response.status_code == 400
    assert "<h1>Bad request</h1>" in response.content.decode()


def test_the_admins_unknown_pages_stay_the_admins(client: Client, db: None) -> None:
    client.force_login(User.objects.create_superuser("operator"))
    response = client.get("/admin/nothing/")
    assert response.status_code == 404
    assert "/static/operating/admin.css" in response.content.decode()


async def test_an_unknown_call_is_a_problem_also_for_a_browser(visitor: Browser) -> None:
    answer = await visitor.call("GET", "/api/nothing", headers={"Accept": "text/html"})
    answer.problem("not_found")


@pytest.mark.parametrize("path", ["/", "/nothing"])
def test_a_page_that_breaks_is_html_and_shows_nothing_of_it(
    db: None, monkeypatch: pytest.MonkeyPatch, path: str, caplog: Any
) -> None:
    def broken(*args: Any, **kwargs: Any) -> Any:
        raise ValueError("hunter2")

    monkeypatch.setattr("frontend.views.is_built", broken)
    monkeypatch.setattr("django.views.defaults.page_not_found", broken)
    response = Client(raise_request_exception=False).get(path)
    assert (response.status_code, response["Content-Type"]) == (500, HTML)
    assert b"hunter2" not in response.content


def test_a_call_that_breaks_is_a_problem_and_shows_nothing_of_it(
    db: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*args: Any, **kwargs: Any) -> Any:
        raise ValueError("hunter2")

    monkeypatch.setattr("streaming.views.list_blocks", broken)
    response = Client(raise_request_exception=False).get("/api/blocks")
    assert (response.status_code, response["Content-Type"]) == (500, "application/problem+json")
    assert response.json()["code"] == "internal"
    assert b"hunter2" not in response.content
    assert "hunter2" in caplog.text  # the operator sees it


def test_the_admins_pages_are_under_the_policy_too(client: Client, db: None) -> None:
    client.force_login(User.objects.create_superuser("operator"))
    response = client.get("/admin/")
    assert response.status_code == 200
    assert "default-src 'self'" in response["Content-Security-Policy"]
    assert re.findall(r"<script(?![^>]*\bsrc=)[^>]*>", response.content.decode()) == []
