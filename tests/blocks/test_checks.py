from __future__ import annotations

from typing import Any

import pytest
from django.core.checks import CheckMessage

from blocks import checks


def found() -> list[CheckMessage]:
    # Without the database fixture, a check that queries fails here.
    return [
        *checks.check_model(None),
        *checks.check_base_url(None),
        *checks.check_network(None),
        *checks.check_models_dir(None),
        *checks.check_can_continue(None),
        *checks.check_limits(None),
    ]


def test_the_defaults_are_right() -> None:
    assert found() == []


@pytest.mark.parametrize(
    ("name", "value", "check_id"),
    [
        ("AI_MODEL", "", "blocks.E001"),
        ("AI_MODEL", "gpt-5", "blocks.E001"),
        ("AI_MODEL", "cloud:x", "blocks.E001"),
        ("AI_MODEL", "openai:gpt-5", "blocks.W001"),
        ("AI_CAN_CONTINUE", True, "blocks.W002"),
        ("AI_BASE_URL", "", "blocks.E002"),
        ("AI_MODELS_DIR", "/", "blocks.E020"),
        ("AI_MODELS_DIR", __file__, "blocks.E020"),
        ("AI_BASE_URL", "localhost:11434", "blocks.E002"),
        ("AI_BASE_URL", "127.0.0.1:11434/v1", "blocks.E002"),
        ("AI_BASE_URL", "http://[::1", "blocks.E002"),
        ("AI_CONNECT_SECONDS", 0.0, "blocks.E003"),
        ("AI_FIRST_TOKEN_SECONDS", -1.0, "blocks.E003"),
        ("AI_IDLE_SECONDS", float("nan"), "blocks.E003"),
        ("AI_RETRIES", -1, "blocks.E004"),
    ],
)
def test_a_setting_that_can_not_work_is_told_with_what_to_write(
    settings: Any, name: str, value: Any, check_id: str
) -> None:
    setattr(settings, name, value)
    (message,) = found()
    assert message.id == check_id
    assert message.hint


def test_a_service_of_ones_own_may_go_on(settings: Any) -> None:
    settings.AI_CAN_CONTINUE = True
    settings.AI_BASE_URL = "http://127.0.0.1:8080/v1"
    assert found() == []


def test_an_address_with_a_password_is_not_shown(settings: Any) -> None:
    settings.AI_BASE_URL = "ftp://user:hunter2@example.com"
    assert "hunter2" not in str(found())


@pytest.mark.parametrize(
    ("name", "value", "check_id"),
    [
        ("ALL_PROXY", "socks4://hunter2:1", "blocks.W003"),
        ("https_proxy", "http://", "blocks.W003"),
        ("SSL_CERT_FILE", "/nonexistent/hunter2.pem", "blocks.W004"),
        ("SSL_CERT_DIR", "/nonexistent/hunter2", "blocks.W004"),
    ],
)
def test_a_variable_of_the_network_that_can_not_work_is_named(
    settings: Any, monkeypatch: pytest.MonkeyPatch, name: str, value: str, check_id: str
) -> None:
    for other in ("SSL_CERT_FILE", "SSL_CERT_DIR", "https_proxy", "HTTPS_PROXY"):
        monkeypatch.delenv(other, raising=False)
    monkeypatch.setenv(name, value)
    assert found() == []  # the model on this machine needs no network
    settings.AI_MODEL, settings.AI_API_KEY = "openai:gpt-5", "sk-x"
    (message,) = found()
    assert message.id == check_id
    assert message.msg.startswith(name)
    assert message.hint
    assert "hunter2" not in str(message)
