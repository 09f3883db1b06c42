"""The groups of users, for any user model; one without groups has none. Synchronous ORM."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import connection


def groups_of(user_id: Any) -> list[int]:
    """Return the ids of a user's groups."""
    return [] if user_id is None else [group for _, group in memberships([user_id])]


def group_named(name: str) -> int | None:
    """Return the id of a group; None: there is none of this name."""
    group: int | None = Group.objects.filter(name=name).values_list("pk", flat=True).first()
    return group


def memberships(
    user_ids: Collection[Any], among: Collection[int] | None = None
) -> list[tuple[Any, int]]:
    """Return the pairs of these users and their groups.

    Args:
        among: look at these groups only.
    """
    field = _field()
    if field is None or not user_ids:
        return []
    user, group = f"{field.m2m_field_name()}_id", f"{field.m2m_reverse_field_name()}_id"
    rows = field.remote_field.through._default_manager.filter(**{f"{user}__in": user_ids})
    if among is not None:
        rows = rows.filter(**{f"{group}__in": among})
    return list(rows.values_list(user, group))


def members_of(groups: Collection[int]) -> Any:
    """Return a query of the ids of the members of these groups, for use in another query."""
    field = _field()
    if field is None or not groups:
        return []
    user, group = f"{field.m2m_field_name()}_id", f"{field.m2m_reverse_field_name()}_id"
    rows = field.remote_field.through._default_manager.filter(**{f"{group}__in": groups})
    return rows.values_list(user, flat=True)


def members_sql() -> str:
    """Return a query of the users of one group, whose id is its parameter."""
    field = _field()
    if field is None:
        return "SELECT NULL WHERE %s IS NULL"
    quote = connection.ops.quote_name
    table = quote(field.remote_field.through._meta.db_table)
    user, group = quote(field.m2m_column_name()), quote(field.m2m_reverse_name())
    return f"SELECT {user} FROM {table} WHERE {group} = %s"


def _field() -> Any:
    """Return the user model's field of its groups; None if it has none."""
    fields = get_user_model()._meta.many_to_many
    return next((field for field in fields if field.name == "groups"), None)
