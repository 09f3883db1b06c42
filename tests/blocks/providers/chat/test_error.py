import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blocks.providers.chat.error import (
    MAX_MESSAGE_CHARACTERS,
    UpstreamError,
    decode_error,
    error_in,
)


@pytest.mark.parametrize(
    ("body", "status", "code", "param"),
    [
        (b'{"error": {"code": 502, "message": "x"}}', 502, "502", ""),
        (b'{"error": {"code": "502", "message": "x"}}', 502, "502", ""),
        (b'{"error": {"code": "rate_limit_exceeded"}}', 429, "rate_limit_exceeded", ""),
        (b'{"error": {"code": 400, "type": "exceed_x"}}', 400, "exceed_x", ""),
        (b'{"error": {"type": "t", "param": "temperature"}}', None, "t", "temperature"),
        (b'{"error": {"error": {"code": 401, "message": "no"}}}', 401, "401", ""),
        (b'{"error": [{"code": 401}]}', 401, "401", ""),
        (b'[{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED"}}]', 429, "429", ""),
        (
            b'{"detail": [{"type": "x", "loc": ["body", "stream_options"]}]}',
            None,
            "x",
            "stream_options",
        ),
        (b'{"object": "error", "message": "no", "code": 404}', 404, "404", ""),
        (b'{"error": "words"}', None, "", ""),
        (b"<html>", None, "", ""),
        (b"\xff", None, "", ""),
        (b"[" * 100_000, None, "", ""),
    ],
)
def test_an_error_is_read_as_far_as_it_tells(body, status, code, param):
    error = decode_error(body)
    assert (error.status, error.code, error.param) == (status, code, param)


SAYING = {
    "an object": {"error": {"message": "Rate limit reached", "type": "rate_limit_error"}},
    "a text": {"error": "Rate limit reached"},
    "a list": {"error": [{"message": "Rate limit reached"}]},
    "nested": {"error": {"error": {"message": "Rate limit reached"}}},
    "nested thrice": {"error": {"error": {"error": {"message": "Rate limit reached"}}}},
    "a detail": {"detail": "Rate limit reached"},
    "a detail object": {"detail": {"message": "Rate limit reached"}},
    "FastAPI's list": {"detail": [{"loc": ["body"], "msg": "Rate limit reached"}]},
    "vLLM": {"object": "error", "message": "Rate limit reached", "code": 429},
    "Mistral": {"object": "error", "message": {"detail": [{"msg": "Rate limit reached"}]}},
    "Anthropic": {"type": "error", "error": {"type": "x", "message": "Rate limit reached"}},
    "Cloudflare": {"success": False, "errors": [{"code": 1, "message": "Rate limit reached"}]},
    "DashScope": {"code": "Throttling", "message": "Rate limit reached", "request_id": "r"},
    "MiniMax": {"choices": None, "base_resp": {"status_code": 1002, "status_msg": "rate limit"}},
    "a code of its own": {"code": 50505, "message": "Rate limit reached", "data": None},
    "a member error_msg": {"error_code": 18, "error_msg": "Rate limit reached"},
    "a member errmsg": {"errcode": 1, "errmsg": "Rate limit reached"},
    "a member Error": {"Error": "Rate limit reached"},
    "FastChat": {"text": "Rate limit reached", "error_code": 50001},
    "no success": {"success": False, "message": "Rate limit reached"},
    "a state of error": {"status": "Error", "message": "Rate limit reached"},
    "a return code": {"ret": -1, "msg": "Rate limit reached"},
    "AWS": {"throttlingException": {"message": "Rate limit reached"}},
    "a fault": {"fault": {"faultstring": "Rate limit reached"}},
    "a message alone": {"message": "Rate limit reached"},
    "a status": {"status": 429, "message": "slow down"},
    "beside choices": {"choices": [{"delta": {}}], "error": {"message": "Rate limit reached"}},
}


@pytest.mark.parametrize("form", SAYING)
def test_an_error_is_found_in_any_of_its_forms(form):
    error = error_in(SAYING[form])
    assert error is not None
    assert error.status == 429
    assert "slow down" in error.words or "rate limit" in error.words


@pytest.mark.parametrize(
    "nothing",
    [
        *("", " ", "null", "None", "0", "OK", "no error", False, None, 0, 200, {}, [], [None]),
        {"code": 0, "message": ""},
        {"code": 0, "message": "success"},
        {"code": 200, "message": "OK"},
    ],
)
@pytest.mark.parametrize("more", [{}, {"choices": [{"delta": {"content": "a"}}]}])
def test_an_error_that_says_nothing_is_none(nothing, more):
    assert error_in({"error": nothing, **more}) is None


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"type": "ping"},
        {"object": "chat.completion.chunk", "choices": [], "usage": {}},
        {"choices": [{"delta": {}}], "message": "hello", "code": 500},
        {"message": "processing"},
        {"code": "200", "message": "success", "choices": None},
        {"code": 0, "msg": "ok"},
        {"code": 1, "msg": "ok"},
        {"success": True, "message": "started", "errors": []},
        {"status": "ok", "message": "started"},
        {"error_code": 0, "error_msg": "", "detail": None},
        {"type": "message_start", "message": {"id": "error"}},
        {"base_resp": {"status_code": 0, "status_msg": ""}},
    ],
)
def test_what_is_no_error_is_none(value):
    assert error_in(value) is None


def test_what_a_service_echoes_of_a_request_is_not_in_its_message():
    body = {"detail": [{"msg": "bad", "input": "my prompt"}], "failed_generation": "text"}
    error = error_in(body)
    assert error is not None
    assert error.message == "bad"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["error", "message", "code", "type", "detail", "loc", "param", "errors"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_any_json_is_an_error_or_none_and_bounded(value):
    error = decode_error(json.dumps(value).encode())
    assert isinstance(error, UpstreamError)
    assert len(error.message) <= MAX_MESSAGE_CHARACTERS
    if isinstance(value, dict):
        assert error_in(value) is None or isinstance(error_in(value), UpstreamError)
