"""Deletes all answers of one owner, for an operator whom the owner has asked to."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode

from ..errors import Refused
from ..http.request_threads import on_loop
from ..models import Stream
from ..own_data.deleting import delete_owner
from ..process import ensure_started

MAX_OWNER_CHARS = Stream._meta.get_field("owner").max_length


def answer_deletion(request: HttpRequest, site: admin.AdminSite) -> HttpResponse:
    """Show how many answers `?owner=` has; a POST deletes them. The caller checks the right to.

    One POST takes about 5 s at most. If some are left then, it says so, and shows the page again.
    Cancelling it stops it between two batches. Synchronous ORM.
    """
    owner = request.GET.get("owner", "")[:MAX_OWNER_CHARS]
    if request.method == "POST":
        return HttpResponseRedirect(_delete(request, owner))
    count = Stream.objects.filter(owner=owner).count()
    context = {
        **site.each_context(request),
        "opts": Stream._meta,
        "title": "Delete all of one owner",
        "owner": owner,
        "answers": _answers(count),
        "is_any": bool(count),
    }
    return TemplateResponse(request, "streaming/delete_owner.html", context)


def _delete(request: HttpRequest, owner: str) -> str:
    """Delete, and tell the admin; return the address of the next page."""
    again = f"{reverse('admin:streaming_stream_delete_owner')}?{urlencode({'owner': owner})}"

    async def delete() -> dict[str, Any]:
        return await delete_owner(await ensure_started(), owner, by="admin")

    try:
        outcome = on_loop(delete)
    except Refused as refused:
        messages.error(request, f"Not all were deleted: {refused.message} Try again.")
        return again
    deleted = _answers(outcome["deleted"])
    LogEntry.objects.create(
        user_id=str(request.user.pk),
        content_type=ContentType.objects.get_for_model(Stream),
        object_repr=f"{deleted} of {owner}"[:200],
        action_flag=DELETION,
    )
    if not outcome["complete"]:
        messages.warning(request, f"{deleted} deleted. Some are left: go on.")
        return again
    messages.success(request, f"{deleted} deleted. None is left.")
    return f"{reverse('admin:streaming_stream_changelist')}?{urlencode({'q': owner})}"


def _answers(count: int) -> str:
    return f"{count:,} answer{'' if count == 1 else 's'}"
