"""Every exception of a call becomes a problem document that the schema allows."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.exceptions import BadRequest, PermissionDenied, TooManyFieldsSent
from django.db import InterfaceError, OperationalError
from django.http import Http404
from django.test import RequestFactory
from rest_framework import exceptions as drf

from blocks import errors as blocks
from streaming.errors import Refused
from streaming.http import problems
from streaming.protocol.codes import REFUSALS
from streaming.protocol.cursor import InvalidCursor
from tests.support.schema import validate_problem

CASES: list[tuple[Exception, str]] = [
    (Refused("still_running"), "still_running"),
    (blocks.InvalidInput("words", "Too many."), "invalid_input"),
    (blocks.PromptTooLong(5), "prompt_too_long"),
    (blocks.UnknownBlock(), "unknown_block"),
    (blocks.ProviderTimeout(), "internal"),  # a stream's error, not a call's
    (InvalidCursor("No."), "invalid_cursor"),
    (drf.ParseError("No JSON."), "malformed"),
    (BadRequest("a boundary"), "malformed"),
    (TooManyFieldsSent("too many"), "malformed"),
    (drf.UnsupportedMediaType("text/plain"), "unsupported_media_type"),
    (drf.MethodNotAllowed("PUT"), "method_not_allowed"),
    (drf.NotAuthenticated(), "not_authenticated"),
    (drf.AuthenticationFailed(), "not_authenticated"),
    (drf.PermissionDenied(), "forbidden"),
    (PermissionDenied("secret"), "forbidden"),
    (drf.NotFound(), "not_found"),
    (Http404("secret"), "not_found"),
    (OperationalError("secret"), "store_unavailable"),
    (InterfaceError("secret"), "store_unavailable"),
    (ValueError("secret"), "internal"),
    (KeyError("secret"), "internal"),
    (RecursionError("secret"), "internal"),
]


@pytest.mark.parametrize(("error", "code"), CASES, ids=lambda value: type(value).__name__)
def test_an_exception_becomes_its_problem(error: Exception, code: str) -> None:
    response = problems.exception_handler(error, {})
    assert response["Content-Type"] == "application/problem+json"
    assert response["Cache-Control"] == "no-store"
    assert response.status_code == REFUSALS[code].status
    document = json.loads(response.content)
    validate_problem(document)
    assert document["code"] == code
    assert "secret" not in response.content.decode()


@pytest.mark.parametrize("code", REFUSALS)
def test_every_code_has_a_problem_that_the_schema_allows(code: str) -> None:
    document = json.loads(problems.problem(Refused(code)).content)
    validate_problem(document)
    assert document["detail"]


def test_only_what_nobody_foresaw_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    for error, _ in CASES:
        problems.exception_handler(error, {})
    logged = [record for record in caplog.records if record.name == problems.__name__]
    unforeseen = [error for error, code in CASES if code == "internal"]
    assert [record.exc_info[1] for record in logged if record.exc_info] == unforeseen


def test_the_field_and_other_members_stand_in_the_document() -> None:
    error = blocks.InvalidInput("words", "Too many.")
    document = json.loads(problems.exception_handler(error, {}).content)
    assert (document["field"], document["detail"]) == ("words", "Too many.")
    refused = Refused("transport_not_selected", selected="websocket")
    assert json.loads(problems.problem(refused).content)["selected"] == "websocket"


@pytest.mark.parametrize(("seconds", "header"), [(0, "1"), (0.2, "1"), (2, "2"), (2.1, "3")])
def test_a_time_to_retry_is_whole_seconds_and_at_least_one(seconds: float, header: str) -> None:
    response = problems.problem(Refused("over_capacity", retry_after_seconds=seconds))
    assert response["Retry-After"] == header


def test_a_401_says_how_to_sign_in_and_nothing_else_does() -> None:
    assert "WWW-Authenticate" in problems.problem(Refused("not_authenticated"))
    assert "WWW-Authenticate" not in problems.problem(Refused("forbidden"))
    assert "Retry-After" not in problems.problem(Refused("forbidden"))


@pytest.mark.parametrize(
    ("handler", "code"),
    [
        (lambda request: problems.bad_request(request, ValueError("secret")), "malformed"),
        (lambda request: problems.permission_denied(request, ValueError("secret")), "forbidden"),
        (lambda request: problems.page_not_found(request, Http404("secret")), "not_found"),
        (problems.server_error, "internal"),
    ],
    ids=["400", "403", "404", "500"],
)
def test_djangos_own_answers_are_problems_under_api_and_pages_elsewhere(
    handler: Any, code: str
) -> None:
    for path in ("/api", "/api/", "/api/streams/x"):
        response = handler(RequestFactory().get(path))
        assert response["Content-Type"] == "application/problem+json"
        document = json.loads(response.content)
        validate_problem(document)
        assert (document["code"], document["status"]) == (code, response.status_code)
        assert b"secret" not in response.content
    for path in ("/", "/apis", "/page/api/"):
        page = handler(RequestFactory().get(path))
        assert page["Content-Type"].startswith("text/html")
        assert page.status_code == REFUSALS[code].status
