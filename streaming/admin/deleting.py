"""Deletes selected streams, so many at once that neither the page nor the database stalls."""

from __future__ import annotations

import logging
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from ..models import Stream
from .cancelling import streams_were

DELETED_AT_MOST = 500
"""Streams of one action. Its page names each: fewer than DATA_UPLOAD_MAX_NUMBER_FIELDS."""

logger = logging.getLogger(__name__)


@admin.action(description="Delete the selected streams", permissions=["delete"])
def delete_selected(
    model_admin: Any, request: HttpRequest, queryset: QuerySet[Stream]
) -> HttpResponse | None:
    """Delete the ended ones of the selected streams, after a page that says how many they are.

    Takes the place of Django's action of that name, which reads and lists all selected rows.
    """
    selected = list(queryset.values_list("pk", flat=True)[: DELETED_AT_MOST + 1])
    ids = selected[:DELETED_AT_MOST]
    rows = Stream.objects.filter(pk__in=ids, ended_at__isnull=False)
    ended: Any = list(rows.only("id", "block_type"))
    running = len(ids) - len(ended)
    if request.POST.get("post"):
        with transaction.atomic():
            model_admin.log_deletions(request, ended)
            rows.filter(pk__in=[row.pk for row in ended]).delete()
        logger.info("User %s deleted %d streams.", request.user.pk, len(ended))
        if ended:
            named = "1 stream" if len(ended) == 1 else f"{len(ended)} streams"
            messages.success(request, f"Successfully deleted {named}.")
        if running:
            text = f"{streams_were(running)} not deleted: cancel running streams first."
            messages.warning(request, text)
        return None
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": Stream._meta,
        "title": "Delete streams",
        "ids": [row.pk for row in ended],
        "running": running,
        "at_most": DELETED_AT_MOST if len(selected) > DELETED_AT_MOST else None,
        "checkbox": ACTION_CHECKBOX_NAME,
    }
    return TemplateResponse(request, "streaming/delete_streams.html", context)
