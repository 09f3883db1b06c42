"""Limits on failed sign-ins, based on django-axes.

Its attempts are stored in the database, so that all processes count together.

Source: specs/050-live-ai-interaction/decisions/, "Failed sign-ins".
"""

from __future__ import annotations

import logging
import math
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Any

from axes.backends import AxesStandaloneBackend
from axes.handlers.database import AxesDatabaseHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import QuerySet, Sum
from django.http import HttpRequest
from django.utils import timezone

from .addresses import countable_address

logger = logging.getLogger(__name__)

ADDRESS_FACTOR = 5
"""An address may fail this many times as often as one name from it: a school shares one address."""

MAX_LOGGED_NAME = 60


def address_of(request: HttpRequest) -> str | None:
    """Return the address that a sign-in counts for; None if it has none (a Unix socket).

    Unlike in other limits, a trusted proxy's own address counts. Otherwise no sign-in would be
    limited on a machine whose own browser connects.
    """
    remote = request.META.get("REMOTE_ADDR", "").partition("%")[0]
    try:
        ip_address(remote)
    except ValueError:
        return None
    return (countable_address(remote) or remote).partition("/")[0]


def name_of(request: HttpRequest, credentials: dict[str, Any] | None = None) -> str:
    """Return the name or e-mail address that a sign-in counts for, as axes asks for it.

    The admin's form posts it as `username`, the accounts' pages as `login`.
    """
    known = credentials or {}
    posted = request.POST.get("username") or request.POST.get("login")
    name = str(known.get("username") or known.get("email") or posted or "").strip()
    return name.lower() if "@" in name else name  # an address signs in, in any letters


class SignInBackend(AxesStandaloneBackend):
    """Refuses locked sign-ins before a password is hashed.

    A sign-in without a request comes from code (a shell, a test) and is allowed.
    """

    def authenticate(self, request: HttpRequest | None, *args: Any, **kwargs: Any) -> None:
        if request is not None:
            request.signs_in_as = name_of(request, kwargs)  # type: ignore[attr-defined]
            super().authenticate(request, *args, **kwargs)


class SignInHandler(AxesDatabaseHandler):
    """Locks a pair of user name and address, and an address that tries many names."""

    def get_failures(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        """Return the failures to compare with the limit.

        These are the failures of the name from this address or, if more, 1 / `ADDRESS_FACTOR` of
        all failures from this address.
        """
        pair, address = (
            attempts.aggregate(count=Sum("failures_since_start"))["count"] or 0
            for attempts in self.get_user_attempts(request, credentials)
        )
        return max(pair, address // ADDRESS_FACTOR)

    def reset_user_attempts(
        self, request: HttpRequest, credentials: dict[str, Any] | None = None
    ) -> int:
        """Delete the failures of the name from this address, and of the email if that was typed.

        Failures of other names stay; otherwise an account owner could try other names forever.
        """
        count = 0
        typed = {"username": getattr(request, "signs_in_as", "")}
        for each in (credentials, typed):
            pair, _ = self.filter_user_attempts(request, each)
            count += pair.delete()[0]
        return count

    def user_login_failed(
        self,
        sender: Any,
        credentials: dict[str, Any],
        request: HttpRequest | None = None,
        **kwargs: Any,
    ) -> None:
        if request is None:
            return
        was_locked = request.axes_locked_out  # type: ignore[attr-defined]
        super().user_login_failed(sender, credentials, request, **kwargs)
        if was_locked:
            return  # logged when the lock began: an attacker must not fill the log
        who = (_loggable(name_of(request, credentials)), request.axes_ip_address)  # type: ignore[attr-defined]
        logger.warning('Sign-in as "%s" from %s failed.', *who)
        if request.axes_locked_out:  # type: ignore[attr-defined]
            logger.warning(
                'Sign-ins as "%s" from %s are refused for %d s.',
                *who,
                settings.LIMIT_SIGN_IN_SECONDS,
            )


def seconds_locked(request: HttpRequest, credentials: dict[str, Any] | None) -> int:
    """Return the seconds until a locked sign-in is possible again; at least 1.

    Tries during the lock don't prolong it. Failures with other names from this address may.
    """
    limit = settings.AXES_FAILURE_LIMIT
    attempts = SignInHandler().get_user_attempts(request, credentials)
    ends = [
        end
        for each, at_most in zip(attempts, (limit, limit * ADDRESS_FACTOR), strict=True)
        if (end := _end_of_lock(each, at_most))
    ]
    if not ends:
        return 1  # forgotten meanwhile
    return max(1, math.ceil((max(ends) - timezone.now()).total_seconds()))


def _end_of_lock(attempts: QuerySet[AccessAttempt], at_most: int) -> datetime | None:
    """Return when fewer failures than `at_most` will count; None if they are fewer now."""
    rows = attempts.order_by("-attempt_time").values_list("attempt_time", "failures_since_start")
    failures = 0
    for at, count in rows[:at_most]:  # each has a failure at least
        failures += count
        if failures >= at_most:
            return at + timedelta(seconds=settings.LIMIT_SIGN_IN_SECONDS)
    return None


def _loggable(name: Any) -> str:
    text = str(name or "")[:MAX_LOGGED_NAME]
    return "".join(character if character.isprintable() else "\ufffd" for character in text)
