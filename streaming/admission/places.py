"""The places that running streams hold, counted in their rows. Synchronous ORM.

All processes share the rows, and the rows survive a crash. A stream holds its place until any
process saves its end to its row.
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
    """The keys under which a stream counts; an empty key does not count."""

    owner: str = ""
    address: str = ""

    @classmethod
    def of(cls, visitor: Visitor) -> PlaceKeys:
        address = None if visitor.address is None else f"address:{visitor.address}"
        return cls(key_of(visitor.counts_as), key_of(address))


@dataclass(frozen=True, slots=True)
class Full:
    """All places under a key are taken."""

    running: list[str]  # ids of the streams that hold the places
    whose: Whose

    def refusal(self) -> Refused:
        return too_many_running(len(self.running), self.whose)


NOT_COUNTED = PlaceKeys()


def key_of(name: str | None) -> str:
    """Return a keyed hash of a name.

    Hashes can be compared. Without the site's secret, nobody can recover an address from its hash,
    not even by trying all addresses.
    """
    if name is None:
        return ""
    return salted_hmac("liveai.places", name, algorithm="sha256").hexdigest()[:KEY_LENGTH]


def counted(limits: PlaceLimits, keys: PlaceKeys) -> list[tuple[Whose, str, int]]:
    """Return the limits that apply to a start, each with its key; most have none or one."""
    applying: list[tuple[Whose, str, int]] = [
        ("owner", keys.owner, limits.per_owner),
        ("address", keys.address, limits.per_address),
    ]
    return [(whose, key, limit) for whose, key, limit in applying if key and limit]


def find_full(limits: PlaceLimits, keys: PlaceKeys, *, without: Collection[str]) -> Full | None:
    """Return the first limit that is reached; None if both keys have a free place.

    Args:
        without: ids of streams that do not count, for example because they have ended and their
            rows do not show it yet.
    """
    for whose, key, limit in counted(limits, keys):
        if _count(whose, key) < limit:
            continue
        running = _running(without, **{f"{whose}_key": key})
        if len(running) >= limit:
            # Without a session, the address serves as the owner.
            return Full(running, "address" if key == keys.address else whose)
    return None


def lock(limits: PlaceLimits, keys: PlaceKeys) -> None:
    """Serialise starts under the same keys until this transaction ends.

    Two concurrent counts would each miss the other's row. SQLite has a single writer anyway.
    """
    if connection.vendor != "postgresql":
        return
    limited = {key for _, key, _ in counted(limits, keys)}
    with connection.cursor() as cursor:
        for key in sorted(limited):  # a fixed order prevents deadlocks
            number = int.from_bytes(bytes.fromhex(key[:16]), signed=True)
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])


def _count(whose: Whose, key: str) -> int:
    """Count without reading ids, and in plain SQL: nearly every start finds a free place."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS[whose], [key])
        count: int = cursor.fetchone()[0]
        return count


_COUNTS = {
    whose: f"SELECT COUNT(*) FROM {Stream._meta.db_table}"
    f" WHERE {whose}_key = %s AND ended_at IS NULL"
    for whose in ("owner", "address")
}


def _running(without: Collection[str], **key: str) -> list[str]:
    rows = Stream.objects.filter(ended_at__isnull=True, **key).order_by()
    ids = rows.values_list("id", flat=True)
    return [stream_id for stream_id in ids if stream_id not in without]
