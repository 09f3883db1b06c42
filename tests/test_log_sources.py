"""What other packages quote in their messages is cut, and what an operator needs of them stays."""

from __future__ import annotations

import asyncio
import logging
from functools import partial

import pytest

from liveai.log_sources import without_quotes

SECRET = "A PROMPT"

CASES = [
    ("django.request", f"Not Found: /api/nothing?prompt=why {SECRET}", "Not Found: /api/nothing"),
    ("django.request", f"Not Found: /api/nothing;p={SECRET}", "Not Found: /api/nothing"),
    ("django.request", "Not Found: /api/nothing", "Not Found: /api/nothing"),
    (
        "django.security.csrf",
        f"Forbidden (Origin checking failed - https://{SECRET} does not match any trusted origins."
        f"): /account/login/;{SECRET}",
        "Forbidden (Origin checking failed - … does not match any trusted origins.)"
        ": /account/login/",
    ),
    (
        "django.security.csrf",
        "Forbidden (Referer checking failed - no Referer.): /account/login/",
        "Forbidden (Referer checking failed - no Referer.): /account/login/",
    ),
    (
        "django.security.DisallowedHost",
        f"Invalid HTTP_HOST header: '{SECRET}'. You may need to add '{SECRET}' to ALLOWED_HOSTS.",
        "Invalid HTTP_HOST header: …",
    ),
    (
        "django.security.DisallowedHost",
        f'Invalid HTTP_HOST header: "{SECRET}\'". Hm.',
        "Invalid HTTP_HOST header: …",
    ),
    (
        "django.security.SessionInterrupted",
        "The request's session was deleted.",
        "The request's session was deleted.",
    ),
    (
        "asyncio",
        f"Exception in callback f('{SECRET}')\nhandle: <Handle f('{SECRET}')>",
        "Exception in callback f…",
    ),
    (
        "asyncio",
        f"Never retrieved\nfuture: <Task coro=<f() done> exception=<Odd {SECRET}>>",
        "Never retrieved\nfuture: <Task coro=<f() done> …",
    ),
    ("asyncio", "socket.accept() out of system resource", "socket.accept() out of system resource"),
    (
        "py.warnings",
        f"/a/b.py:12: DeprecationWarning: {SECRET}\n  warn('{SECRET}')",
        "/a/b.py:12: DeprecationWarning",
    ),
]


@pytest.mark.parametrize(("logger", "message", "shown"), CASES)
def test_quotes_are_cut(logger: str, message: str, shown: str) -> None:
    assert without_quotes(logger, message, is_of_client=True) == shown


def test_a_warning_of_nobodys_input_and_other_loggers_stay_whole() -> None:
    warning = "/a/b.py:12: DeprecationWarning: use c"
    assert without_quotes("py.warnings", f"{warning}\n  b()\n", is_of_client=False) == warning
    line = "Which? (this one; 'that')"
    assert without_quotes("streaming.process", line, is_of_client=True) == line


class Telling(Exception):
    def __repr__(self) -> str:
        return f"<Telling {SECRET}>"


async def test_what_asyncio_really_says_is_cut(caplog: pytest.LogCaptureFixture) -> None:
    async def fail() -> None:
        raise Telling

    def call(_prompt: str) -> None:
        raise Telling

    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(fail())
    await asyncio.wait({task})
    del task
    loop.call_soon(call, SECRET)
    loop.call_soon(partial(call, SECRET))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    said = [each.getMessage() for each in caplog.records if each.name == "asyncio"]
    assert len(said) == 3 and all(SECRET in each for each in said)
    for message in said:
        assert SECRET not in without_quotes("asyncio", message, is_of_client=False)
    assert logging.getLogger("asyncio").propagate
