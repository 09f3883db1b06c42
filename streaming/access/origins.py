"""Compares origins: scheme, host and port, however they are written."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from django.conf import settings

_DEFAULT_PORTS = {"http": ":80", "https": ":443"}
_NAME = re.compile(r"[^:\[\]]+|\[[^\]]*\]")


def plain_host(host: str, *, is_secure: bool) -> str:
    """Return a `Host` header the way browsers write it: in small letters, without a default port.

    Over TLS, port 80 is dropped too. A proxy behind the one that ends TLS often sends the port that
    it listens on itself.
    """
    host = host.lower()
    name, _, port = host.rpartition(":")
    is_default = port == "80" or (is_secure and port == "443")
    # A malformed host stays as it is, for Django to refuse.
    return name if is_default and _NAME.fullmatch(name) else host


def plain_origin(origin: str) -> str:
    """Return an `Origin` header the way browsers write it, like `plain_host`."""
    scheme, separator, host = origin.lower().partition("://")
    return f"{scheme}{separator}{host.removesuffix(_DEFAULT_PORTS.get(scheme, ''))}"


def is_own_origin(url: str, *, host: str, is_secure: bool) -> bool:
    """Whether a URL's origin is this site's own or trusted by the operator.

    Args:
        host: the `Host` header.
        is_secure: whether the request came over TLS, if only as far as a trusted proxy.
    """
    origin = _origin_of(url)
    if origin is None:
        return False
    if origin == ("https" if is_secure else "http", plain_host(host, is_secure=is_secure)):
        return True
    return any(_is_trusted(origin, trusted) for trusted in settings.CSRF_TRUSTED_ORIGINS)


def is_listed_origin(origin: str) -> bool:
    """Whether the operator lets pages of this origin use the API (`CORS_ALLOWED_ORIGINS`)."""
    return plain_origin(origin) in settings.CORS_ALLOWED_ORIGINS


def _is_trusted(origin: tuple[str, str], trusted: str) -> bool:
    pattern = _origin_of(trusted)
    if pattern is None or origin[0] != pattern[0]:
        return False
    if pattern[1].startswith("*."):
        return origin[1].endswith(pattern[1][1:])
    return origin[1] == pattern[1]


def _origin_of(url: str) -> tuple[str, str] | None:
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if not parts.scheme or not parts.netloc:
        return None
    return parts.scheme, parts.netloc.lower().removesuffix(_DEFAULT_PORTS.get(parts.scheme, ":"))
