"""What a host's settings are given: all that our code reads; and what stays as the host has it."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings, global_settings
from django.core.exceptions import ImproperlyConfigured
from packaging.requirements import Requirement

from liveai.host import APPS, KNOX, add_apps, checks, defaults

ROOT = Path(__file__).parents[2]
IN_A_HOST = [
    *(ROOT / "blocks").rglob("*.py"),
    *(ROOT / "streaming").rglob("*.py"),
    *(ROOT / "liveai" / "host").rglob("*.py"),
    ROOT / "liveai" / "writable.py",
]
OF_THE_PROJECT = {"streaming/access/sign_in.py", "streaming/access/old_attempts.py"}
"""They need axes, and look whether it is there."""


def read_settings(path: Path) -> set[str]:
    """Return the names in `settings.NAME` of a file."""
    return {
        node.attr
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "settings"
        and isinstance(node.ctx, ast.Load)
        and node.attr.isupper()
    }


def test_a_host_gets_every_setting_that_our_code_reads(tmp_path: Path) -> None:
    own = defaults.defaults(tmp_path)
    for path in IN_A_HOST:
        if str(path.relative_to(ROOT)) not in OF_THE_PROJECT:
            unknown = {name for name in read_settings(path) if not hasattr(global_settings, name)}
            assert unknown <= own.keys(), path


def test_the_environment_of_a_host_is_not_read_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://hosts-own")
    monkeypatch.setenv("STREAM_MAX_RUNNING", "no number")
    own = defaults.defaults(tmp_path)
    assert own["REDIS_URL"] == "" and own["STREAM_MAX_RUNNING"] == 200
    assert own["VAR_DIR"] == tmp_path / "var"
    assert not any((tmp_path / "var").glob("*"))


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> LazySettings:
    """The settings of a host, which has some of its own."""
    made = LazySettings()
    made.configure(BASE_DIR=tmp_path, STREAM_MAX_RUNNING=7, CHANNEL_LAYERS={"own": {}})
    for module in (defaults, checks):
        monkeypatch.setattr(module, "settings", made)
    return made


def test_what_a_host_has_stays_and_liveai_gives_the_rest(host: Any, tmp_path: Path) -> None:
    host.LIVEAI = {"AI_MODEL": "scripted:x", "VAR_DIR": str(tmp_path / "own"), "AI_IDLE_SECONDS": 9}
    defaults.fill_settings()
    assert (host.STREAM_MAX_RUNNING, host.CHANNEL_LAYERS) == (7, {"own": {}})
    assert (
        *("scripted:x", tmp_path / "own"),
        9,
    ) == (host.AI_MODEL, host.VAR_DIR, host.AI_IDLE_SECONDS)
    assert host.AI_RETRIES == 2
    assert not hasattr(host, "SIGN_UP")  # of the project's pages
    assert list(checks.check_names(None)) == []


@pytest.mark.parametrize("has_own", [False, True])
def test_cors_is_ours_unless_the_host_has_its_own(host: Any, has_own: bool) -> None:
    host.CORS_ALLOW_METHODS = ["PUT"]
    host.MIDDLEWARE = ["corsheaders.middleware.CorsMiddleware"] if has_own else []
    host.LIVEAI = {"CORS_ALLOWED_ORIGINS": ["https://app.example"]}
    defaults.fill_settings()
    assert host.CORS_ALLOWED_ORIGINS == ["https://app.example"]
    assert host.CORS_ALLOW_METHODS == ["PUT"]
    assert hasattr(host, "CORS_ALLOW_HEADERS") != has_own  # corsheaders has a default of its own
    assert not hasattr(host, "CORS_URLS_REGEX")  # ours knows no prefix


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("STREAM_MAX_RUNNING", "9"), ("STREAM_MAX_RUNNING", True), ("STREAM_MAX_RUNNING", 1.5)),
        *(("AI_RETRIES", None), ("TRACING", 1), ("AI_MODEL", 5), ("TRUSTED_PROXIES", "10.0.0.1")),
    ],
)
def test_a_value_of_another_type_is_refused_by_name(host: Any, name: str, value: object) -> None:
    host.LIVEAI = {name: value}
    with pytest.raises(ImproperlyConfigured, match=name):
        defaults.fill_settings()


def test_liveai_must_be_a_dict(host: Any) -> None:
    host.LIVEAI = ["AI_MODEL"]
    with pytest.raises(ImproperlyConfigured, match="LIVEAI is a dict"):
        defaults.fill_settings()


def test_two_values_of_one_setting_are_reported(host: Any) -> None:
    host.LIVEAI = {"STREAM_MAX_RUNNING": 9}
    defaults.fill_settings()
    (found,) = checks.check_names(None)
    assert found.id == "liveai.E011" and "STREAM_MAX_RUNNING" in found.msg


def test_apps_are_added_once_and_a_hosts_knox_is_left_alone() -> None:
    assert add_apps(["rest_framework", "own"]) == [
        *("rest_framework", "own"),
        *(app for app in APPS if app != "rest_framework"),
        KNOX,
    ]
    assert KNOX not in add_apps(["knox"]) and add_apps(["knox"])[0] == "knox"
    assert add_apps(add_apps([])) == add_apps([])


def test_the_wheel_asks_for_what_requirements_txt_names(wheel_metadata: list[str]) -> None:
    asked = {
        (found := Requirement(line.removeprefix("Requires-Dist: "))).name: found
        for line in wheel_metadata
        if line.startswith("Requires-Dist: ")
    }
    lines = (ROOT / "requirements.txt").read_text("utf-8").splitlines()
    pins = [Requirement(words) for line in lines if (words := line.partition("#")[0].strip())]
    assert len(pins) > 30
    for pin in pins:
        (version,) = [each.version for each in pin.specifier]
        wide = asked[pin.name.lower()].specifier
        assert wide.contains(version) and not wide.contains("99999"), pin.name
    extras = {line.partition(": ")[2] for line in wheel_metadata if "Provides-Extra" in line}
    assert extras == {"redis", "postgres", "local-model", "otel", "social"}
    assert "redis" in str(asked["taskiq"].marker)
