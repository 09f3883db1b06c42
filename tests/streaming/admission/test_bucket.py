from __future__ import annotations

from streaming.admission.bucket import Buckets, TokenBucket


def test_a_burst_fits_and_then_what_the_rate_gives() -> None:
    bucket = TokenBucket(2, 4, now=0.0)
    assert [bucket.take(1, now=0.0) for _ in range(5)] == [True] * 4 + [False]
    assert [bucket.take(1, now=1.0) for _ in range(3)] == [True, True, False]


def test_it_never_holds_more_than_a_burst() -> None:
    bucket = TokenBucket(2, 4, now=0.0)
    assert [bucket.take(1, now=1000.0) for _ in range(5)] == [True] * 4 + [False]


def test_a_cost_above_the_burst_is_paid_off_before_the_next() -> None:
    bucket = TokenBucket(10, 20, now=0.0)
    assert bucket.take(120, now=0.0)
    assert not bucket.take(1, now=9.9)
    assert 0.05 < bucket.wait_seconds() < 0.2
    assert bucket.take(1, now=10.5)


def test_a_rate_of_0_bounds_nothing() -> None:
    bucket = TokenBucket(0, 0, now=0.0)
    assert all(bucket.take(1000, now=0.0) for _ in range(10))
    assert bucket.wait_seconds() == 0


def test_a_clock_that_steps_back_gives_nothing() -> None:
    bucket = TokenBucket(1, 1, now=100.0)
    assert bucket.take(1, now=100.0)
    assert not bucket.take(1, now=50.0)


def test_keys_have_buckets_of_their_own_and_full_ones_are_forgotten() -> None:
    buckets = Buckets(1, 2)
    assert buckets.of("a", now=0.0).take(2, now=0.0)
    assert not buckets.of("a", now=0.0).take(1, now=0.0)
    assert buckets.of("b", now=0.0).take(1, now=0.0)
    buckets.sweep(now=1.5)
    assert len(buckets) == 1  # the bucket `b` is full again
    buckets.sweep(now=2.5)
    assert len(buckets) == 0
