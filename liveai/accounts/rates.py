"""How long a form stays refused that was used too often: allauth refuses without saying it."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping

from allauth.core.internal.ratelimit import Rate, get_cache_key, get_rates
from django.core.cache import cache
from django.http import HttpRequest
from django.urls import resolve

APP = "allauth.account"

ACTIONS: Mapping[str, str] = {
    "account_login": "login",
    "account_signup": "signup",
    "account_reset_password": "reset_password",
    "account_reset_password_from_key": "reset_password_from_key",
    "account_change_password": "change_password",
    "account_set_password": "change_password",
    "account_reauthenticate": "reauthenticate",
    "account_email": "manage_email",
    "account_change_name": "change_name",
    "account_invitation": "invitation",
    "account_tokens": "make_token",
}
"""The rates (`policy.py`) of the pages, by the names of their addresses."""


def seconds_left(request: HttpRequest) -> int:
    """Return the seconds until the rates of a page accept a request like this one; at least 1.

    Refused requests don't count, so trying meanwhile does not prolong it.
    """
    # Not `resolver_match`: allauth repeats a form on the page that asks for the password.
    action = ACTIONS.get(resolve(request.path_info).view_name, "")
    key = request.POST.get("email", "").strip().lower()
    rates = {
        get_cache_key(request, app=APP, action=action, rate=rate, key=key): rate
        for rate in get_rates(app=APP, action=action)
    }
    now = time.time()
    histories: dict[str, list[float]] = cache.get_many(rates)
    return max(
        [1, *(math.ceil(_free_at(times, rates[key]) - now) for key, times in histories.items())]
    )


def _free_at(times: list[float], rate: Rate) -> float:
    """Return when a rate accepts the next request; 0: now. The newest time comes first."""
    if len(times) < rate.amount:
        return 0
    oldest: float = times[rate.amount - 1]  # of those that must stop counting, the last one
    return oldest + rate.duration
