"""The connection to a service: its address, the key, the way through the network."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx
from socksio import SOCKSError

from blocks import tracing
from blocks.errors import GenerationError, ProviderRejected, ProviderUnavailable
from blocks.providers.chat.address import completions_urls, is_azure, secrets_in
from blocks.providers.chat.key_redaction import KeyRedaction
from blocks.providers.chat.network import NetworkProblem, proxy_for, tls_context


class Unreachable(Exception):
    """The settings or the network's variables prevent any request."""

    def __init__(self, error: GenerationError) -> None:
        self.error = error


class Connection:
    """Connects at the first request.

    Args:
        base_url: see `completions_urls`.
        api_key: may be empty.
        transport: replaces TCP; such a service is not beyond a proxy.
    """

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str,
        connect_seconds: float,
        transport: httpx.AsyncBaseTransport | None,
    ) -> None:
        self._base_url = base_url
        self._urls: tuple[str, ...] = ()
        self._api_key = api_key.strip()
        self._connect_seconds = connect_seconds
        self._transport = transport
        self._redaction = KeyRedaction(self._api_key)
        self._client: httpx.AsyncClient | None = None

    @property
    def urls(self) -> tuple[str, ...]:
        """The addresses to try in turn, until one is kept.

        Raises:
            Unreachable: AI_BASE_URL can't be used.
        """
        if not self._urls:
            try:
                self._urls = completions_urls(self._base_url)
            except ValueError as error:
                raise _rejected(str(error)) from None
        return self._urls

    def keep(self, url: str) -> None:
        """Use no other address from now on: this one answered."""
        self._urls = (url,)

    async def post(self, url: str, body: Mapping[str, Any]) -> httpx.Response:
        """Send a request and return the response with its body unread.

        Raises:
            Unreachable: a setting or a variable of the environment can't be used.
            httpx.HTTPError: the service can't be reached.
        """
        try:
            if self._client is None:
                self._client = self._connect(url)
            request = self._client.build_request("POST", url, json=body)
            return await _send(self._client, request)
        except (httpx.UnsupportedProtocol, httpx.InvalidURL, UnicodeError):
            raise _rejected("AI_BASE_URL is not an address.") from None
        except SOCKSError:  # httpcore lets these through
            raise httpx.ProxyError("the proxy does not speak SOCKS") from None

    def redact(self, text: str) -> str:
        return self._redaction.redact(text)

    async def aclose(self) -> None:
        client, self._client = self._client, None
        self._redaction.remove()
        if client is not None:
            await client.aclose()

    def _connect(self, url: str) -> httpx.AsyncClient:
        headers = self._headers(url)
        try:
            proxy = None if self._transport else proxy_for(url)
            has_tls = urlsplit(url).scheme == "https" or (proxy or "").startswith("https:")
            # To read certificates takes 20 ms; a context without any trusts nobody.
            tls = tls_context() if has_tls else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        except NetworkProblem as problem:
            raise Unreachable(ProviderUnavailable(detail=str(problem))) from None
        to_proxy = tls if (proxy or "").startswith("https:") else None
        shown = [self._base_url, proxy or ""]
        shown += [str(httpx.URL(address)) for address in shown]  # as the library writes them
        secrets = (secret for address in shown for secret in secrets_in(address))
        self._redaction = KeyRedaction(self._api_key, *secrets)
        self._redaction.install()
        return httpx.AsyncClient(
            headers=headers,
            timeout=httpx.Timeout(None, connect=self._connect_seconds),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=20),
            transport=self._transport,
            proxy=httpx.Proxy(proxy, ssl_context=to_proxy) if proxy else None,
            verify=tls,
            trust_env=False,  # see `network`
            follow_redirects=False,  # the key stays with the configured server
        )

    def _headers(self, url: str) -> dict[str, str]:
        headers = {"Accept": "text/event-stream", "Accept-Encoding": "identity"}
        if self._api_key:
            if not (self._api_key.isascii() and self._api_key.isprintable()):
                raise _rejected("AI_API_KEY has a character that can't be part of a key.")
            headers["Authorization"] = f"Bearer {self._api_key}"
            if is_azure(url):
                headers["api-key"] = self._api_key
        return headers


async def _send(client: httpx.AsyncClient, request: httpx.Request) -> httpx.Response:
    """Send a request, with a span until the head of its response. The trace stays with us."""
    address = request.url
    attributes: dict[str, tracing.Value] = {
        "http.request.method": request.method,
        "server.address": address.host,  # not the whole address, which may hold a key
        "server.port": address.port or (443 if address.scheme == "https" else 80),
    }
    with tracing.span(request.method, kind="client", attributes=attributes) as span:
        response = await client.send(request, stream=True)
        span.set("http.response.status_code", response.status_code)
        if response.is_error:
            span.fail(str(response.status_code))
        return response


def _rejected(detail: str) -> Unreachable:
    return Unreachable(ProviderRejected(detail=detail))


def describe_failure(error: httpx.HTTPError) -> str:
    """Describe to the operator why a service can't be reached, without its address."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return (
                "The server's certificate is not trusted: SSL_CERT_FILE may name a file with the"
                " certificate of its authority."
            )
        cause = cause.__cause__ or cause.__context__
    return f"The server is unreachable ({type(error).__name__})."
