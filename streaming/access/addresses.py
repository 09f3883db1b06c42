"""Client addresses in the form that limits count."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from django.conf import settings

IPV6_PREFIX = 64
"""Bits of an IPv6 address that count: a household or a rented server has a whole /64."""


def countable_address(client: str | None) -> str | None:
    """Return the key under which limits count a client's address.

    Args:
        client: an IPv4 or IPv6 address; None or any other text without one (a Unix socket).

    Returns:
        An IPv4 address, or the /64 network of an IPv6 address. None: nothing to count, because the
        address is missing or belongs to a trusted proxy, which many visitors share.
    """
    return _countable(client, tuple(settings.TRUSTED_PROXIES))


@lru_cache(maxsize=4096)
def _countable(client: str | None, proxies: tuple[str, ...]) -> str | None:
    try:
        address = ip_address((client or "").partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if any(address in network for network in _networks(proxies)):
        return None
    if isinstance(address, IPv6Address):
        return str(ip_network((address, IPV6_PREFIX), strict=False))
    return str(address)


def is_proxy(peer: str | None) -> bool:
    """Whether a connection comes from a trusted proxy, or from a Unix socket."""
    return "*" in settings.TRUSTED_PROXIES or countable_address(peer) is None


@lru_cache(maxsize=8)
def _networks(proxies: tuple[str, ...]) -> list[IPv4Network | IPv6Network]:
    """Return the networks among the trusted proxies; skip `*` and socket names."""
    networks = []
    for proxy in proxies:
        try:
            networks.append(ip_network(proxy, strict=False))
        except ValueError:
            continue
    return networks
