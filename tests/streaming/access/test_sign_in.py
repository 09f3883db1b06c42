"""Failed sign-ins to the admin are limited, with a message."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.utils import timezone

from liveai.project_asgi import request_threads
from streaming.access.old_attempts import forget_old_attempts
from streaming.access.sign_in import SignInBackend, address_of
from streaming.process import Process
from tests.support.streaming.browser import Browser

PASSWORD = "open sesame"


@pytest.fixture(autouse=True)
def quick(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.AXES_FAILURE_LIMIT = 3


@pytest.fixture
def ada(db: None) -> User:
    return User.objects.create_superuser("ada", password=PASSWORD)


def sign_in(name: str = "ada", password: str = "wrong", *, address: str = "192.0.2.1") -> Any:
    """Use a new browser each time: no cookie helps an attacker."""
    data = {"username": name, "password": password}
    return Client().post("/admin/login/", data, REMOTE_ADDR=address)


def is_signed_in(response: HttpResponse) -> bool:
    return response.status_code == 302


@pytest.mark.parametrize("target", ["", "//evil.test/", "https://evil.test/", "/\\evil.test"])
def test_a_sign_in_leads_to_this_site_and_never_to_a_foreign_one(ada: User, target: str) -> None:
    data = {"username": "ada", "password": PASSWORD, "next": target}
    response = Client().post("/admin/login/", data)
    assert (response.status_code, response["Location"]) == (302, "/")


def test_a_name_is_locked_after_its_failures_even_with_the_right_password(ada: User) -> None:
    assert [sign_in().status_code for _ in range(4)] == [200, 200, 429, 429]
    response = sign_in(password=PASSWORD)
    assert response.status_code == 429
    assert 0 < int(response["Retry-After"]) <= 300


def seconds_left(**more: Any) -> int:
    return int(sign_in(**more)["Retry-After"])


def age(seconds: float, **rows: Any) -> None:
    at = timezone.now() - timedelta(seconds=seconds)
    AccessAttempt.objects.filter(**rows).update(attempt_time=at)


def test_a_lock_says_when_it_ends_and_ends_then(ada: User) -> None:
    for _ in range(3):
        sign_in()
    age(180.5)
    assert 100 < seconds_left() <= 120  # slow machines
    age(299.5)
    assert seconds_left() == 1
    age(300.5)
    assert is_signed_in(sign_in(password=PASSWORD))


def test_a_lock_ends_when_enough_of_its_failures_are_old(ada: User) -> None:
    for number in range(4):
        data = {"username": "ada", "password": "wrong"}
        Client(headers={"User-Agent": f"agent {number}"}).post(
            "/admin/login/", data, REMOTE_ADDR="192.0.2.1"
        )
    assert AccessAttempt.objects.count() == 3, "the fourth was refused"
    age(50.5, user_agent="agent 0")
    age(150.5, user_agent="agent 1")
    age(250.5, user_agent="agent 2")
    assert 30 < seconds_left() <= 50, "then two count, which are fewer than three"


def test_the_lock_of_an_address_says_when_it_ends_and_the_longer_one_counts(ada: User) -> None:
    for number in range(5):
        for _ in range(3):
            sign_in(f"name-{number}")
    age(100.5)
    assert 180 < seconds_left() <= 200, "all fifteen are needed"
    age(250.5, username="name-0")
    assert 30 < seconds_left(name="name-1") <= 200
    assert 30 < seconds_left(name="name-0") <= 50
    age(301, username="name-0")
    assert is_signed_in(sign_in(password=PASSWORD))
    assert 180 < seconds_left(name="name-1") <= 200, "its own"


def test_a_lock_leaves_the_same_name_free_elsewhere(ada: User) -> None:
    for _ in range(5):
        sign_in()
    assert is_signed_in(sign_in(password=PASSWORD, address="192.0.2.2"))


@pytest.mark.parametrize("address", ["192.0.2.1", "127.0.0.1"])
def test_an_address_that_tries_many_names_is_locked(ada: User, address: str) -> None:
    for number in range(15):
        sign_in(f"name-{number}", address=address)
    assert sign_in(password=PASSWORD, address=address).status_code == 429


def test_the_addresses_of_one_ipv6_network_count_together(ada: User) -> None:
    for number in range(3):
        sign_in(address=f"2001:db8:1:2::{number:x}")
    assert sign_in(password=PASSWORD, address="2001:db8:1:2:3::").status_code == 429
    assert is_signed_in(sign_in(password=PASSWORD, address="2001:db8:1:3::"))


@pytest.mark.parametrize(
    ("remote", "address"),
    [("", None), ("unix:", None), ("fe80::1%eth0", "fe80::"), ("::ffff:192.0.2.7", "192.0.2.7")],
)
def test_any_peer_has_an_address_that_can_be_stored(remote: str, address: str | None) -> None:
    assert address_of(RequestFactory(REMOTE_ADDR=remote).get("/")) == address


def test_peers_without_an_address_count_together(ada: User) -> None:
    for _ in range(3):
        sign_in(address="")
    assert sign_in(password=PASSWORD, address="").status_code == 429


def test_another_user_agent_is_no_fresh_start(ada: User) -> None:
    for number in range(3):
        data = {"username": "ada", "password": "wrong"}
        Client(headers={"User-Agent": f"agent {number}"}).post("/admin/login/", data)
    assert sign_in(password=PASSWORD, address="127.0.0.1").status_code == 429


def test_attempts_during_a_lock_do_not_prolong_it(ada: User) -> None:
    for _ in range(3):
        sign_in()
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(seconds=299))
    assert sign_in().status_code == 429
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(seconds=301))
    assert is_signed_in(sign_in(password=PASSWORD))


def test_a_sign_in_forgets_its_own_failures_and_no_others(ada: User) -> None:
    for name in ("ada", "ada", "bob", "bob"):
        sign_in(name)
    assert is_signed_in(sign_in(password=PASSWORD))
    assert [sign_in().status_code, sign_in("bob").status_code] == [200, 429]


def test_a_failure_is_one_line_without_the_password(
    ada: User, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    sign_in("eve\r\nWARNING forged " + "x" * 100, "hunter2")
    (line,) = [record.getMessage() for record in caplog.records if "ign-in" in record.getMessage()]
    assert line.startswith('Sign-in as "eve')
    assert "\n" not in line
    assert len(line) < 120
    assert not any("AXES" in record.getMessage() for record in caplog.records)
    assert "hunter2" not in caplog.text
    assert not any("hunter2" in str(row) for row in AccessAttempt.objects.values())


def test_a_lock_is_logged_once(ada: User, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(10):
        sign_in()
    assert caplog.text.count("failed.") == 3
    assert caplog.text.count("are refused for 300 s.") == 1


def test_a_limit_of_zero_is_none(ada: User, settings: Any) -> None:
    settings.AXES_LOCK_OUT_AT_FAILURE = False
    assert {sign_in().status_code for _ in range(5)} == {200}


def test_code_that_signs_in_without_a_request_is_not_limited(ada: User) -> None:
    assert Client().login(username="ada", password=PASSWORD)
    assert not Client().login(username="ada", password="wrong")


def test_old_failures_are_deleted(ada: User) -> None:
    sign_in()
    forget_old_attempts()
    assert AccessAttempt.objects.count() == 1
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(seconds=301))
    forget_old_attempts()
    assert AccessAttempt.objects.count() == 0


async def test_sign_ins_that_are_slow_delay_nobody_else(
    process: Process,
    make_browser: Callable[..., Awaitable[Browser]],
    monkeypatch: pytest.MonkeyPatch,
    settings: Any,
) -> None:
    settings.AXES_LOCK_OUT_AT_FAILURE = False
    hashing, go_on = threading.Event(), threading.Event()

    def authenticate(self: Any, request: Any, **credentials: Any) -> None:
        hashing.set()
        assert go_on.wait(20)

    monkeypatch.setattr(SignInBackend, "authenticate", authenticate)
    visitor = await make_browser()
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    body = urlencode({"username": "ada", "password": "wrong"}).encode()
    sign_ins = [
        asyncio.create_task(visitor.call("POST", "/admin/login/", body=body, headers=form))
        for _ in range(30)  # a class
    ]
    try:
        await asyncio.to_thread(hashing.wait, 20)
        async with asyncio.timeout(10):
            assert (await visitor.call("GET", "/api/config")).status == 200
            assert (await visitor.call("GET", "/admin/login/")).status == 200
    finally:
        go_on.set()
    assert {answer.status for answer in await asyncio.gather(*sign_ins)} == {200}


@pytest.mark.parametrize(
    ("bound", "status"), [("_of_an_address", 429), ("_seconds", 503)], ids=["share", "wait"]
)
async def test_a_sign_in_that_the_line_refuses_gets_a_page(
    process: Process, monkeypatch: pytest.MonkeyPatch, bound: str, status: int
) -> None:
    (turns,) = (lane.turns for lane in request_threads._lanes if hasattr(lane, "turns"))
    monkeypatch.setattr(turns, bound, 0)
    monkeypatch.setattr(turns, "_free", 0)
    answer = await Browser().call("POST", "/account/login/", body=b"login=ada")
    assert answer.status == status
    assert answer.headers["retry-after"] == "10"
    page = answer.body.decode()
    assert "Please try again in <b>10 seconds</b>" in page
    assert "ada" not in page, "it came without a token: from another site, perhaps"
    assert {"content-security-policy", "x-content-type-options"} <= answer.headers.keys()
