"""Token buckets: an average rate with bursts. Pure: time is an argument."""

from __future__ import annotations


class TokenBucket:
    """Limits a rate. A cost above the remaining level becomes a debt.

    A full bucket therefore accepts any cost.

    Args:
        rate: tokens per second; 0 or less: no bound.
        burst: tokens in a full bucket.
        now: seconds, monotonic.
    """

    __slots__ = ("_burst", "_level", "_rate", "_seen_at")

    def __init__(self, rate: float, burst: float, *, now: float) -> None:
        self._rate = rate
        self._burst = self._level = burst
        self._seen_at = now

    @property
    def is_bound(self) -> bool:
        return self._rate > 0

    def take(self, cost: float, *, now: float) -> bool:
        """Deduct a cost. False: the bucket is empty, and nothing is deducted."""
        if not self.is_bound:
            return True
        self._fill(now)
        if self._level <= 0:
            return False
        self._level -= cost
        return True

    def reserve(self, cost: float, *, now: float) -> float:
        """Deduct a cost in any case, and return the seconds until the bucket has covered it."""
        if not self.is_bound:
            return 0.0
        self._fill(now)
        self._level -= cost
        return self.wait_seconds()

    def wait_seconds(self) -> float:
        """Return the seconds until an empty bucket has tokens again; 0 for a non-empty bucket."""
        return max(0.0, -self._level / self._rate) if self.is_bound else 0.0

    def is_full(self, *, now: float) -> bool:
        self._fill(now)
        return self._level >= self._burst

    def _fill(self, now: float) -> None:
        gained = max(0.0, now - self._seen_at) * self._rate
        self._level = min(self._burst, self._level + gained)
        self._seen_at = now


class Buckets:
    """One bucket per key; `sweep` drops full buckets."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._buckets: dict[str, TokenBucket] = {}

    def of(self, key: str, *, now: float) -> TokenBucket:
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = TokenBucket(self._rate, self._burst, now=now)
        return bucket

    def sweep(self, *, now: float) -> None:
        """Drop full buckets, which are equivalent to new ones."""
        for key in [key for key, bucket in self._buckets.items() if bucket.is_full(now=now)]:
            del self._buckets[key]

    def __len__(self) -> int:
        return len(self._buckets)
