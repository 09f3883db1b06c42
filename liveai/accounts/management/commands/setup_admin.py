"""`manage.py setup_admin`: makes the first administrator from the environment."""

from __future__ import annotations

import os
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from liveai.placeholders import is_placeholder


class Command(BaseCommand):
    help = (
        "Makes the first administrator, named DJANGO_SUPERUSER_USERNAME (admin), with the password"
        " DJANGO_SUPERUSER_PASSWORD and the address DJANGO_SUPERUSER_EMAIL (none). If there is an"
        " administrator, it changes nothing, so it may run before each start."
    )

    # The names are those of `createsuperuser --noinput`, which makes the account. Alone, it fails
    # at its second run, takes any password, and makes an account that nobody can use if there is
    # none.
    def handle(self, **options: Any) -> None:
        user_model = get_user_model()
        if user_model._default_manager.filter(is_superuser=True).exists():
            self.stdout.write("There is an administrator: nothing was changed.")
            return
        name = os.environ.get("DJANGO_SUPERUSER_USERNAME") or "admin"
        _check_password(
            os.environ.get("DJANGO_SUPERUSER_PASSWORD", ""),
            user_model(**{user_model.USERNAME_FIELD: name}),
        )
        required = dict.fromkeys(user_model.REQUIRED_FIELDS, "")  # the environment's values win
        named = {user_model.USERNAME_FIELD: name}
        call_command("createsuperuser", interactive=False, verbosity=0, **required, **named)
        self.stdout.write(f"Made the administrator {name}.")


def _check_password(password: str, user: Any) -> None:
    """Refuse a password that nobody has chosen, or that is too easy to guess.

    Raises:
        CommandError: it says why, and does not contain the password.
    """
    if not password or is_placeholder(password):
        raise CommandError("Write a password of your own in DJANGO_SUPERUSER_PASSWORD.")
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise CommandError(
            f"DJANGO_SUPERUSER_PASSWORD can't be used: {' '.join(error.messages)}"
        ) from None
