"""System checks of the site's public face: hosts, proxies, error pages.

The checks read only settings. Their ids are stable.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_network
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from .placeholders import is_example_host, is_placeholder

_HOST = re.compile(r"\*|(\*?\.)?[\w-]+(\.[\w-]+)*\.?|\[[0-9a-fA-F:.]+\]")


@register()
def check_hosts(app_configs: Any, **kwargs: Any) -> Iterator[CheckMessage]:
    hosts = settings.ALLOWED_HOSTS
    wrong = [host for host in hosts if not _HOST.fullmatch(host) or host.startswith("*.")]
    if wrong or not (hosts or settings.DEBUG):
        shown = [host.rpartition("@")[2] for host in wrong]  # without the password of a whole URL
        names = ", ".join(map(repr, shown)) or "empty, so the site refuses every request"
        yield Error(
            f"DJANGO_ALLOWED_HOSTS can't match: {names}.",
            hint="Write host names without scheme, port and path, with commas between them;"
            " .example.test also takes the names below it. IPv6: [::1].",
            id="liveai.E002",
        )
    if "*" in hosts:
        # With anonymous use, a page whose name leads here can start answers, too.
        yield Warning(
            "DJANGO_ALLOWED_HOSTS is *: whoever asks for a new password for somebody else chooses"
            " the host of the link in the email, and a page of any site can point its own name at"
            " this one.",
            hint="Write the site's host names in DJANGO_ALLOWED_HOSTS.",
            id="liveai.W001",
        )
    if settings.DEBUG and not all(map(_is_this_machine, hosts)):
        yield Warning(
            "DJANGO_DEBUG is on and DJANGO_ALLOWED_HOSTS names more than this machine: error pages"
            " show the source to others.",
            hint="Write DJANGO_DEBUG=false.",
            id="liveai.W003",
        )


@register()
def check_examples(app_configs: Any, **kwargs: Any) -> Iterator[CheckMessage]:
    """Report hosts from examples. `Environment` already refuses other placeholders."""
    database = settings.DATABASES["default"]
    named = {
        "DJANGO_ALLOWED_HOSTS": settings.ALLOWED_HOSTS,
        "DJANGO_CSRF_TRUSTED_ORIGINS": map(_host_of, settings.CSRF_TRUSTED_ORIGINS),
        "CORS_ALLOWED_ORIGINS": map(_host_of, settings.CORS_ALLOWED_ORIGINS),
        "AI_BASE_URL": [_host_of(settings.AI_BASE_URL)],
        "REDIS_URL": [_host_of(settings.REDIS_URL)],
        "EMAIL_URL": [settings.EMAIL_HOST or ""],
        "DEFAULT_FROM_EMAIL": [settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip("> ")],
        "DATABASE_URL": str(database.get("HOST", "")).split(","),
    }
    for name, hosts in named.items():
        if any(is_example_host(host) or is_placeholder(host) for host in hosts):
            yield Error(
                f"{name} still names a host of an example.",
                hint=f"Write your own host in {name}.",
                id="liveai.E001",
            )


@register()
def check_proxies(app_configs: Any, **kwargs: Any) -> Iterator[CheckMessage]:
    proxies = [proxy for proxy in settings.TRUSTED_PROXIES if proxy != "*"]
    wrong = [proxy for proxy in proxies if not _is_network(proxy)]
    if wrong:
        yield Error(
            f"DJANGO_TRUSTED_PROXIES holds no address: {', '.join(map(repr, wrong))}.",
            hint="Write addresses or networks, e.g. 10.0.0.2 or 10.0.0.0/24, and no names.",
            id="liveai.E003",
        )
    right = [ip_network(proxy) for proxy in proxies if proxy not in wrong]
    if "*" in settings.TRUSTED_PROXIES or any(network.prefixlen == 0 for network in right):
        yield Warning(
            "DJANGO_TRUSTED_PROXIES trusts everybody: each visitor can claim any address, which"
            " undoes the limits per address, and can claim HTTPS.",
            hint="Write the addresses of your proxies.",
            id="liveai.W002",
        )


@register()
def check_listed_origins(app_configs: Any, **kwargs: Any) -> Iterator[CheckMessage]:
    """Report origins that no page can have. `Environment` already refuses what is no origin."""
    wrong = [origin for origin in settings.CORS_ALLOWED_ORIGINS if not _is_origin(origin)]
    if wrong:
        yield Error(
            f"CORS_ALLOWED_ORIGINS can't match: {', '.join(map(repr, wrong))}.",
            hint="Write each origin in full, e.g. CORS_ALLOWED_ORIGINS=https://app.example.org,"
            " with commas between them and without *.",
            id="liveai.E006",
        )


def _is_origin(origin: str) -> bool:
    try:
        parts = urlsplit(origin)
        port = parts.port
    except ValueError:
        return False
    is_whole = origin == f"{parts.scheme}://{parts.netloc}"
    return is_whole and "*" not in origin and bool(parts.hostname) and port != 0


def _is_this_machine(host: str) -> bool:
    return host.lower().lstrip(".") == "localhost" or host.startswith("127.") or host == "[::1]"


def _is_network(text: str) -> bool:
    try:
        ip_network(text)
    except ValueError:
        return False
    return True


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
