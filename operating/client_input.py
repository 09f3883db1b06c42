"""What the admin accepts from a client: its lists' own filters, and text without NUL characters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC
from functools import wraps
from typing import Any

from django.contrib.admin import ModelAdmin
from django.core.exceptions import BadRequest
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.dateparse import parse_datetime

LOOKUPS = ("exact", "isnull", "gte", "lt", "id__exact")
"""How Django's list filters compare. None of them reads more than the column's own value."""

View = Callable[..., HttpResponseBase]


class OwnFilters:
    """Lets the address of a list compare only what the list's own filters compare.

    Django allows every lookup on every local field. With `?field__regex=` a client chooses the
    pattern: on SQLite, Python matches it, and holds the whole process while it does. With `?year=`
    a number may be larger than the database can compare.
    """

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        values = request.GET.getlist(lookup)
        return lookup in _allowed(self, request) and not any(map(_is_out_of_range, values))


def with_own_filters(admin_class: type[ModelAdmin]) -> type[ModelAdmin]:
    """Return the class of a list that accepts no other lookups."""
    if issubclass(admin_class, OwnFilters):
        return admin_class
    about = {"__module__": admin_class.__module__, "__doc__": admin_class.__doc__}
    return type(admin_class.__name__, (OwnFilters, admin_class), about)


def without_nul(view: View) -> View:
    """Answer 400 to a NUL character in an address or a form: no PostgreSQL text can have one.

    Files are not searched: they are no text.
    """

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if any("\0" in text for text in _texts_of(request)):
            raise BadRequest("NUL characters are not accepted.")
        return view(request, *args, **kwargs)

    return checked


def _allowed(model_admin: Any, request: HttpRequest) -> Iterator[str]:
    for each in model_admin.get_list_filter(request):
        chosen = each[0] if isinstance(each, tuple | list) else each
        name = str(getattr(chosen, "parameter_name", None) or chosen)
        yield name
        for lookup in LOOKUPS:
            yield f"{name}__{lookup}"


def _is_out_of_range(text: str) -> bool:
    """Whether a text is a time that has no year in UTC. Databases can't be asked for it."""
    try:
        time = parse_datetime(text)
        if time is not None and time.tzinfo is not None:
            time.astimezone(UTC)
    except OverflowError:
        return True
    except ValueError:  # no time: the filter says so
        return False
    return False


def _texts_of(request: HttpRequest) -> Iterator[str]:
    yield request.path_info
    for given in (request.GET, request.POST):
        for name, values in given.lists():
            yield name
            yield from values
