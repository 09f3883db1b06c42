"""What both clients share of httpx: settings, a `Request` as a call, a response as a `Reply`."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx

from .access import Access
from .steps import LOST, Lost, Reply, Request

CONNECT_SECONDS = 10.0

_STREAM_ID = re.compile(r"[A-Za-z0-9_-]{22}", re.ASCII)


def settings_of(base_url: str, timeout: float) -> dict[str, Any]:
    """Return the arguments of httpx's clients.

    Redirects are not followed: they could lead a token to another site.

    Raises:
        ValueError: the URL is not one of a site.
    """
    return {
        "base_url": _site(base_url),
        "timeout": httpx.Timeout(timeout, connect=CONNECT_SECONDS),
        "limits": httpx.Limits(max_connections=None),  # an answer holds one for as long as it lasts
        "headers": {"User-Agent": "liveai-client"},
        "follow_redirects": False,
    }


def access_of(base_url: str, token: str | None, *, has_get_token: bool) -> Access:
    """Return who asks.

    Raises:
        ValueError: both a token and a function for it are given.
    """
    if token is not None and has_get_token:
        raise ValueError("Give token or get_token, not both.")
    url = _site(base_url)
    origin = f"{url.scheme}://{url.netloc.decode()}"  # in small letters, without a default port
    own = None if token is None else token.strip()
    return Access(origin, token=own, renews=has_get_token)


def _site(base_url: str) -> httpx.URL:
    try:
        url = httpx.URL(base_url.rstrip("/"))
        url = httpx.URL(str(url))  # drops a default port only behind a scheme in small letters
    except httpx.InvalidURL:
        url = httpx.URL()
    if url.scheme not in ("http", "https") or not url.host or (url.port or 0) > 65535:
        raise ValueError("base_url: the address of a site, e.g. https://ai.example")
    return url


def require_stream_id(stream_id: str) -> str:
    """Return the id of a stream.

    Raises:
        ValueError: it can't be one.
    """
    if not _STREAM_ID.fullmatch(stream_id):
        raise ValueError("stream_id: 22 URL-safe characters.")
    return stream_id


def arguments_of(request: Request) -> dict[str, Any]:
    """Return the arguments of httpx's `build_request`."""
    headers = dict(request.headers)
    found: dict[str, Any] = {"method": request.method, "url": request.path, "headers": headers}
    headers.setdefault("Accept", "application/json")
    if request.params:
        found["params"] = request.params
    if request.body is not None:
        found["json"] = request.body
    return found


def is_event_stream(response: httpx.Response) -> bool:
    content_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return response.status_code == 200 and content_type == "text/event-stream"


def reply_of(response: httpx.Response, *, is_stream: bool = False) -> Reply | Lost:
    """Return a response that has been read.

    Args:
        is_stream: an event stream was asked for: another success, such as the page of a proxy that
            wants a sign-in, is none.
    """
    if is_stream and response.status_code == 200:
        return LOST
    try:
        body = json.loads(response.content)
    except ValueError:
        body = None
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Reply(response.status_code, headers, body)


def data_of(text: str) -> dict[str, Any] | Lost | None:
    """Return an event's data; None for a message without data, such as a comment after an id."""
    if not text:
        return None
    try:
        data = json.loads(text)
    except ValueError:
        return LOST
    return data if isinstance(data, dict) else LOST
