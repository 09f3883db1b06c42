"""Addresses of the list of streams, filtered to what a figure counts."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlencode

from django.urls import reverse

from .words import FILTERED_BY_CODE


def streams_url(
    since: datetime,
    until: datetime,
    *,
    status: str = "",
    code: str = "",
    block_type: str = "",
    owner: str = "",
) -> str:
    """Return the list of the streams that began in a period, and of those only these."""
    filters = {
        "status": status,
        "code": code if status in FILTERED_BY_CODE else "",
        "block_type": block_type,
        "owner": owner,
        "created_at__gte": since.isoformat(),
        "created_at__lt": until.isoformat(),
    }
    query = urlencode({name: value for name, value in filters.items() if value})
    return f"{reverse('admin:streaming_stream_changelist')}?{query}"
