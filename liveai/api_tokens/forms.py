"""The form that makes a token."""

from __future__ import annotations

from django import forms

from streaming.access.tokens import ASK, READ

from .models import NAME_CHARS

DAYS = 90
NEVER = "never"
EXPIRIES = [("30", "In 30 days"), ("90", "In 90 days"), ("365", "In a year"), (NEVER, "Never")]
SCOPES = [
    (ASK, "Ask and manage your answers"),
    (READ, "Only see your answers"),
]


class TokenForm(forms.Form):
    """Asks for a name, a scope and an expiry. `days` is what to make of the last one."""

    name = forms.CharField(
        max_length=NAME_CHARS,
        help_text="What will use it, e.g. “Backup script”.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    scope = forms.ChoiceField(label="It may", choices=SCOPES, initial=ASK)
    expiry = forms.ChoiceField(label="Expires", choices=EXPIRIES, initial=str(DAYS))

    @property
    def days(self) -> int | None:
        expiry = self.cleaned_data["expiry"]
        return None if expiry == NEVER else int(expiry)
