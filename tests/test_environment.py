"""Values of the environment are read as intended, or refused in a message without secrets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from liveai.environment import LARGEST, Environment


def env(value: str) -> Environment:
    return Environment({"NAME": value})


@pytest.mark.parametrize(
    ("value", "number"),
    [("10", 10), ("0.5", 0.5), (".5", 0.5), ("5.", 5), ("1e3", 1000), ("1E-1", 0.1), (" 7 ", 7)],
)
def test_a_number_is_read_whole(value: str, number: float) -> None:
    assert env(value).float("NAME", 1.0) == number


@pytest.mark.parametrize(
    "value",
    [
        *("10m", "10 s", "1,000", "1,5", "1.000.000", "ten", "0x10", "1_0", "--5", "1e", "٣", "5%"),
        *("nan", "inf", "-inf", "Infinity", "-1", "1e300", "1e999", "9" * 30, "-0.1", "1 # s"),
    ],
)
def test_what_is_no_number_is_refused_by_name(value: str) -> None:
    for read in (env(value).float, env(value).int):
        with pytest.raises(ImproperlyConfigured, match=r"^NAME "):
            read("NAME", 1)


@pytest.mark.parametrize("value", ["1.5", "1e3", "1.0", str(LARGEST + 1)])
def test_what_is_no_whole_number_is_refused(value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^NAME is '"):
        env(value).int("NAME", 1)


@pytest.mark.parametrize(
    ("value", "switch"),
    [
        *(("true", True), ("Yes", True), ("ON", True), ("1", True), (" true ", True)),
        *(("false", False), ("Off", False), ("0", False), ("no", False)),
    ],
)
def test_a_switch_knows_its_words(value: str, switch: bool) -> None:
    assert env(value).bool("NAME", not switch) is switch


@pytest.mark.parametrize(
    "value", ["ture", "yes please", "enabled", "2", "-1", "none", "1.0", "tru"]
)
def test_a_switch_guesses_no_word(value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^NAME is .* write NAME=true or NAME=false"):
        env(value).bool("NAME", True)


@pytest.mark.parametrize(
    ("value", "members"),
    [
        ("a,b", ["a", "b"]),
        (" a , b ", ["a", "b"]),
        ("a b", ["a", "b"]),
        ("a,,b,", ["a", "b"]),
        ("a", ["a"]),
        ("", []),
        (" , ", []),
        ("[::1], 10.0.0.0/8", ["[::1]", "10.0.0.0/8"]),
    ],
)
def test_a_list_keeps_each_member(value: str, members: list[str]) -> None:
    assert env(value).list("NAME", ["default"]) == members


@pytest.mark.parametrize(
    "value", ["$ecret", "$$", "$NAME", "${NAME}", "a$b", "#abc", "a#b", "a\\b", "a'b", 'a"b', "a=b"]
)
def test_a_text_is_taken_as_it_stands(value: str) -> None:
    assert env(value).str("NAME", "") == value
    assert env(value).secret_key("NAME") == value
    assert env(value).api_key("NAME") == value


def test_several_keys_are_read_and_none_of_them_may_be_a_placeholder() -> None:
    assert env("").secret_keys("NAME") == []
    assert env("a$1, b#2").secret_keys("NAME") == ["a$1", "b#2"]
    with pytest.raises(ImproperlyConfigured, match=r"^NAME still holds a placeholder"):
        env("a-key-that-was,CHANGE-ME").secret_keys("NAME")


def test_blanks_and_line_ends_around_a_text_do_not_count() -> None:
    assert env(" sk-1\r\n").api_key("NAME") == "sk-1"


@pytest.mark.parametrize(
    "value",
    [
        *("a\nb", "a\tb", "a\x00b", "'a'", '"a"', "a # why", "a\udcff"),
        *("a\u00a0# why", "a\u200bb", "\ufeffa", "a\u2028b", "a\u202eb", "a\x1a", "a\x85b"),
    ],
)
def test_a_text_that_its_writer_can_not_have_meant_is_refused(value: str) -> None:
    for read in (env(value).str, env(value).url, env(value).model):
        with pytest.raises(ImproperlyConfigured, match=r"^NAME ") as caught:
            read("NAME", "")
        assert value not in str(caught.value)


@pytest.mark.parametrize("value", ["sk 1", "sk-ü", "sk-…-1"])
def test_a_key_that_no_header_can_carry_is_refused_and_not_shown(value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^NAME ") as caught:
        env(value).api_key("NAME")
    assert value not in str(caught.value)


@pytest.mark.parametrize("value", ["", "  "])
def test_an_empty_value_is_as_good_as_none(value: str) -> None:
    there = env(value)
    assert there.str("NAME", "default") == "default"
    assert there.int("NAME", 3) == 3
    assert there.float("NAME", 0.5) == 0.5
    assert there.bool("NAME", True) is True
    assert there.url("NAME", "http://a") == "http://a"
    assert there.model("NAME", "local:a") == "local:a"
    assert there.secret_key("NAME") == ""
    assert there.api_key("NAME") == ""


def test_a_choice_is_known_in_any_case() -> None:
    assert env("WebSocket").str("NAME", "sse", choices=["sse", "websocket"]) == "websocket"
    with pytest.raises(ImproperlyConfigured, match="NAME is none of sse, websocket"):
        env("polling").str("NAME", "sse", choices=["sse", "websocket"])


@pytest.mark.parametrize(
    "value", ["redis://:p%23w@localhost:6379/0", "http://127.0.0.1:11434/v1", "unix:///run/r.sock"]
)
def test_a_url_is_taken_as_it_stands(value: str) -> None:
    assert env(f" {value} ").url("NAME", "") == value


@pytest.mark.parametrize(
    "value",
    [
        *("redis://:hunter#2@h", "redis://:12#2@h:1", "redis://:12/hunter@h", "redis://:12?r@h"),
        *("redis://:a[b@h", "redis://h:port", "redis://h:99999", "http://a b/", "redis://:a@b/c@h"),
        *("redis://:hunter%E4@h", "redis://:hunter%00@h", "redis://:hunter%C3@h"),
    ],
)
def test_a_url_whose_password_is_not_escaped_is_refused_and_not_shown(value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^NAME .*%") as caught:
        env(value).url("NAME", "")
    assert "hunter" not in str(caught.value)


PLACEHOLDERS: dict[str, Any] = {
    "secret_key": ["CHANGE-ME", "change_me", "ChangeMe!", "django-insecure-abc", "secret", "<key>"],
    "api_key": ["CHANGE-ME", "PASTE-YOUR-KEY-HERE", "your-api-key", "sk-...", "sk-xxxxxxxx"],
    "model": ["openai:NAME", "openai:name", "local:PATH.gguf", "local:/path/to/weights.gguf"],
    "url": ["redis://:CHANGE-ME@h:1/0", "redis://u:Password@h", "https://your-host.test/v1"],
}


@pytest.mark.parametrize(
    ("kind", "value"), [(kind, value) for kind, values in PLACEHOLDERS.items() for value in values]
)
def test_a_placeholder_is_refused_by_name(kind: str, value: str) -> None:
    read = getattr(env(value), kind)
    more = ("",) if kind in ("model", "url") else ()
    with pytest.raises(ImproperlyConfigured, match=r"^NAME still holds a placeholder"):
        read("NAME", *more)


def test_a_placeholder_in_the_database_url_is_refused() -> None:
    for password in ("CHANGE-ME", "PASSWORD", "password"):
        url = f"postgres://liveai:{password}@127.0.0.1:5432/liveai"
        with pytest.raises(ImproperlyConfigured, match=r"^NAME still holds a placeholder"):
            env(url).database_url("NAME", {}, base=Path("/"))


@pytest.mark.parametrize("value", ["ollama", "EMPTY", "none", "sk-test", "token-abc123", "changes"])
def test_what_local_servers_take_for_a_key_is_no_placeholder(value: str) -> None:
    assert env(value).api_key("NAME") == value


def test_a_number_of_bytes_may_be_larger_than_other_numbers() -> None:
    env = Environment({"BYTES": "17179869184"})
    assert env.int("BYTES", 0, at_most=2**50) == 1 << 34
    with pytest.raises(ImproperlyConfigured, match="BYTES is '17179869184': write a number"):
        env.int("BYTES", 0)


@pytest.mark.parametrize(
    ("value", "path"),
    [
        *(("", "/"), ("/", "/"), ("//", "/"), (" /ai/ ", "/ai/")),
        *(("ai", "/ai/"), ("/ai", "/ai/"), ("ai/", "/ai/"), ("/ai/", "/ai/")),
        *(("/Tools/ai-2.0/~me_/", "/Tools/ai-2.0/~me_/"), ("/apis/", "/apis/")),
    ],
)
def test_a_path_of_the_site_gets_a_slash_at_both_ends(value: str, path: str) -> None:
    assert env(value).site_path("NAME", "/") == path


@pytest.mark.parametrize(
    "value",
    [
        *("https://a.test/ai/", "/a b/", "/a//b/", "/a/../b/", "/./", "/ai?x", "/ai#x", "/%61i/"),
        *("/ä/", "/a;b/", "C:/ai", "/" + "a" * 101 + "/", "/a" * 9 + "/"),
        *("/api/", "/static", "/ws/x/", "/admin/ai/"),
    ],
)
def test_what_can_be_no_path_of_the_site_is_refused_by_name(value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^NAME .*NAME=/ai/"):
        env(value).site_path("NAME", "/")


@pytest.mark.parametrize(
    ("value", "origins"),
    [
        ("", []),
        ("https://a.test", ["https://a.test"]),
        ("https://A.Test/, http://b.test:80", ["https://a.test", "http://b.test"]),
        ("https://a.test:443 https://a.test:8443", ["https://a.test", "https://a.test:8443"]),
        ("http://a.test:443", ["http://a.test:443"]),
        ("https://*.a.test", ["https://*.a.test"]),
        ("https://[2001:DB8::1]:443", ["https://[2001:db8::1]"]),
    ],
)
def test_an_origin_is_written_as_browsers_do(value: str, origins: list[str]) -> None:
    assert env(value).origins("NAME") == origins


@pytest.mark.parametrize(
    "value",
    [
        *("a.test", "//a.test", "ftp://a.test", "https://", "https://a.test/path", "null", "*"),
        *("https://a.test?x", "https://u:hunter2@a.test", "https://a.test, b.test"),
    ],
)
def test_what_is_no_origin_is_refused_by_name(value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^NAME contains .* NAME=https://") as caught:
        env(value).origins("NAME")
    assert "hunter2" not in str(caught.value)
