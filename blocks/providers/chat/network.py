"""How to reach a service: the machine's proxies and certificates, as its environment names them.

The HTTP library would read the same variables. It builds a client for every proxy that is named,
needed or not, and fails on entries that others accept.
"""

from __future__ import annotations

import ipaddress
import os
import re
import ssl
from collections.abc import Mapping
from urllib.parse import urlsplit

import httpx

_PROXY_SCHEMES = ("http", "https", "socks5", "socks5h")
_DEFAULT_PORTS = {"http": 80, "https": 443}

Environment = Mapping[str, str]


class NetworkProblem(ValueError):
    """A variable of the environment can't be used; the message names it and shows no value."""


def proxy_for(url: str, environment: Environment = os.environ) -> str | None:
    """Return the address of the proxy for a URL; None if it is reached directly.

    Loopback addresses and those in NO_PROXY need no proxy, so nothing else is read for them.

    Raises:
        NetworkProblem: the proxy can't be used.
    """
    split = urlsplit(url)
    host, port = split.hostname or "", split.port or _DEFAULT_PORTS.get(split.scheme, 0)
    if is_direct(host, port, _variable("no_proxy", environment)[1]):
        return None
    for name in (f"{split.scheme}_proxy", "all_proxy"):
        variable, value = _variable(name, environment)
        if value:
            return _usable_proxy(variable, value)
    return None


def is_direct(host: str, port: int, no_proxy: str) -> bool:
    """Whether a host is reached without a proxy.

    Args:
        no_proxy: names, which cover their subdomains, addresses and networks, each with or without
            a port, separated by commas or blanks; `*` covers everything.
    """
    host = host.lower().rstrip(".")
    address = _address(host)
    if host == "localhost" or host.endswith(".localhost"):
        return True
    if address is not None and (address.is_loopback or address.is_unspecified):
        return True
    entries = no_proxy.lower().replace(",", " ").split()
    return any(_covers(entry, host, address, port) for entry in entries)


def certificates_problem(environment: Environment = os.environ) -> str:
    """Describe why SSL_CERT_FILE or SSL_CERT_DIR can't be used; empty if they can."""
    file, folder = environment.get("SSL_CERT_FILE"), environment.get("SSL_CERT_DIR")
    if file and not os.path.isfile(file):
        is_folder = os.path.isdir(file)
        return f"SSL_CERT_FILE names a {'folder' if is_folder else 'file that does not exist'}."
    if not file and folder and not any(os.path.isdir(f) for f in folder.split(os.pathsep)):
        return "SSL_CERT_DIR names a folder that does not exist."
    return ""


def tls_context(environment: Environment = os.environ) -> ssl.SSLContext:
    """Return a context that trusts the certificates which the environment names, else certifi's.

    Raises:
        NetworkProblem: they can't be read.
    """
    import certifi  # only when a connection needs it

    if problem := certificates_problem(environment):
        raise NetworkProblem(problem)
    file, folder = environment.get("SSL_CERT_FILE"), environment.get("SSL_CERT_DIR")
    try:
        if file:
            return ssl.create_default_context(cafile=file)
        if folder:
            return ssl.create_default_context(capath=folder)
    except (OSError, ssl.SSLError):
        name = "SSL_CERT_FILE" if file else "SSL_CERT_DIR"
        raise NetworkProblem(f"{name} holds no certificates that can be read.") from None
    return ssl.create_default_context(cafile=certifi.where())


def _variable(name: str, environment: Environment) -> tuple[str, str]:
    """Return a variable's name and value; the lower-case name wins, as in curl."""
    for variable in (name, name.upper()):
        if value := environment.get(variable, "").strip():
            return variable, value
    return name.upper(), ""


def _usable_proxy(variable: str, value: str) -> str:
    if "://" not in value:
        value = f"http://{value}"
    scheme, _, rest = value.partition("://")
    # GNOME writes socks://. The proxy resolves names in any case.
    scheme = "socks5h" if scheme.lower() in ("socks", "socks5h") else scheme.lower()
    proxy = f"{scheme}://{rest}"
    try:
        split = urlsplit(proxy)
        is_usable = scheme in _PROXY_SCHEMES and bool(split.hostname) and split.port != 0
        is_usable &= not split.netloc.endswith(":")  # e.g. `http:/HOST`
        httpx.URL(proxy)
    except (ValueError, httpx.InvalidURL):
        is_usable = False
    if not is_usable or any(character.isspace() for character in proxy):
        raise NetworkProblem(
            f"{variable} is not the address of a proxy that can be used: write e.g."
            " http://HOST:PORT or socks5://HOST:PORT, or list the service's host in NO_PROXY."
        )
    return proxy


_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def _address(text: str) -> _Address | None:
    try:
        return ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return None


def _covers(entry: str, host: str, address: _Address | None, port: int) -> bool:
    if entry == "*":
        return True
    entry = entry.partition("://")[2] or entry
    name, colon, number = entry.rpartition(":")
    has_port = colon and number.isdigit() and (":" not in name or name.endswith("]"))
    if has_port:
        if int(number[:6]) != port:
            return False
        entry = name
    if address is not None:
        try:
            return address in ipaddress.ip_network(re.sub(r"[][]", "", entry), strict=False)
        except ValueError:
            return False
    entry = entry.removeprefix("*").strip(".")
    return bool(entry) and (host == entry or host.endswith(f".{entry}"))
