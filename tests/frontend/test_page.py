"""The document served for every page, once the pages are built."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import OperationalError
from django.db.backends.utils import CursorWrapper
from django.test import Client, RequestFactory

from frontend.build import ENTRY
from frontend.views import unknown
from streaming.access.visitor import SESSION_KEY
from tests.frontend.conftest import CHUNK, SCRIPT, STYLE, UseDist

PAGES = ["/", "/blocks/quiz", "/blocks/no-such-block", "/history", f"/streams/{'x' * 22}"]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("built")]


def boot_of(page: str) -> Any:
    """Return the data that the page passes to its program, as a browser reads it."""
    found = re.findall(r'<script id="boot" type="application/json">(.*?)</script>', page, re.S)
    assert len(found) == 1
    return json.loads(found[0])


def policy_of(response: Any) -> dict[str, list[str]]:
    parts = [part.split() for part in response["Content-Security-Policy"].split(";")]
    return {part[0]: part[1:] for part in parts}


@pytest.mark.parametrize("path", PAGES)
def test_every_address_of_a_page_is_the_same_document(client: Client, path: str) -> None:
    response = client.get(path)
    assert (response.status_code, response["Content-Type"]) == (200, "text/html; charset=utf-8")
    page = response.content.decode()
    assert '<html lang="en">' in page
    assert '<div id="app"></div>' in page
    assert f'src="/static/ai/{SCRIPT}"' in page
    assert re.search(rf'<link [^>]*rel="stylesheet" href="/static/ai/{STYLE}"', page)
    assert re.search(rf'<link href="/static/ai/{CHUNK}"[^>]*rel="modulepreload"', page)


UNKNOWN = ["/blocks", "/blocks/", "/blocks/a/b", "/streams", "/streams/a/b", "/x", "/a%0ab/"]


@pytest.mark.parametrize("is_debugged", [False, True])
@pytest.mark.parametrize("path", UNKNOWN)
def test_any_other_address_is_404_with_the_pages_for_a_browser(
    client: Client, settings: Any, path: str, *, is_debugged: bool
) -> None:
    settings.DEBUG = is_debugged
    response = client.get(path, headers={"Accept": "text/html,*/*;q=0.8"})
    assert response.status_code == 404
    assert '<div id="app"></div>' in response.content.decode()
    assert "sessionid" not in response.cookies
    for headers in ({}, {"Accept": "image/svg+xml"}):
        notice = client.get(path, headers=headers)
        assert notice.status_code == 404
        assert "<h1>Page not found</h1>" in notice.content.decode()


def test_a_form_for_an_unknown_address_gets_404() -> None:
    assert Client(enforce_csrf_checks=True).post("/x").status_code == 404


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/history/", "/history"),
        ("/history/?status=error&q=a%20b", "/history?status=error&q=a%20b"),
        ("/blocks/quiz//", "/blocks/quiz"),
        ("/blocks/a%20b/", "/blocks/a%20b"),
        ("/streams/abc/", "/streams/abc"),
        ("/licenses/", "/licenses"),
        ("/admin", "/admin/"),
        ("/admin?next=1", "/admin/?next=1"),
    ],
)
def test_slashes_at_the_end_lead_to_the_page(client: Client, path: str, location: str) -> None:
    response = client.get(path)
    assert (response.status_code, response["Location"]) == (301, location)


@pytest.mark.parametrize("path", ["//history/", "///", "//evil.example/", "/\\evil.example/"])
def test_no_slashes_lead_to_another_host(rf: RequestFactory, path: str) -> None:
    request = rf.get("/")
    request.path_info = request.path = path
    location = unknown(request).headers.get("Location", "/")
    assert re.match(r"/(?![/\\])|/$", location), location


def test_an_unknown_address_needs_no_database(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*args: Any) -> Any:
        raise OperationalError("connection refused")

    client.cookies["sessionid"] = "x" * 32
    monkeypatch.setattr(CursorWrapper, "execute", away)
    response = client.get("/x", headers={"Accept": "text/html"})
    assert response.status_code == 404
    assert "<h1>Page not found</h1>" in response.content.decode()


def test_a_page_can_only_be_read(client: Client) -> None:
    assert client.head("/").status_code == 200
    assert client.post("/").status_code == 405


def test_a_page_is_for_one_visitor_and_is_asked_for_each_time(client: Client) -> None:
    directives = client.get("/")["Cache-Control"].split(", ")
    assert set(directives) == {"private", "no-cache"}


def test_while_the_database_is_away_a_page_asks_for_itself_again(
    client: Client,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings.AI_ALLOW_ANONYMOUS = True
    client.get("/")  # from now on the client has its cookie
    with monkeypatch.context() as patch:

        def away(*args: Any) -> Any:
            raise OperationalError("connection refused, with a password in it")

        patch.setattr(CursorWrapper, "execute", away)
        response = client.get("/history")
    assert (response.status_code, response["Retry-After"]) == (503, "3")
    page = response.content.decode()
    assert '<meta http-equiv="refresh" content="3">' in page
    assert "Back in a moment" in page
    assert set(response["Cache-Control"].split(", ")) == {"private", "no-cache"}
    assert "A page waits for the database (OperationalError)." in caplog.text
    assert "password" not in caplog.text
    assert client.get("/history").status_code == 200


def test_a_newcomer_gets_the_page_and_a_session_without_the_database(
    client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.AI_ALLOW_ANONYMOUS = True
    with monkeypatch.context() as patch:

        def away(*args: Any) -> Any:
            raise OperationalError("connection refused")

        patch.setattr(CursorWrapper, "execute", away)
        assert client.get("/history").status_code == 200
    session = client.cookies["sessionid"].value
    client.get("/history")
    assert client.cookies["sessionid"].value == session


# --- the policy -----------------------------------------------------------------------------


def test_every_script_carries_the_nonce_of_the_policy(client: Client) -> None:
    response = client.get("/")
    sources = policy_of(response)["script-src"]
    assert sources[0] == "'self'"
    assert len(sources) == 2
    nonce = re.fullmatch(r"'nonce-(.{16,})'", sources[1])
    assert nonce
    scripts = re.findall(r"<script\b([^>]*)>", response.content.decode())
    run = [attributes for attributes in scripts if "application/json" not in attributes]
    assert len(run) == 3  # the theme's, the notice's, and the program
    for attributes in run:
        assert f'nonce="{nonce[1]}"' in attributes


def test_each_answer_has_a_nonce_of_its_own(client: Client) -> None:
    first, second = (policy_of(client.get("/"))["script-src"] for _ in range(2))
    assert first != second


def test_the_policy_lets_nothing_in_from_elsewhere(client: Client) -> None:
    policy = policy_of(client.get("/"))
    del policy["script-src"]
    assert policy == {
        "default-src": ["'self'"],
        "style-src": ["'self'", "'unsafe-inline'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "object-src": ["'none'"],
        "base-uri": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }


def test_a_page_needs_no_other_site_and_no_inline_handler(client: Client) -> None:
    page = client.get("/").content.decode()
    assert re.findall(r'(?:src|href)="(?:https?:)?//', page) == []
    assert re.findall(r"\son[a-z]+\s*=", page) == []
    assert re.findall(r"\sstyle=|<style", page) == []


def test_the_chosen_theme_is_set_before_anything_else_is_loaded(client: Client) -> None:
    page = client.get("/").content.decode()
    theme = page.index('localStorage.getItem("theme")')
    assert theme < page.index('rel="stylesheet"')
    assert theme < page.index("/static/ai/")


# --- the visitor --------------------------------------------------------------------------


def test_a_visitor_gets_what_the_calls_need(client: Client, settings: Any) -> None:
    settings.AI_ALLOW_ANONYMOUS = True
    client.get("/history")
    assert client.cookies["csrftoken"].value
    owner = client.session[SESSION_KEY]
    client.get("/")
    assert client.session[SESSION_KEY] == owner


def test_who_was_signed_out_elsewhere_gets_no_new_session(client: Client, settings: Any) -> None:
    settings.AI_ALLOW_ANONYMOUS = False
    ada = User.objects.create_user("ada", password="before")
    client.force_login(ada)
    ada.set_password("after")
    ada.save()
    assert client.get("/").status_code == 200
    assert client.cookies["sessionid"].value == ""  # the response deletes it
    assert Session.objects.count() == 0


def test_where_asking_needs_an_account_a_stranger_gets_no_session(
    client: Client, settings: Any
) -> None:
    settings.AI_ALLOW_ANONYMOUS = False
    assert client.get("/").status_code == 200
    assert client.cookies["csrftoken"].value
    assert "sessionid" not in client.cookies


def test_a_stranger_is_told_where_to_sign_in_and_comes_back(client: Client) -> None:
    boot = boot_of(client.get("/blocks/quiz?difficulty=hard").content.decode())
    assert boot == {
        "user": None,
        "admin": False,
        "mustSignIn": True,
        "loginUrl": "/account/login/?next=%2Fblocks%2Fquiz%3Fdifficulty%3Dhard",
        "signUpUrl": None,
        "accountUrl": "/account/",
        "dataUrl": "/account/data/",
        "logoutUrl": "/account/logout/",
    }
    User.objects.create_user("ada", password="engine")
    address, _, query = boot["loginUrl"].partition("?")
    form = client.get(boot["loginUrl"]).content.decode()
    assert '<input type="hidden" name="next" value="/blocks/quiz?difficulty=hard"' in form
    back = client.post(f"{address}?{query}", {"login": "ada", "password": "engine"})
    assert back["Location"] == "/blocks/quiz?difficulty=hard"


@pytest.mark.parametrize(("mode", "is_offered"), [("open", True), ("invitation", False)])
def test_a_sign_up_is_offered_where_it_is_open(
    client: Client, settings: Any, mode: str, is_offered: bool
) -> None:
    settings.SIGN_UP = mode
    boot = boot_of(client.get("/history").content.decode())
    assert boot["signUpUrl"] == ("/account/signup/?next=%2Fhistory" if is_offered else None)


def test_the_pages_know_whether_asking_needs_an_account(client: Client, settings: Any) -> None:
    settings.AI_ALLOW_ANONYMOUS = True
    assert boot_of(client.get("/").content.decode())["mustSignIn"] is False


@pytest.mark.parametrize("is_staff", [True, False])
def test_who_is_signed_in_is_named(client: Client, is_staff: bool) -> None:
    client.force_login(User.objects.create_user("ada", is_staff=is_staff))
    boot = boot_of(client.get("/").content.decode())
    assert (boot["user"], boot["admin"]) == ("ada", is_staff)


def test_a_hostile_name_stays_text(client: Client) -> None:
    name = "</script><script>alert(1)</script><!--&"
    client.force_login(User.objects.create_user(name))
    page = client.get("/").content.decode()
    assert "<script>alert" not in page
    assert boot_of(page)["user"] == name


def test_a_hostile_address_stays_text(client: Client) -> None:
    page = client.get("/blocks/%3Cscript%3E?%22%3E%3Cscript%3E").content.decode()
    assert "<script>" not in page
    assert boot_of(page)["loginUrl"].startswith("/account/login/?next=%2Fblocks%2F")


def test_the_admin_and_the_docs_work_beside_the_pages(client: Client) -> None:
    client.force_login(User.objects.create_superuser("operator"))
    for path in ("/admin/", "/api/docs"):
        response = client.get(path)
        assert response.status_code == 200
        assert policy_of(response)["script-src"] == ["'self'"]
        assert re.findall(r"<script(?![^>]*\bsrc=)[^>]*>", response.content.decode()) == []


@pytest.mark.parametrize("path", ["/", "/admin/", "/admin/login/", "/api/docs", "/no/page"])
def test_every_page_names_its_icon(client: Client, path: str) -> None:
    # Otherwise browsers ask for /favicon.ico, which is outside of SITE_PATH.
    if path == "/admin/":
        client.force_login(User.objects.create_superuser("operator"))
    page = client.get(path).content.decode()
    assert re.search(r'<link rel="(shortcut )?icon"[^>]* href="/static/', page)


def test_a_manifest_that_lost_a_part_is_no_500(
    client: Client, built: Path, use_dist: UseDist
) -> None:
    manifest = {ENTRY: {"file": "a.js", "imports": ["gone"]}}
    (built / "manifest.json").write_text(json.dumps(manifest))
    use_dist(built)
    response = client.get("/")
    assert response.status_code == 200
    assert b"The pages are not built" in response.content


def test_for_work_on_the_pages_they_come_from_vites_own_server(
    client: Client, settings: Any, use_dist: UseDist, tmp_path: Path
) -> None:
    settings.DJANGO_VITE = {"default": {**settings.DJANGO_VITE["default"], "dev_mode": True}}
    use_dist(tmp_path / "no-dist")
    response = client.get("/")
    page = response.content.decode()
    assert f'src="http://localhost:5173/static/ai/{ENTRY}"' in page
    nonce = policy_of(response)["script-src"][1].removeprefix("'nonce-").rstrip("'")
    scripts = re.findall(r"<script\b([^>]*)>", page)
    assert [nonce in attributes for attributes in scripts] == [True, True, True, True, True, False]


@pytest.mark.parametrize("path", ["/", "/ai/"])
def test_the_pages_are_told_the_path_of_the_site(client: Client, settings: Any, path: str) -> None:
    settings.SITE_PATH = path
    page = client.get("/history").content.decode()
    assert f'<meta name="site-path" content="{path}">' in page
    assert f'data-site-path="{path}" data-end="/history" hidden>' in page
