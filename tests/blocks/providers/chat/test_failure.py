import pytest

from blocks import errors
from blocks.providers.chat.error import UpstreamError
from blocks.providers.chat.failure import failure_of, retry_after_seconds, retry_delay_seconds

NOTHING = UpstreamError(None, "", "", "")


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, errors.RequestRejected),
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


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (400, "content_filter", ""),
        (400, "content_policy_violation", ""),
        (400, "", "Content Exists Risk"),
        (403, "", "Your chosen model requires moderation and your input was flagged"),
        (None, "data_inspection_failed", ""),
        (422, "1026", "input new_sensitive"),
    ],
)
def test_a_content_filter_is_a_refusal_with_a_sentence_of_ours(status, code, words):
    failure = failure_of(status, UpstreamError(status, code, "", words))
    assert type(failure) is errors.Refused
    assert failure.message == "The service's content filter stopped this answer."


@pytest.mark.parametrize("words", ["model names are case-sensitive", "no", "Loading model"])
def test_other_words_are_no_content_filter(words):
    assert type(failure_of(400, UpstreamError(400, "", "", words))) is errors.RequestRejected


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (401, "", "The model's service refuses access."),
        (402, "", "The model's service has no credit left."),
        (429, "insufficient_quota", "The model's service has no credit left."),
        (404, "", "The model's service does not know this model."),
    ],
)
def test_what_a_visitor_reads_is_right_and_names_no_setting(status, code, message):
    failure = failure_of(status, UpstreamError(status, code, "", "sk-secret"))
    assert failure.message == message
    assert not failure.retryable
    assert "AI_" not in failure.message
    assert "sk-secret" not in failure.detail


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "", errors.RequestRejected),
        (400, "context_length_exceeded", errors.RequestRejected),
        (413, "", errors.RequestRejected),
        (422, "", errors.RequestRejected),
        (400, "billing_not_active", errors.ProviderRejected),
        (401, "", errors.ProviderRejected),
        (402, "", errors.ProviderRejected),
        (403, "", errors.ProviderRejected),
        (404, "", errors.ProviderRejected),
        (410, "", errors.ProviderRejected),
        (429, "insufficient_quota", errors.ProviderRejected),
    ],
)
def test_what_is_about_one_request_is_told_from_what_is_about_the_model(status, code, kind):
    failure = failure_of(status, UpstreamError(status, code, "", ""))
    assert type(failure) is kind
    assert (failure.code, failure.retryable) == ("provider_rejected", False)


def test_a_quota_that_is_used_up_for_a_minute_passes():
    words = "You exceeded your current quota, please check your plan and billing details."
    error = UpstreamError(429, "RESOURCE_EXHAUSTED", "", words)
    assert type(failure_of(429, error)) is errors.ProviderRateLimited
