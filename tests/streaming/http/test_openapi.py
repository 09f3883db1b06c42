"""The API's description matches the served API."""

from __future__ import annotations

from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema


@pytest.fixture(scope="module")
def description() -> dict[str, Any]:
    schema: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return schema


def test_it_is_valid_openapi_made_without_a_warning(
    capsys: pytest.CaptureFixture[str],
) -> None:
    validate_schema(SchemaGenerator().get_schema(request=None, public=True))
    assert capsys.readouterr().err == ""


def test_it_names_every_call_and_method(description: dict[str, Any]) -> None:
    calls = {
        (method.upper(), path)
        for path, methods in description["paths"].items()
        for method in methods
    }
    assert {call for call in calls if "/schema" not in call[1]} == {
        ("GET", "/api/config"),
        ("GET", "/api/blocks"),
        ("GET", "/api/stream/ai-block/{block_type}"),
        ("POST", "/api/stream/ai-block/{block_type}"),
        ("GET", "/api/streams"),
        ("POST", "/api/streams/cancel"),
        ("GET", "/api/streams/{stream_id}"),
        ("DELETE", "/api/streams/{stream_id}"),
        ("GET", "/api/streams/{stream_id}/events"),
        ("POST", "/api/streams/{stream_id}/cancel"),
    }


def test_every_call_has_a_name_and_an_answer_of_its_own(description: dict[str, Any]) -> None:
    operations = [one for methods in description["paths"].values() for one in methods.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(set(names)) == len(names)
    assert all(operation["responses"] for operation in operations)


def test_the_session_is_how_one_signs_in(description: dict[str, Any]) -> None:
    scheme = description["components"]["securitySchemes"]["session"]
    assert (scheme["in"], scheme["name"]) == ("cookie", "sessionid")
