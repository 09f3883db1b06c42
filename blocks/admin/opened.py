"""Forms opened a while ago: saving them undoes nothing that somebody changed meanwhile."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.utils.functional import cached_property

from ..comparison import in_words
from ..forms import FIELDS, BlockTypeForm, values_of
from ..models import BlockType
from .numbers import number

SHOWN = "shown_version"
"""The form's hidden field: the number of the version that it showed when it was opened."""

SHOWN_CHARACTERS = 200


class OpenedForm(BlockTypeForm):
    """The form of one block type. What was not typed there is what is stored by now.

    A field that somebody else changed to another value than the one typed is an error, once: the
    form then shows the new version, so saving it again replaces that value. Within a transaction,
    the row stays locked until its end.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._kept: set[str] = set()
        self._taken: dict[str, Any] = {}
        if self.is_bound and self.instance.pk is not None:
            self._bring_up_to_date()

    def _bring_up_to_date(self) -> None:
        shown_id = number(str(self.data.get(SHOWN, "")))
        history = BlockType.history.filter(id=self.instance.pk)
        shown = shown_id and history.filter(pk=shown_id).first()
        stored = BlockType.objects.select_for_update().filter(pk=self.instance.pk).first()
        if not shown or stored is None:
            return
        before, now = values_of(shown), values_of(stored)
        data: Any = self.data
        self.data = data.copy()  # the request's own can't be changed
        for name in set(FIELDS) & set(self.fields):
            if not self._is_typed(name, before[name]):
                self._kept.add(name)
                self._put(name, now[name])
            elif now[name] != before[name] and self._is_typed(name, now[name]):
                self._taken[name] = now[name]

    @cached_property
    def changed_data(self) -> list[str]:
        return [name for name in super().changed_data if name not in self._kept]

    def _is_typed(self, name: str, shown: Any) -> bool:
        """Whether a field holds another value than one it showed.

        Browsers send CR LF as line end, and the field strips what is around a text.
        """
        sent = self[name].data
        if isinstance(shown, str) and isinstance(sent, str):
            return _bare(shown) != _bare(sent)
        return self.fields[name].has_changed(shown, sent)

    def _put(self, name: str, value: Any) -> None:
        """Hold a value as if the browser had sent it."""
        data: Any = self.data
        key = self.add_prefix(name)
        if isinstance(value, bool):
            data.pop(key, None)
            if value:
                data[key] = "on"
        else:
            data[key] = self.fields[name].prepare_value(value)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for name, value in self._taken.items():
            words = in_words(value)
            if len(words) > SHOWN_CHARACTERS:
                words = f"{words[:SHOWN_CHARACTERS]}…"
            self.add_error(
                name,
                ValidationError(
                    f"Changed meanwhile. Stored now: “{words}” – save again to replace it with what"
                    " is typed here.",
                    code="meanwhile",
                ),
            )
        return cleaned


class RowForm(forms.ModelForm):
    """A row of the list. Only what was changed in the row counts as changed.

    What is wrong with the rest of a block type, such as a rule that is newer than it, is left to
    its own form: it can always be switched off in the list.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            # The row is compared with what it showed, not with what is stored by now.
            is_told = self.add_initial_prefix(name) in self.data
            field.show_hidden_initial = is_told or not self.is_bound
            field.widget.attrs["aria-label"] = (
                f"{field.label}: {self.instance}"  # else only a column
            )

    def add_error(self, field: str | None, error: Any) -> None:
        if field is None and hasattr(error, "error_dict"):
            own = {*self.fields, NON_FIELD_ERRORS}
            error = ValidationError({n: e for n, e in error.error_dict.items() if n in own})
        super().add_error(field, error)


def _bare(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()
