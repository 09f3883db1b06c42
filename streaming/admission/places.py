"""The places that running streams hold, counted in their rows. Synchronous ORM.

The rows are what all processes share and what a crash leaves behind: a stream holds its place until
its row has its end, whichever process brings it there.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.db import connection
from django.utils.crypto import salted_hmac

from ..access.visitor import Visitor
from ..errors import Refused
from ..limits import PlaceLimits, Whose, too_many_running
from ..models import Stream

KEY_LENGTH = 32


@dataclass(frozen=True, slots=True)
class PlaceKeys:
    """Under which keys a stream is counted; empty: not at all."""

    owner: str = ""
    address: str = ""

    @classmethod
    def of(cls, visitor: Visitor) -> PlaceKeys:
        address = None if visitor.address is None else f"address:{visitor.address}"
        return cls(key_of(visitor.counts_as), key_of(address))


@dataclass(frozen=True, slots=True)
class Full:
    """No place is left under a key."""

    running: list[str]  # ids of the streams that hold them
    whose: Whose

    def refusal(self) -> Refused:
        return too_many_running(len(self.running), self.whose)


NOT_COUNTED = PlaceKeys()


def key_of(name: str | None) -> str:
    """A keyed hash: it can be compared, and an address can't be read from it or found by trying all
    of them without the site's secret."""
    if name is None:
        return ""
    return salted_hmac("liveai.places", name, algorithm="sha256").hexdigest()[:KEY_LENGTH]


def find_full(limits: PlaceLimits, keys: PlaceKeys, *, without: Collection[str]) -> Full | None:
    """The first key that has no place left.

    Args:
        without: ids of streams that do not count, e.g. since they have ended and their rows do not
            know it yet.
    """
    if limits.per_owner and keys.owner:
        running = _running(without, owner_key=keys.owner)
        if len(running) >= limits.per_owner:
            # Without a session the address stands for the owner.
            return Full(running, "address" if keys.owner == keys.address else "owner")
    if limits.per_address and keys.address:
        running = _running(without, address_key=keys.address)
        if len(running) >= limits.per_address:
            return Full(running, "address")
    return None


def lock(limits: PlaceLimits, keys: PlaceKeys) -> None:
    """Make other starts under the same keys wait until this transaction ends: of two that count at
    the same time, each would miss the other's row. SQLite has one writer at a time anyway."""
    if connection.vendor != "postgresql":
        return
    limited = {
        key
        for key, limit in ((keys.owner, limits.per_owner), (keys.address, limits.per_address))
        if key and limit
    }
    with connection.cursor() as cursor:
        for key in sorted(limited):  # in one order, so that no two wait for each other
            number = int.from_bytes(bytes.fromhex(key[:16]), signed=True)
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])


def _running(without: Collection[str], **key: str) -> list[str]:
    rows = Stream.objects.filter(ended_at__isnull=True, **key).order_by()
    ids = rows.values_list("id", flat=True)
    return [stream_id for stream_id in ids if stream_id not in without]
