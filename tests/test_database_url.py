"""`DATABASE_URL`, as people write it."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from liveai.database_url import parse_database_url

BASE = Path("/srv/liveai")


@pytest.mark.parametrize(
    ("written", "password"),
    [
        ("se%23cret", "se#cret"),
        ("se%2Fcret", "se/cret"),
        ("se%3Fcret", "se?cret"),
        ("se@cret", "se@cret"),
        ("se:cret", "se:cret"),
        ("$ecret", "$ecret"),
        ("se+cret", "se+cret"),
        ("100%sure", "100%sure"),
        ("%24%7B%25", "${%"),
        ("", ""),
    ],
)
def test_a_password_is_read_as_it_was_meant(written: str, password: str) -> None:
    config = parse_database_url(f"postgres://u:{written}@127.0.0.1:5432/db", base=BASE)
    assert config["PASSWORD"] == password
    assert (config["USER"], config["HOST"], config["PORT"]) == ("u", "127.0.0.1", "5432")
    assert config["NAME"] == "db"


@pytest.mark.parametrize(
    "url",
    [
        *("postgres://u:se#cret@h:5432/db", "postgres://u:12#cret@h:5432/db"),
        *("postgres://u:se/cret@h:5432/db", "postgres://u:12/cret@h:5432/db"),
        *("postgres://u:se?cret@h:5432/db", "postgres://u:12?cret@h:5432/db"),
        *(
            "postgres://u:se[cret@h:5432/db",
            "postgres://u:a@b/cret@h/db",
            "postgres://u:a@b#cret@h/d",
        ),
        *(
            "postgres://u:cret@h:port/db",
            "postgres://u:cret@h:0/db",
            "postgres://u:cret@h:70000/db",
        ),
        *("postgres://u:cret%E4@h/db", "postgres://u:cret%00@h/db", "postgres://u:cret%FF@h/db"),
        *("postgres://h/db?no_such_option=cret", "postgres://h/db?sslmode=require&amp;x=cret"),
        *("postgres://h/db?connect_timeout=cret", "postgres://h/db?connect_timeout=1.5"),
        *("postgres://u:cret@h:5432/", "postgres://u:cret@h", "postgres://u:cret@a:1,b:2,c/db"),
        *(
            "postgresql+psycopg://u:cret@h/db",
            "mysql://u:cret@h/db",
            "u:cret@h/db",
            "cret",
            "postgres:",
        ),
        *(
            "sqlite://var/cret",
            "sqlite://",
            "sqlite://:memory:",
            "sqlite:///:memory:",
            "sqlite:cret",
        ),
        *("sqlite:////srv/cret/", "sqlite:////srv/cret?mode=ro"),
    ],
)
def test_what_can_not_be_meant_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^DATABASE_URL") as caught:
        parse_database_url(url, base=BASE)
    assert "cret" not in str(caught.value)


def test_a_query_goes_to_libpq() -> None:
    url = "postgres://u:p@h/db?sslmode=require&options=-c%20statement_timeout%3D5000"
    assert parse_database_url(url, base=BASE)["OPTIONS"] == {
        "sslmode": "require",
        "options": "-c statement_timeout=5000",
    }


def test_a_socket_may_stand_in_the_query_or_in_the_host() -> None:
    config = parse_database_url("postgres:///db?host=/run/postgresql", base=BASE)
    assert (config["HOST"], config["OPTIONS"]) == ("", {"host": "/run/postgresql"})
    config = parse_database_url("postgres://u@%2Frun%2FPostgreSQL/db", base=BASE)
    assert (config["HOST"], config["USER"]) == ("/run/PostgreSQL", "u")


def test_several_hosts_and_an_ipv6_address_are_read() -> None:
    config = parse_database_url("postgresql://u:p@[::1]:5432,h2:5433/db", base=BASE)
    assert (config["HOST"], config["PORT"]) == ("::1,h2", "5432,5433")


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:////data/db.sqlite3", "/data/db.sqlite3"),
        ("sqlite:///var/x.sqlite3", "/srv/liveai/var/x.sqlite3"),
        ("sqlite:////data/c++/a#b@c d.sqlite3", "/data/c++/a#b@c d.sqlite3"),
        ("SQLite:////data/a%20b", "/data/a b"),
    ],
)
def test_an_sqlite_path_is_read_as_it_was_meant(url: str, path: str) -> None:
    assert parse_database_url(url, base=BASE)["NAME"] == path
