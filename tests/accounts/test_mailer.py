"""E-mails are sent in the background, in a bounded line."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.core.mail import EmailMessage
from django.test import Client

from liveai.accounts.mailer import Mailer


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """A mail server that hangs until the gate is open."""
    gate = threading.Event()
    send = EmailMessage.send

    def hang(self: EmailMessage, *args: Any) -> int:
        assert gate.wait(20)
        return send(self, *args)

    monkeypatch.setattr(EmailMessage, "send", hang)
    return gate


def message() -> EmailMessage:
    return EmailMessage("Subject", "Body", to=["ada@example.org"])


def test_a_mail_server_that_hangs_holds_no_page(
    ada: User, gate: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailer = Mailer()
    monkeypatch.setattr("liveai.accounts.adapter.mailer", mailer)
    response = Client().post("/account/password/reset/", {"email": "ada@example.org"})
    assert (response.status_code, mail.outbox) == (302, [])
    assert not mailer.flush(0)
    gate.set()
    assert mailer.flush(20)
    assert [sent.to for sent in mail.outbox] == [["ada@example.org"]]


def test_what_exceeds_the_line_is_dropped_and_logged_without_the_address(
    gate: threading.Event, caplog: pytest.LogCaptureFixture
) -> None:
    mailer = Mailer(at_most=2)
    for _ in range(5):  # one of them is being sent, perhaps
        mailer.send("reset", message())
    assert "The e-mail 'reset' was dropped: 2 others wait." in caplog.text
    assert "ada@example.org" not in caplog.text
    gate.set()
    assert mailer.flush(20)
    assert len(mail.outbox) in (2, 3)


def test_a_failure_is_logged_by_its_kind_and_the_next_one_is_sent(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    mailer = Mailer()

    def fail(self: EmailMessage) -> int:
        raise ValueError("ada@example.org is wrong")

    with monkeypatch.context() as broken:
        broken.setattr(EmailMessage, "send", fail)
        mailer.send("reset", message())
        assert mailer.flush(20)
    assert "could not be sent (ValueError)" in caplog.text
    assert "ada@example.org" not in caplog.text
    mailer.send("reset", message())
    assert mailer.flush(20)
    assert len(mail.outbox) == 1
