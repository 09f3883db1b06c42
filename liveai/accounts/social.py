"""Sign-in with other sites' accounts. Used only if `SOCIAL_PROVIDERS` names a provider."""

from __future__ import annotations

from typing import Any

from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.db import transaction
from django.http import HttpRequest

from .adapter import spend_invitation


class SocialAdapter(DefaultSocialAccountAdapter):
    """Lets a first sign-in create an account only where a sign-up would."""

    def save_user(self, request: HttpRequest, sociallogin: Any, form: Any = None) -> Any:
        with transaction.atomic():
            if form is None:  # with a form, the account adapter does it
                spend_invitation(request)
            return super().save_user(request, sociallogin, form)
