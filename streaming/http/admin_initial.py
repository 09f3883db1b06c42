"""Values in the address of an admin's add form, such as `?whose=user&user=7`."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.forms import Field
from django.http import HttpRequest


class ValidInitial(admin.ModelAdmin):
    """Begins the form without the values that its fields refuse.

    Django gives them to the widgets as they are. Some of these raise an error: for a user that is
    no number, or a time that is none.
    """

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        fields = self.get_form(request).base_fields
        given = super().get_changeform_initial_data(request)
        return {
            name: value
            for name, value in given.items()
            if name in fields and _accepts(fields[name], value)
        }


def _accepts(field: Field, value: Any) -> bool:
    try:
        field.clean(value)
    except (ValidationError, ValueError, OverflowError):  # SQLite raises the last one
        return False
    return True
