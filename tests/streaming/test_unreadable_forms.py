"""Forms that Django can't read, and OPTIONS, get answers like all other requests."""

from __future__ import annotations

from typing import Any

import pytest

from streaming.process import Process
from tests.support.streaming.browser import Browser

FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize("path", ["/api/docs", "/api/schema", "/api/streams"])
async def test_options_describes_nothing(process: Process, path: str) -> None:
    (await Browser().call("OPTIONS", path)).problem("method_not_allowed")


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (f"{FORM}; charset=utf-16", b"a=b"),
        (FORM, b"&".join(b"field%d=1" % number for number in range(1500))),
    ],
    ids=["charset", "fields"],
)
@pytest.mark.parametrize("path", ["/history", "/account/login/", "/admin/login/"])
async def test_a_form_that_cannot_be_read_is_400_with_all_headers(
    process: Process, path: str, content_type: str, body: bytes
) -> None:
    headers = {"Cookie": "csrftoken=" + "T" * 32, "X-CSRFToken": "T" * 32}
    headers["Content-Type"] = content_type
    answer = await Browser().call("POST", path, body=body, headers=headers)
    assert answer.status == 400
    assert "</html>" in answer.body.decode()
    assert {"content-security-policy", "x-content-type-options"} <= answer.headers.keys()


async def test_with_debug_a_form_of_another_charset_is_400_too(
    process: Process, settings: Any
) -> None:
    settings.DEBUG = True
    headers = {"Cookie": "csrftoken=" + "T" * 32, "Content-Type": f"{FORM}; charset=utf-16"}
    assert (await Browser().call("POST", "/history", body=b"a=b", headers=headers)).status == 400
