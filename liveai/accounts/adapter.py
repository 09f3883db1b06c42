"""What this site decides differently from allauth: who may sign up, and where a sign-in leads."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from django.conf import settings
from django.contrib import messages
from django.contrib.sites.shortcuts import get_current_site
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.shortcuts import redirect
from django.urls import Resolver404, get_script_prefix, resolve, reverse

from frontend.views import licenses, page
from streaming.access.sign_in import address_of

from .invited import invitation_of, take_invitation
from .mailer import mailer

PAGES = frozenset(
    {
        "account_home",
        "account_change_name",
        "account_change_password",
        "account_set_password",
        "account_email",
        "account_data",
        "account_delete_answers",
        "account_delete",
        "account_tokens",
        "socialaccount_connections",
        "api-docs",
    }
)
"""The pages that a sign-in may lead to, besides the frontend's and the admin's."""

NO_PAGES = frozenset({"logout", "jsi18n", "autocomplete"})
"""The admin's addresses that show nothing when they are opened."""

QUIET = ("logged_in", "logged_out")
"""Messages that nobody would read: a sign-in and a sign-out lead to pages that show none."""


class AccountAdapter(DefaultAccountAdapter):
    """allauth's adapter for this site's accounts."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": "That name and password don’t match.",
        "email_password_mismatch": "That email address and password don’t match.",
        "incorrect_password": "That’s not your password.",
        "enter_current_password": "That’s not your current password.",
        "username_taken": "This name is taken.",
        "username_at_sign": "A name can’t contain @.",
        "account_inactive": "This account is switched off.",
        "same_as_current": "That’s already your address.",
        "duplicate_email": "That’s already your address.",
        "rate_limited": "Too many requests. Try again in a minute.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        if settings.SIGN_UP == "invitation":
            return invitation_of(request) is not None
        return bool(settings.SIGN_UP == "open")

    def clean_username(self, username: str, shallow: bool = False) -> str:
        """Refuse a name that looks like an e-mail address, which may be somebody else's."""
        name: str = super().clean_username(username, shallow)
        if "@" in name:
            raise self.validation_error("username_at_sign")
        return name

    def save_user(self, request: HttpRequest, user: Any, form: Any, commit: bool = True) -> Any:
        """Save a new user, and use up the invitation in the same transaction.

        Raises:
            ImmediateHttpResponse: others have used it up, or taken the name, meanwhile.
        """
        # The hash comes first: it takes a third of a second, in which SQLite would lock all others.
        user = super().save_user(request, user, form, commit=False)
        if commit:
            try:
                with transaction.atomic():
                    spend_invitation(request)
                    user.save()
            except IntegrityError:
                messages.error(request, self.error_messages["username_taken"])
                raise ImmediateHttpResponse(redirect("account_signup")) from None
        return user

    def is_safe_url(self, url: str) -> bool:
        """Whether a sign-in may lead there: to a page of this site that people open."""
        try:
            return super().is_safe_url(url) and _is_page(url)
        except ValueError:  # no URL, such as "http://["
            return False

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("account_home")

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the address that the rates count, as for failed sign-ins."""
        return address_of(request) or "none"

    def add_message(self, request: HttpRequest, level: int, *args: Any, **kwargs: Any) -> None:
        template = str(kwargs.get("message_template") or (args[0] if args else ""))
        if not template.endswith(tuple(f"/{name}.txt" for name in QUIET)):
            super().add_message(request, level, *args, **kwargs)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Render an e-mail and pass it on. A mail server that fails or hangs shows in no answer:
        those with accounts get other e-mails than those without."""
        request = self.request
        site = get_current_site(request)
        context = {"request": request, "email": email, "current_site": site, **context}
        message = self.render_mail(template_prefix, email, context)
        mailer.send(template_prefix.rpartition("/")[2], message)


def spend_invitation(request: HttpRequest) -> None:
    """Use up the invitation that a sign-up needs.

    Raises:
        ImmediateHttpResponse: there is none any more.
    """
    if settings.SIGN_UP == "invitation" and not take_invitation(request):
        raise ImmediateHttpResponse(redirect("account_signup"))


def _is_page(url: str) -> bool:
    path = urlsplit(url).path
    prefix = get_script_prefix()
    if not path.startswith(prefix):
        return False
    try:
        match = resolve("/" + path.removeprefix(prefix))
    except Resolver404:
        return False
    if match.app_name == "admin":
        return match.url_name not in NO_PAGES
    return match.func in (page, licenses) or match.url_name in PAGES
