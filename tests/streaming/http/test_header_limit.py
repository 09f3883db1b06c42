"""The layer that limits headers."""

from __future__ import annotations

import pytest

from streaming.http.header_limit import MAX_ADDRESS_BYTES, MAX_CONTENT_TYPE_BYTES
from tests.support.streaming.browser import Browser


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_content_type_that_no_client_needs_is_malformed(
    browser: Browser, method: str
) -> None:
    longest = "application/json; a=" + "b" * (MAX_CONTENT_TYPE_BYTES - 20)
    answer = await browser.call(method, "/api/blocks", headers={"content-type": longest})
    assert answer.status == (200 if method == "GET" else 405)
    answer = await browser.call(method, "/api/blocks", headers={"content-type": longest + "b"})
    answer.problem("malformed")


async def test_an_address_that_no_client_needs_is_malformed(browser: Browser) -> None:
    path = "/api/blocks?a="
    (await browser.call("GET", path + "b" * 60_000)).problem("invalid_input")
    (await browser.call("GET", path + "b" * MAX_ADDRESS_BYTES)).problem("malformed")
    (await browser.call("GET", "/" + "b" * MAX_ADDRESS_BYTES)).problem("malformed")
