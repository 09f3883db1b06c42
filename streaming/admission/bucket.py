"""Token buckets: so much a second on average, with a burst. Pure: time is an argument."""

from __future__ import annotations


class TokenBucket:
    """Bounds a rate. A cost above what is left is paid as a debt, so one large item always fits a
    full bucket.

    Args:
        rate: tokens a second; 0 or less: no bound.
        burst: tokens that a bucket holds when full.
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
        """Pay a cost. False: the bucket is empty, and nothing is paid."""
        if not self.is_bound:
            return True
        self._fill(now)
        if self._level <= 0:
            return False
        self._level -= cost
        return True

    def wait_seconds(self) -> float:
        """How long until an empty bucket gives again; 0 for another one."""
        return max(0.0, -self._level / self._rate) if self.is_bound else 0.0

    def is_full(self, *, now: float) -> bool:
        self._fill(now)
        return self._level >= self._burst

    def _fill(self, now: float) -> None:
        gained = max(0.0, now - self._seen_at) * self._rate
        self._level = min(self._burst, self._level + gained)
        self._seen_at = now


class Buckets:
    """A bucket for each key, kept while it is not full."""

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
        """Forget the full ones: a new one is as good."""
        for key in [key for key, bucket in self._buckets.items() if bucket.is_full(now=now)]:
            del self._buckets[key]

    def __len__(self) -> int:
        return len(self._buckets)
