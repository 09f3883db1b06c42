"""Reads the document of a key set over HTTP, with the network's rules of the model providers."""

from __future__ import annotations

import ssl
from urllib.parse import urlsplit

import httpx

from blocks.providers.chat.network import NetworkProblem, proxy_for, tls_context

DOCUMENT_BYTES = 64 * 1024
CONNECT_SECONDS = 3.0


async def fetch_document(url: str) -> bytes:
    """Return the body of a key set's address.

    It follows no redirects, takes no compressed body, and reads `DOCUMENT_BYTES` at most. The
    caller bounds the time. Safe to cancel: the connection is closed.

    Raises:
        OSError: the server can't be reached, or does not answer 200.
        ValueError: the body is too long.
    """
    try:
        proxy = proxy_for(url)
        has_tls = urlsplit(url).scheme == "https" or (proxy or "").startswith("https:")
        tls = tls_context() if has_tls else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        async with httpx.AsyncClient(
            headers={"Accept": "application/json", "Accept-Encoding": "identity"},
            timeout=CONNECT_SECONDS,
            proxy=proxy,
            verify=tls,
            trust_env=False,
            follow_redirects=False,
        ) as client:
            return await _read(client, url)
    except (httpx.HTTPError, httpx.InvalidURL, NetworkProblem) as error:
        raise OSError(type(error).__name__) from None


async def _read(client: httpx.AsyncClient, url: str) -> bytes:
    async with client.stream("GET", url) as response:
        if response.status_code != 200:
            raise OSError(f"status {response.status_code}")
        body = bytearray()
        async for piece in response.aiter_raw():
            body += piece
            if len(body) > DOCUMENT_BYTES:
                raise ValueError("too long")
        return bytes(body)
