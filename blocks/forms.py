"""The form of a block type: the one place where its values are checked.

The admin, its preview, an import and a roll-back use it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.forms.fields import InvalidJSONInput

from . import finite
from .models import BlockType
from .schemas import MAX_DEPTH, depth_of

FIELDS = tuple(field.name for field in BlockType._meta.fields if field.name != "id")
"""The fields of a block type, in the model's order."""

JSON_FIELDS = frozenset(
    field.name for field in BlockType._meta.fields if isinstance(field, models.JSONField)
)


class ShallowJSONField(forms.JSONField):
    """JSON that every database stores, nested no deeper than MAX_DEPTH.

    Django's own field raises RecursionError beyond, and ValueError for a number of 5,000 digits.
    """

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str) and value.strip():
            _check_numbers(value)
        try:
            read = super().to_python(value)
        except RecursionError:
            read = None
            too_deep = True
        else:
            too_deep = depth_of(read) > MAX_DEPTH
        if too_deep:
            raise ValidationError(f"Nested more than {MAX_DEPTH} levels deep.", code="too_deep")
        if not _is_storable(read):
            raise ValidationError(
                "NUL characters and unpaired surrogates can't be used.", code="characters"
            )
        return read

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return super().has_changed(initial, data)
        except RecursionError:
            return True

    def bound_data(self, data: Any, initial: Any) -> Any:
        try:
            finite.loads(data or "")
        except (RecursionError, ValueError):
            # The form shows what was typed, as it was typed.
            return None if data is None else InvalidJSONInput(data)
        return super().bound_data(data, initial)


def _check_numbers(text: str) -> None:
    try:
        finite.loads(text)
    except finite.NotFinite as error:
        raise ValidationError(f"{error}.", code="not_finite") from None
    except (RecursionError, ValueError):
        pass  # told apart by the caller


def _is_storable(value: Any) -> bool:
    """Whether PostgreSQL can store a JSON value of bounded depth."""
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\\u0000" not in text.replace("\\\\", "")


class BlockTypeForm(forms.ModelForm):
    class Meta:
        model = BlockType
        fields = FIELDS
        field_classes = dict.fromkeys(JSON_FIELDS, ShallowJSONField)


def values_of(block: BlockType | Any) -> dict[str, Any]:
    """Return the values of a block type, or of one of its versions, by field."""
    return {name: getattr(block, name) for name in FIELDS}


def form_of(values: Mapping[str, Any], block: BlockType | None) -> BlockTypeForm:
    """Return the form as if somebody had typed these values.

    Args:
        values: by field; what is left out is the field's default.
        block: the block type that the values are for, which validation changes but does not save;
            None for a new one.
    """
    data = values_of(BlockType()) | dict(values)
    for name in JSON_FIELDS:
        data[name] = "" if data[name] is None else json.dumps(data[name])
    return BlockTypeForm(data, instance=block or BlockType())
