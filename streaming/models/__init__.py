"""Stored data. Each model is in the file of its subject; import it from here."""

from .limits import RETENTION_DAYS_AT_MOST, Limit, TokenUse
from .reads import ListRead, TranscriptRead
from .streams import STATUSES, CancelIntent, ServerProcess, Stream
from .switches import StreamingSettings

__all__ = [
    "RETENTION_DAYS_AT_MOST",
    "STATUSES",
    "CancelIntent",
    "Limit",
    "ListRead",
    "ServerProcess",
    "Stream",
    "StreamingSettings",
    "TokenUse",
    "TranscriptRead",
]
