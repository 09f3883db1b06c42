import pytest

from blocks import errors
from blocks.providers.chat.error import UpstreamError
from blocks.providers.chat.failure import failure_of, retry_after_seconds, retry_delay_seconds

NOTHING = UpstreamError(None, "", "", "")


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, errors.ProviderRejected),
        (401, errors.ProviderRejected),
        (402, errors.ProviderRejected),
        (403, errors.ProviderRejected),
        (404, errors.ProviderRejected),
        (301, errors.ProviderRejected),
        (408, errors.ProviderTimeout),
        (429, errors.ProviderRateLimited),
        (500, errors.ProviderUnavailable),
        (503, errors.ProviderUnavailable),
        (529, errors.ProviderUnavailable),
    ],
)
def test_each_status_has_its_error(status, error):
    assert type(failure_of(status, NOTHING)) is error


@pytest.mark.parametrize("code", ["context_length_exceeded", "exceed_context_size_error"])
def test_a_prompt_that_is_too_long_is_called_so(code):
    failure = failure_of(400, UpstreamError(400, code, "", "secret words"))
    assert "too long" in failure.message
    assert not failure.retryable


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "250", "retry-after": "7"}, 0.25),
        ({"retry-after": "Sun, 06 Nov 1994 08:49:37 GMT"}, 37),
        ({"retry-after": "Sun, 06 Nov 1994 08:00:00 GMT"}, 0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after-ms": "x"}, None),
    ],
)
def test_the_wait_that_is_asked_for_is_read(headers, seconds):
    assert retry_after_seconds(headers, now=784111740) == seconds


def test_delays_grow_with_the_attempts_and_are_spread():
    assert [retry_delay_seconds(n, None, jitter=1) for n in range(6)] == [0.5, 1, 2, 4, 8, 8]
    assert retry_delay_seconds(0, None, jitter=0) == 0.25


def test_what_is_asked_for_is_never_undercut_and_too_long_a_wait_is_none():
    assert retry_delay_seconds(0, 7, jitter=0) == 7
    assert retry_delay_seconds(0, 20, jitter=1) == 20.25
    assert retry_delay_seconds(0, 21, jitter=0) is None
