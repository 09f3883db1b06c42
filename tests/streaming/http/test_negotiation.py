from __future__ import annotations

import pytest

from streaming.http.negotiation import wants_json_first


@pytest.mark.parametrize(
    "accept",
    [
        "application/json",
        "Application/JSON",
        " application/json ; q=0.9",
        "application/json, text/event-stream",
        "application/json,*/*",
    ],
)
def test_json_that_stands_first_is_wanted(accept: str) -> None:
    assert wants_json_first(accept)


@pytest.mark.parametrize(
    "accept",
    [
        "",
        "*/*",
        "text/event-stream",
        "text/event-stream, application/json",
        "application/problem+json",
        "application/jsonx",
        ",application/json",
    ],
)
def test_json_that_stands_elsewhere_is_not(accept: str) -> None:
    assert not wants_json_first(accept)
