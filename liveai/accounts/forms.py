"""allauth's forms in this site's words, and the forms that it lacks."""

from __future__ import annotations

from typing import Any

from allauth.account import forms
from allauth.account.adapter import get_adapter
from allauth.utils import get_username_max_length
from django import forms as django_forms

from .backend import users_of_address
from .invited import invitation_of

PASSWORD_HELP = "At least 8 characters, and not a common word."
LOGIN_CHARS = 254


class Plain:
    """Labels instead of placeholders, in this site's words."""

    fields: dict[str, django_forms.Field]
    labels: dict[str, str] = {}
    helps: dict[str, str] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})
        for name, field in self.fields.items():
            field.widget.attrs.pop("placeholder", None)
            field.label = self.labels.get(name, field.label)
            field.help_text = self.helps.get(name, "")
            if name in ("login", "username"):
                # Phones would write "Ada", and mark it as wrong.
                field.widget.attrs |= {"autocapitalize": "none", "spellcheck": "false"}


class SignInForm(Plain, forms.LoginForm):
    labels = {"login": "Name or email", "password": "Password"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        attrs = {"autocomplete": "username", "autofocus": True, "maxlength": str(LOGIN_CHARS)}
        self.fields["login"].widget.attrs |= attrs

    def clean_login(self) -> str:
        login: str = super().clean_login()
        if len(login) > LOGIN_CHARS or "\0" in login:
            raise get_adapter().validation_error("username_password_mismatch")
        return login


class SignUpForm(Plain, forms.SignupForm):
    labels = {"username": "Name", "email": "Email", "password1": "Password"}
    helps = {"password1": PASSWORD_HELP}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.invitation = invitation_of(forms.context.request)
        self.fields["username"].widget.attrs["autofocus"] = True
        if self.invitation and self.invitation.email:
            self.fields["email"].initial = self.invitation.email

    def clean_email(self) -> str:
        email: str = super().clean_email()
        invited = self.invitation.email if self.invitation else ""
        if invited and email.lower() != invited.lower():
            raise django_forms.ValidationError("This invitation is for another address.")
        return email


class EmailForm(Plain, forms.AddEmailForm):
    labels = {"email": "New email"}
    helps = {"email": "We’ll send a link to it. Your address changes once you open the link."}


class ChangePasswordForm(Plain, forms.ChangePasswordForm):
    labels = {
        "oldpassword": "Current password",
        "password1": "New password",
        "password2": "New password again",
    }
    helps = {"password1": PASSWORD_HELP}


class SetPasswordForm(Plain, forms.SetPasswordForm):
    labels = {"password1": "New password", "password2": "New password again"}
    helps = {"password1": PASSWORD_HELP}


class NewPasswordForm(Plain, forms.ResetPasswordKeyForm):
    labels = {"password1": "New password", "password2": "New password again"}
    helps = {"password1": PASSWORD_HELP}


class ResetForm(Plain, forms.ResetPasswordForm):
    labels = {"email": "Email"}

    def clean_email(self) -> str:
        email: str = super().clean_email()
        self.users: list[Any] = users_of_address(self.users)
        return email


class ConfirmForm(Plain, forms.ReauthenticateForm):
    labels = {"password": "Password"}


class NameForm(django_forms.Form):
    """Changes a user's name."""

    name = django_forms.CharField(
        label="Name",
        widget=django_forms.TextInput(
            attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )

    def __init__(self, data: Any, *, user: Any, initial: dict[str, str]) -> None:
        super().__init__(data, initial=initial, label_suffix="")
        self._user = user
        self.fields["name"].widget.attrs["maxlength"] = str(get_username_max_length())

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        longest = get_username_max_length()
        if longest and len(name) > longest:
            raise django_forms.ValidationError(f"At most {longest} characters.")
        if name.casefold() == self._user.get_username().casefold():
            return name  # the same in other letters is not taken by somebody else
        cleaned: str = get_adapter().clean_username(name)
        return cleaned

    def save(self) -> None:
        setattr(self._user, self._user.USERNAME_FIELD, self.cleaned_data["name"])
        self._user.save(update_fields=[self._user.USERNAME_FIELD])
