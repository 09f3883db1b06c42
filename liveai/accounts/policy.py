"""Which forms the accounts' pages have, and how often each may be used: parts of the settings.

A rate is `AMOUNT/TIME/PER`, where `PER` is `ip` (an address; IPv6: its /64), `user`, or `key` (the
e-mail address). A school shares an address, so thirty people may sign up or in at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import allauth
from django.core.exceptions import ImproperlyConfigured

FORMS = {
    "login": "liveai.accounts.forms.SignInForm",
    "signup": "liveai.accounts.forms.SignUpForm",
    "add_email": "liveai.accounts.forms.EmailForm",
    "change_password": "liveai.accounts.forms.ChangePasswordForm",
    "set_password": "liveai.accounts.forms.SetPasswordForm",
    "reset_password": "liveai.accounts.forms.ResetForm",
    "reset_password_from_key": "liveai.accounts.forms.NewPasswordForm",
    "reauthenticate": "liveai.accounts.forms.ConfirmForm",
}

RATES: dict[str, str | None] = {
    "signup": "60/m/ip,300/h/ip",
    "login": "120/m/ip",
    "login_failed": None,  # LIMIT_SIGN_IN_FAILURES, in streaming/access/sign_in.py
    "reset_password": "20/m/ip,5/h/key",
    "reset_password_from_key": "20/m/ip",
    "confirm_email": "1/3m/key",
    "manage_email": "10/m/user",
    "change_password": "5/m/user",
    "reauthenticate": "10/m/user",
    "change_name": "10/m/user",
    "invitation": "60/m/ip",
    "make_token": "10/m/user",
}


def social_apps(providers: Sequence[str]) -> list[str]:
    """Return the Django apps of allauth's providers, such as `github`; none without providers.

    Raises:
        ImproperlyConfigured: allauth has no such provider, or lacks a package for all of them.
    """
    if not providers:
        return []
    folder = Path(allauth.__file__).parent / "socialaccount" / "providers"
    for name in providers:
        if not (name.isidentifier() and (folder / name / "provider.py").is_file()):
            raise ImproperlyConfigured(
                f"SOCIAL_PROVIDERS: allauth has no provider {name!r}. Write the name of its folder"
                " in allauth/socialaccount/providers, e.g. github."
            )
    if not all(map(find_spec, ("jwt", "oauthlib", "requests"))):
        raise ImproperlyConfigured(
            "SOCIAL_PROVIDERS needs more packages:"
            " .venv/bin/pip install -r locks/requirements-social.txt"
        )
    return [
        "allauth.socialaccount",
        *(f"allauth.socialaccount.providers.{name}" for name in providers),
    ]
