"""System checks of accounts and e-mail. The checks read only settings. Their ids are stable."""

from __future__ import annotations

from collections.abc import Iterator
from email.utils import parseaddr
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

TO_NOBODY = ("console.EmailBackend", "dummy.EmailBackend", "locmem.EmailBackend")


@register()
def check_sender(app_configs: Any, **kwargs: Any) -> Iterator[CheckMessage]:
    if "@" not in parseaddr(settings.DEFAULT_FROM_EMAIL)[1]:
        yield Error(
            "DEFAULT_FROM_EMAIL is not an e-mail address.",
            hint="Write an address, e.g. DEFAULT_FROM_EMAIL=Live AI Blocks <ai@example.org>.",
            id="liveai.E005",
        )


@register()
def check_verification(app_configs: Any, **kwargs: Any) -> Iterator[CheckMessage]:
    is_required = settings.EMAIL_VERIFICATION == "mandatory" and settings.SIGN_UP != "closed"
    if is_required and settings.EMAIL_BACKEND.endswith(TO_NOBODY):
        yield Warning(
            "EMAIL_VERIFICATION is mandatory, but e-mails reach nobody: a new account can be used"
            " only by someone who reads the server's output.",
            hint="Write your mail server in EMAIL_URL, or EMAIL_VERIFICATION=optional.",
            id="liveai.W006",
        )


@register(Tags.security, deploy=True)
def check_mail(app_configs: Any, **kwargs: Any) -> Iterator[CheckMessage]:
    if settings.EMAIL_BACKEND.endswith(TO_NOBODY):
        yield Warning(
            "EMAIL_URL names no mail server: nobody can reset a forgotten password, and the links"
            " are in the server's output.",
            hint="Write your mail server in EMAIL_URL, e.g."
            " smtp+tls://NAME:PASSWORD@mail.example.org:587.",
            id="liveai.W007",
        )
