"""System checks of the site's public face."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def as_delivered(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
    settings.TRUSTED_PROXIES = ["127.0.0.1", "::1"]
    settings.DEBUG = False


def found() -> list[str | None]:
    messages = [message for message in run_checks() if str(message.id).startswith("liveai.")]
    assert all(message.hint for message in messages)
    return [message.id for message in messages]


@pytest.mark.parametrize(
    ("changes", "check_id"),
    [
        ({"ALLOWED_HOSTS": ["*"], "AI_ALLOW_ANONYMOUS": True}, "liveai.W001"),
        ({"ALLOWED_HOSTS": ["*"], "AI_ALLOW_ANONYMOUS": False}, "liveai.W001"),
        ({"ALLOWED_HOSTS": ["a.test"], "DEBUG": True}, "liveai.W003"),
        ({"ALLOWED_HOSTS": ["https://a.test"]}, "liveai.E002"),
        ({"ALLOWED_HOSTS": ["a.test:8000"]}, "liveai.E002"),
        ({"ALLOWED_HOSTS": ["a.test/x"]}, "liveai.E002"),
        ({"ALLOWED_HOSTS": ["*.a.test"]}, "liveai.E002"),
        ({"ALLOWED_HOSTS": ["a.test;b.test"]}, "liveai.E002"),
        ({"ALLOWED_HOSTS": []}, "liveai.E002"),
        ({"ALLOWED_HOSTS": ["ai.example.org"]}, "liveai.E001"),
        ({"ALLOWED_HOSTS": ["AI.EXAMPLE.COM"]}, "liveai.E001"),
        ({"ALLOWED_HOSTS": ["YOUR-NAME"]}, "liveai.E001"),
        ({"CSRF_TRUSTED_ORIGINS": ["https://ai.example.org"]}, "liveai.E001"),
        ({"CORS_ALLOWED_ORIGINS": ["https://app.example.org"]}, "liveai.E001"),
        ({"CORS_ALLOWED_ORIGINS": ["https://*.a.test"]}, "liveai.E006"),
        ({"CORS_ALLOWED_ORIGINS": ["https://a.test:99999"]}, "liveai.E006"),
        ({"AI_BASE_URL": "https://api.example.org/v1"}, "liveai.E001"),
        ({"REDIS_URL": "redis://:p@redis.example.net:6379/0"}, "liveai.E001"),
        ({"TRUSTED_PROXIES": ["*"]}, "liveai.W002"),
        ({"TRUSTED_PROXIES": ["0.0.0.0/0"]}, "liveai.W002"),
        ({"TRUSTED_PROXIES": ["::/0", "127.0.0.1"]}, "liveai.W002"),
        ({"TRUSTED_PROXIES": ["nginx"]}, "liveai.E003"),
        ({"TRUSTED_PROXIES": ["10.0.0.1/8"]}, "liveai.E003"),
    ],
)
def test_a_setting_that_misleads_is_told(
    settings: Any, changes: dict[str, Any], check_id: str
) -> None:
    assert found() == []
    for name, value in changes.items():
        setattr(settings, name, value)
    assert found() == [check_id]


@pytest.mark.parametrize(
    "changes",
    [
        {"DEBUG": True},
        {"ALLOWED_HOSTS": [], "DEBUG": True},
        {"ALLOWED_HOSTS": ["a.example", ".b.test", "[2001:db8::1]", "examples.org"]},
        {"TRUSTED_PROXIES": ["10.0.0.0/8", "fd00::/8"]},
        {"TRUSTED_PROXIES": []},
    ],
)
def test_a_setting_that_can_work_is_left_alone(settings: Any, changes: dict[str, Any]) -> None:
    for name, value in changes.items():
        setattr(settings, name, value)
    assert found() == []


def test_a_password_in_a_host_is_not_shown(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["https://u:hunter2@a.test"]
    (message,) = [each for each in run_checks() if each.id == "liveai.E002"]
    assert "a.test" in message.msg and "hunter2" not in message.msg


def test_error_pages_with_the_source_are_not_served_to_others(monkeypatch: Any) -> None:
    monkeypatch.setenv("DJANGO_DEBUG", "true")
    done = subprocess.run(
        [sys.executable, "manage.py", "serve", "--host", "0.0.0.0", "--port", "0"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert "streaming.E019" in done.stderr and "HINT: Write DJANGO_DEBUG=false" in done.stderr


def test_https_is_insisted_on_over_https_alone(settings: Any, client: Any) -> None:
    settings.SECURE_HSTS_SECONDS, settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = 3600, True
    settings.SECURE_SSL_REDIRECT = True
    over_https = client.get("/api/nothing", secure=True, headers={"host": "localhost"})
    assert over_https["Strict-Transport-Security"] == "max-age=3600; includeSubDomains"
    plain = client.get("/api/nothing", headers={"host": "localhost"})
    assert (plain.status_code, plain["Location"]) == (301, "https://localhost/api/nothing")
    assert "Strict-Transport-Security" not in plain
