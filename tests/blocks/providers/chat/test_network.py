import ssl

import certifi
import pytest

from blocks.providers.chat.network import (
    NetworkProblem,
    certificates_problem,
    is_direct,
    proxy_for,
    tls_context,
)

URL = "https://api.example.org/v1/chat/completions"


@pytest.mark.parametrize(
    ("value", "proxy"),
    [
        ("http://p:3128", "http://p:3128"),
        ("https://p", "https://p"),
        ("p:3128", "http://p:3128"),
        ("127.0.0.1:3128", "http://127.0.0.1:3128"),
        ("socks5://p:1080", "socks5://p:1080"),
        ("socks5h://p:1080", "socks5h://p:1080"),
        ("socks://p:1080/", "socks5h://p:1080/"),
        ("SOCKS5://me:word@p:1080", "socks5://me:word@p:1080"),
        ("http://[::1]:3128", "http://[::1]:3128"),
    ],
)
def test_a_proxy_may_be_written_in_all_the_usual_ways(value, proxy):
    assert proxy_for(URL, {"ALL_PROXY": value}) == proxy


@pytest.mark.parametrize(
    "value",
    [
        "socks4://p",
        "ftp://p",
        "http:///x",
        "http:/p",
        "http://[::1",
        "http://p:x",
        "http://999.1.1.1:80",
        "http://xn--ü.test",
        "a b",
    ],
)
def test_a_proxy_that_can_not_be_used_is_told_by_its_name_and_not_shown(value):
    with pytest.raises(NetworkProblem, match="https_proxy is not") as caught:
        proxy_for(URL, {"https_proxy": value})
    assert value not in str(caught.value)


def test_an_unusable_proxy_does_not_matter_where_none_is_needed():
    broken = {"ALL_PROXY": "nonsense://", "NO_PROXY": ".example.org"}
    assert proxy_for(URL, broken) is None
    for host in (
        "127.0.0.1:8080",
        "localhost",
        "[::1]:8080",
        "a.localhost",
        "127.9.9.9",
        "0.0.0.0:1",
    ):
        assert proxy_for(f"http://{host}/v1", {"ALL_PROXY": "nonsense://"}) is None


def test_the_scheme_has_its_own_proxy_and_lower_case_wins():
    environment = {"HTTPS_PROXY": "http://a", "ALL_PROXY": "http://b", "http_proxy": "http://c"}
    assert proxy_for(URL, environment) == "http://a"
    assert proxy_for(URL, {**environment, "https_proxy": "http://d"}) == "http://d"
    assert proxy_for("http://api.example.org/", environment) == "http://c"
    assert proxy_for(URL, {"HTTP_PROXY": "http://c"}) is None
    assert proxy_for(URL, {"HTTPS_PROXY": " "}) is None


@pytest.mark.parametrize(
    ("host", "no_proxy", "is_covered"),
    [
        ("api.example.org", "example.org", True),
        ("api.example.org", ".example.org", True),
        ("api.example.org", "*.example.org", True),
        ("example.org", ".example.org", True),
        ("example.org.", "EXAMPLE.org", True),
        ("badexample.org", "example.org", False),
        ("api.example.org", "a, api.example.org b", True),
        ("api.example.org", "api.example.org:443", True),
        ("api.example.org", "api.example.org:8443", False),
        ("api.example.org", "https://api.example.org", True),
        ("api.example.org", "*", True),
        ("api.example.org", "", False),
        ("api.example.org", ".", False),
        ("10.1.2.3", "10.0.0.0/8", True),
        ("10.1.2.3", "10.1.2.3", True),
        ("10.1.2.3", "10.1.2.3:443", True),
        ("10.1.2.3", "10.1.2.3:80", False),
        ("10.1.2.3", "11.0.0.0/8,fe80::/10,[::1]", False),
        ("10.1.2.3", "10.1.2.300/99", False),
        ("fe80::7", "fe80::/10", True),
        ("fe80::7", "[fe80::]/10", True),
        ("2001:db8::1", "[2001:db8::1]", True),
        ("2001:db8::1", "2001:db8:0:0:0:0:0:1", True),
        ("2001:db8::1", "[2001:db8::1]:443", True),
        ("2001:db8::1", "[2001:db8::1]:80", False),
        ("2001:db8::1", "2001:db9::/32", False),
    ],
)
def test_what_is_listed_in_no_proxy_is_direct(host, no_proxy, is_covered):
    assert is_direct(host, 443, no_proxy) is is_covered


def test_certificates_that_are_not_there_are_told_by_the_variables_name(tmp_path):
    missing = str(tmp_path / "none")
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        assert name in certificates_problem({name: missing})
        with pytest.raises(NetworkProblem, match=name):
            tls_context({name: missing})
    assert certificates_problem({}) == ""
    assert "folder" in certificates_problem({"SSL_CERT_FILE": str(tmp_path)})


def test_a_file_without_certificates_is_told_too(tmp_path):
    file = tmp_path / "ca.pem"
    file.write_text("nothing")
    with pytest.raises(NetworkProblem, match="SSL_CERT_FILE"):
        tls_context({"SSL_CERT_FILE": str(file)})


@pytest.mark.parametrize("is_named", [True, False])
def test_certificates_are_verified_against_the_named_file_or_the_usual_ones(is_named, tmp_path):
    context = tls_context({"SSL_CERT_FILE": certifi.where()} if is_named else {})
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.get_ca_certs()
    assert tls_context({"SSL_CERT_DIR": str(tmp_path)}).get_ca_certs() == []
