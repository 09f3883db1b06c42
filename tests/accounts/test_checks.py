"""Settings of accounts and emails that can't work are reported, with what to write instead."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings as project_settings
from django.core import checks

from liveai.environment import Environment
from tests.support.servers.harness import clean_environment

SMTP = "django.core.mail.backends.smtp.EmailBackend"
CONSOLE = "django.core.mail.backends.console.EmailBackend"


def found(*, deploy: bool = False) -> set[str]:
    messages = checks.run_checks(include_deployment_checks=deploy)
    for message in messages:
        if str(message.id).startswith("liveai"):
            assert message.hint, "says what to write instead"
    return {str(message.id) for message in messages}


@pytest.mark.parametrize("sender", ["nobody", "", "Live AI Blocks <liveai>"])
def test_a_sender_without_an_address_is_an_error(settings: Any, sender: str) -> None:
    assert "liveai.E005" not in found()
    settings.DEFAULT_FROM_EMAIL = sender
    assert "liveai.E005" in found()


@pytest.mark.parametrize(
    ("verification", "backend", "mode", "is_reported"),
    [
        ("mandatory", CONSOLE, "open", True),
        ("mandatory", CONSOLE, "closed", False),
        ("mandatory", SMTP, "open", False),
        ("optional", CONSOLE, "open", False),
    ],
)
def test_a_link_that_reaches_nobody_must_not_be_needed(
    settings: Any, verification: str, backend: str, mode: str, is_reported: bool
) -> None:
    settings.EMAIL_VERIFICATION, settings.EMAIL_BACKEND = verification, backend
    settings.SIGN_UP = mode
    assert ("liveai.W006" in found()) is is_reported


def test_a_deployment_needs_a_mail_server(settings: Any) -> None:
    settings.EMAIL_BACKEND = CONSOLE
    assert "liveai.W007" in found(deploy=True)
    assert "liveai.W007" not in found()
    settings.EMAIL_BACKEND = SMTP
    assert "liveai.W007" not in found(deploy=True)


def test_a_mail_server_of_an_example_is_an_error(settings: Any) -> None:
    settings.EMAIL_HOST = "mail.example.org"
    assert "liveai.E001" in found()


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("consolemail://", {"EMAIL_BACKEND": CONSOLE}),
        (
            "smtp+tls://ada:p%40ss@mail.test:587",
            {
                "EMAIL_BACKEND": SMTP,
                "EMAIL_HOST": "mail.test",
                "EMAIL_PORT": 587,
                "EMAIL_HOST_USER": "ada",
                "EMAIL_HOST_PASSWORD": "p@ss",
                "EMAIL_USE_TLS": True,
            },
        ),
        ("smtp+ssl://mail.test:465", {"EMAIL_USE_SSL": True, "EMAIL_PORT": 465}),
    ],
)
def test_a_mail_server_is_read_from_its_url(url: str, wanted: dict[str, Any]) -> None:
    read = Environment({"EMAIL_URL": url}).email_url("EMAIL_URL", "consolemail://")
    assert {name: read.get(name) for name in wanted} == wanted


def test_the_site_keeps_its_other_sites_accounts_off(settings: Any) -> None:
    assert not any("socialaccount" in app for app in project_settings.INSTALLED_APPS)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"SIGN_UP": "everybody"}, "SIGN_UP is none of open, invitation, closed."),
        ({"EMAIL_VERIFICATION": "yes"}, "EMAIL_VERIFICATION is none of"),
        ({"EMAIL_URL": "https://mail.test"}, "EMAIL_URL begins with no known scheme"),
        ({"SOCIAL_PROVIDERS": "githib"}, "allauth has no provider 'githib'"),
        ({"SOCIAL_PROVIDERS": "../account"}, "allauth has no provider '../account'"),
    ],
)
def test_an_unreadable_value_is_one_line_that_names_it(changes: dict[str, str], words: str) -> None:
    done = _manage("check", **changes)
    assert done.returncode != 0
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_provider_brings_its_pages_and_its_button(tmp_path: Any) -> None:
    code = """
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
call_command("migrate", verbosity=0)
from allauth.socialaccount.models import SocialApp
SocialApp.objects.create(provider="github", name="GitHub", client_id="i", secret="s")
page = Client().get("/account/login/", headers={"host": "localhost"})
assert "Sign in with GitHub" in page.content.decode()
assert "form-action 'self' https:" in page["Content-Security-Policy"]
assert reverse("github_callback") == "/account/github/login/callback/"
began = Client().post("/account/github/login/", headers={"host": "localhost"})
assert began["Location"].startswith("https://github.com/login/oauth/authorize"), began
print("all well")
"""
    url = f"sqlite:///{tmp_path / 'db.sqlite3'}"
    done = _manage("shell", "-v0", "-c", code, SOCIAL_PROVIDERS="github", DATABASE_URL=url)
    assert done.stdout.strip().endswith("all well"), done.stderr


def _manage(*words: str, **changes: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=project_settings.BASE_DIR,
        env={**clean_environment(), "DJANGO_LOG_LEVEL": "ERROR", **changes},
        capture_output=True,
        text=True,
        timeout=100,
    )
