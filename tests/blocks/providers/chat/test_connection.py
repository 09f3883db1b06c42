"""The way to a service: its address, its key, proxies and certificates."""

import asyncio
import gc
import logging
import ssl

import httpx
import pytest

from blocks import errors
from blocks.providers.chat.connection import describe_failure
from tests.contracts.provider_contract import REQUEST, pieces_of, text_of
from tests.support.blocks.provider_bench import CANARY
from tests.support.blocks.socks_proxy import SocksProxy
from tests.support.blocks.upstream import WORDS, Behaviour

ANSWER = "".join(WORDS)
VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "ssl_cert_file", "ssl_cert_dir")


@pytest.fixture(autouse=True)
def network(monkeypatch):
    """No variable is set but those of the test."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return monkeypatch


# --- addresses --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("added", "path"),
    [
        ("", "/v1/chat/completions"),
        ("/", "/v1/chat/completions"),
        ("/chat/completions", "/v1/chat/completions"),
        ("?api-version=2024-10-21", "/v1/chat/completions?api-version=2024-10-21"),
    ],
)
async def test_the_base_address_is_completed_where_it_needs_it(bench, added, path):
    provider = bench.provider(base_url=f" {bench.upstream.base_url}{added} ")
    assert text_of(await pieces_of(provider, REQUEST)) == ANSWER
    assert [call.path for call in bench.upstream.calls] == [path]


@pytest.mark.parametrize("status", [404, 405])
async def test_an_address_without_a_path_is_tried_with_the_usual_one_first_and_kept(bench, status):
    root = f"http://127.0.0.1:{bench.upstream.port}"
    lost = Behaviour(status=status, body=b'{"detail": "Not Found"}')
    bench.upstream.plan(lost, Behaviour())
    provider = bench.provider(base_url=root)
    for _ in range(2):
        assert text_of(await pieces_of(provider, REQUEST)) == ANSWER
    paths = [call.path for call in bench.upstream.calls]
    assert paths == ["/v1/chat/completions", "/chat/completions", "/chat/completions"]


async def test_an_address_that_gives_no_answer_is_not_kept(bench):
    unknown = Behaviour(status=404, body=b'{"error": "model not found, try pulling it first"}')
    bench.upstream.plan(unknown, Behaviour(fault="html"), Behaviour())
    provider = bench.provider(base_url=f"http://127.0.0.1:{bench.upstream.port}")
    with pytest.raises(errors.ProviderMalformed):
        await pieces_of(provider, REQUEST)
    assert text_of(await pieces_of(provider, REQUEST)) == ANSWER
    paths = [call.path for call in bench.upstream.calls]
    assert paths == ["/v1/chat/completions", "/chat/completions", "/v1/chat/completions"]


async def test_an_unknown_model_is_told_when_both_addresses_are_refused(bench):
    bench.upstream.plan(Behaviour(status=404))
    with pytest.raises(errors.ProviderRejected, match="AI_BASE_URL, whose path is usually /v1"):
        await pieces_of(bench.provider(base_url=f"http://127.0.0.1:{bench.upstream.port}"), REQUEST)
    assert len(bench.upstream.calls) == 2


async def test_a_service_may_have_an_ipv6_address(bench):
    server = await asyncio.start_server(bench.upstream._serve, "::1", 0)
    port = server.sockets[0].getsockname()[1]
    provider = bench.provider(base_url=f"http://[::1]:{port}/v1")
    assert text_of(await pieces_of(provider, REQUEST)) == ANSWER
    server.close()


async def test_azure_gets_the_key_in_its_own_header_too(bench):
    await pieces_of(bench.provider(base_url=f"{bench.upstream.base_url}?api-version=1"), REQUEST)
    await pieces_of(bench.provider(), REQUEST)
    assert [call.headers.get("api-key") for call in bench.upstream.calls] == [CANARY, None]


@pytest.mark.parametrize(
    "place",
    ["?key=hunter2", '?key="hunter2', "?key=é|hunter2", "hunter2@", "me:hunter2@", "me:@hunter2@"],
)
async def test_a_secret_in_an_address_is_in_no_log_line(bench, caplog, place):
    for name in ("httpx", "httpcore"):
        caplog.set_level(logging.DEBUG, logger=name)
    user, query = (place, "") if place.endswith("@") else ("", place)
    url = f"http://{user}127.0.0.1:{bench.upstream.port}/v1{query}"
    await pieces_of(bench.provider(base_url=url), REQUEST)
    assert "HTTP Request" in caplog.text
    assert "hunter2" not in caplog.text


# --- proxies and certificates --------------------------------------------------------


@pytest.mark.parametrize("scheme", ["socks", "socks5", "socks5h"])
async def test_a_socks_proxy_is_used_and_resolves_the_name(bench, network, scheme):
    async with SocksProxy(bench.upstream.port) as proxy:
        network.setenv("ALL_PROXY", f"{scheme}://127.0.0.1:{proxy.port}/")
        provider = bench.provider(base_url="http://service.test/v1")
        assert text_of(await pieces_of(provider, REQUEST)) == ANSWER
        assert proxy.hosts == ["service.test"]
        await provider.aclose()


async def test_an_http_proxy_is_used(bench, network):
    network.setenv("http_proxy", f"127.0.0.1:{bench.upstream.port}")
    provider = bench.provider(base_url="http://service.test/v1")
    assert text_of(await pieces_of(provider, REQUEST)) == ANSWER
    assert [call.path for call in bench.upstream.calls] == [
        "http://service.test/v1/chat/completions"
    ]


@pytest.mark.parametrize(
    "variables",
    [
        {"ALL_PROXY": "socks5://127.0.0.1:9"},
        {"ALL_PROXY": "nonsense://"},
        {"HTTP_PROXY": "http://127.0.0.1:9", "NO_PROXY": "127.0.0.0/8"},
        {"NO_PROXY": "localhost,[::1],fe80::/10"},
        {"SSL_CERT_FILE": "/nonexistent/ca.pem"},
        {"SSL_CERT_DIR": "/nonexistent"},
    ],
)
async def test_what_the_service_does_not_need_does_not_matter(bench, network, variables):
    for name, value in variables.items():
        network.setenv(name, value)
    assert text_of(await pieces_of(bench.provider(), REQUEST)) == ANSWER


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALL_PROXY", "socks4://hunter2:1"),
        ("HTTPS_PROXY", "http://[hunter2"),
        ("SSL_CERT_FILE", "/nonexistent/hunter2.pem"),
        ("SSL_CERT_DIR", "/nonexistent/hunter2"),
    ],
)
async def test_a_variable_that_can_not_be_used_is_named_and_not_shown(bench, network, name, value):
    network.setenv(name, value)
    with pytest.raises(errors.ProviderUnavailable, match=name) as caught:
        await pieces_of(bench.provider(base_url="https://service.test/v1"), REQUEST)
    assert "hunter2" not in caught.value.detail
    assert name not in caught.value.message
    assert bench.waits == []


def test_a_certificate_that_is_not_trusted_is_told():
    failure = httpx.ConnectError("hunter2")
    failure.__cause__ = ssl.SSLCertVerificationError("hunter2")
    assert "SSL_CERT_FILE" in describe_failure(failure)
    assert "hunter2" not in describe_failure(failure)
    assert describe_failure(httpx.ReadError("hunter2")) == "The server is unreachable (ReadError)."


# httpcore forgets the socket of a SOCKS handshake that failed; it is closed when it is collected.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("scheme", ["socks5", "http"])
async def test_a_proxy_that_speaks_something_else_is_unavailable(bench, network, scheme):
    async def refuse(reader, writer):
        await reader.read(65_536)
        writer.write(b"\x00\x00nonsense\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    network.setenv("ALL_PROXY", f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    provider = bench.provider(base_url="http://service.test/v1", retries=0)
    with pytest.raises(errors.ProviderUnavailable):
        await pieces_of(provider, REQUEST)
    server.close()
    await provider.aclose()
    gc.collect()
