"""A visitor of our server, who starts and lists streams by plain calls."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..load.plain_http import call, session_headers
from ..load.siege import JSON_HEADERS, START_PATH


class Owner:
    """Created by `arrive`. `headers` identify the visitor."""

    def __init__(self, port: int, cookies: Mapping[str, str]) -> None:
        self.headers = session_headers(port, cookies)
        self._port = port

    @classmethod
    async def arrive(cls, port: int) -> Owner:
        head, _ = await call(port, "GET", "/api/config", JSON_HEADERS)
        return cls(port, head.cookies)

    async def start(self, prompt: str, *, query: str = "") -> str:
        """Start a stream and return its id.

        Raises:
            RuntimeError: the server refused it.
        """
        body = json.dumps({"prompt": prompt}).encode()
        stream_id: str = (await self._call("POST", START_PATH + query, body))["stream_id"]
        return stream_id

    async def get(self, path: str) -> Any:
        """Return the JSON of a page of the API.

        Raises:
            RuntimeError: the server refused it.
        """
        return await self._call("GET", path)

    async def _call(self, method: str, path: str, body: bytes = b"") -> Any:
        headers = {**JSON_HEADERS, **self.headers}
        head, data = await call(self._port, method, path, headers, body)
        if head.status >= 300:
            raise RuntimeError(f"{method} {path}: {head.status} {data[:300]!r}")
        return json.loads(data)
