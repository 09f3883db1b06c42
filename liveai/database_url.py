"""Parses `DATABASE_URL` into an entry of Django's `DATABASES`."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

POSTGRESQL = "django.db.backends.postgresql"
SQLITE = "django.db.backends.sqlite3"

SQLITE_OPTIONS: dict[str, Any] = {
    # IMMEDIATE: a writing transaction takes the lock at its start, so two writers wait for each
    # other instead of failing midway. WAL: readers never wait for the writer. MEMORY: otherwise a
    # migration needs a temporary folder that it can write.
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA temp_store=MEMORY;",
}

POSTGRESQL_OPTIONS: dict[str, Any] = {
    # A start fails within seconds if the database is unreachable, even if its machine has vanished
    # silently. All are libpq options, in seconds; `tcp_user_timeout` is in milliseconds.
    "connect_timeout": 2,
    "tcp_user_timeout": 5000,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 2,
}

_POSTGRES_SCHEMES = ("postgres", "postgresql", "psql", "pgsql")
_HOST = re.compile(r"(?P<host>\[[^\[\]]+\]|[^\[\]:]*)(?::(?P<port>[0-9]{1,5}))?")

_SECONDS = re.compile(r"-?[0-9]{1,9}")

FORMS = "sqlite:////srv/liveai/db.sqlite3 or postgres://USER:PASSWORD@HOST:5432/NAME"
ESCAPES = (
    "What is special in a password is written as %XX, in UTF-8:"
    " # as %23, / as %2F, : as %3A, ? as %3F, @ as %40, [ as %5B, ] as %5D, % as %25."
)


def parse_database_url(url: str, *, base: Path) -> dict[str, Any]:
    """Convert a URL to an entry of Django's `DATABASES`.

    Args:
        url: of SQLite or PostgreSQL. A PostgreSQL URL may name several hosts or a socket, as in
            libpq; its query is passed to libpq.
        base: the folder that relative SQLite paths start from.

    Raises:
        ImproperlyConfigured: not such a URL. The message never shows the URL, which may contain a
            password.
    """
    scheme, separator, rest = url.partition("://")
    scheme = scheme.lower()
    if separator and scheme == "sqlite":
        return _sqlite(rest, base=base)
    if separator and scheme in _POSTGRES_SCHEMES:
        return _postgresql(url)
    raise ImproperlyConfigured(f"DATABASE_URL names no database that is known here: write {FORMS}.")


def has_misread_password(url: str) -> bool:
    """Whether a password would be read as another one.

    An unescaped special character splits the URL in two. Escapes may stand for bytes that are no
    text.
    """
    try:
        parts = urlsplit(url)
        text = unquote(url, errors="strict")
    except ValueError:  # an unescaped bracket, or an escape that is not UTF-8
        return True
    return "#" in url or "@" in parts.path or "@" in parts.query or "\0" in text


@cache
def _options_of_libpq() -> frozenset[str]:
    from psycopg.pq import Conninfo  # on demand: SQLite needs none

    return frozenset(option.keyword.decode() for option in Conninfo.get_defaults())


def _sqlite(rest: str, *, base: Path) -> dict[str, Any]:
    path = unquote(rest.removeprefix("/"))
    if not rest.startswith("/") or path in ("", ":memory:") or path.endswith("/"):
        raise ImproperlyConfigured(
            "DATABASE_URL names no SQLite file: write sqlite:/// and its path, e.g."
            " sqlite:////srv/liveai/db.sqlite3."
        )
    if "?" in rest:
        raise ImproperlyConfigured("DATABASE_URL: an SQLite file takes no options behind a `?`.")
    return {"ENGINE": SQLITE, "NAME": str(base / path)}


def _postgresql(url: str) -> dict[str, Any]:
    if has_misread_password(url):
        raise ImproperlyConfigured(f"DATABASE_URL can't be read. {ESCAPES}")
    parts = urlsplit(url)
    hosts = parts.netloc.rpartition("@")[2]
    found = [_HOST.fullmatch(host) for host in hosts.split(",")]
    matches = [match for match in found if match is not None]
    ports = [match["port"] for match in matches if match["port"]]
    if len(matches) < len(found) or not all(1 <= int(port) <= 65535 for port in ports):
        raise ImproperlyConfigured(f"DATABASE_URL names no host and port. {ESCAPES}")
    if ports and len(ports) not in (1, len(matches)):
        raise ImproperlyConfigured("DATABASE_URL: write a port for each host, or for none.")
    config: dict[str, Any] = environ.Env.db_url_config(url, engine=POSTGRESQL)
    config["PORT"] = str(config["PORT"])
    if hosts:  # sockets and brackets, as libpq expects them
        config["HOST"] = ",".join(unquote(match["host"].strip("[]")) for match in matches)
    if not config.get("OPTIONS", {}).keys() <= _options_of_libpq():
        raise ImproperlyConfigured(
            "DATABASE_URL has an option behind its `?` that libpq does not know."
            f" An & between two options is written as it is. {ESCAPES}"
        )
    if not _SECONDS.fullmatch(str(config.get("OPTIONS", {}).get("connect_timeout", 0))):
        raise ImproperlyConfigured(
            "DATABASE_URL: connect_timeout is not a whole number of seconds."
        )
    if not config["NAME"] and not {"service", "dbname"} & config.get("OPTIONS", {}).keys():
        raise ImproperlyConfigured(f"DATABASE_URL names no database: write {FORMS}.")
    return config
