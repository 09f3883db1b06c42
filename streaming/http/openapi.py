"""Extensions of drf-spectacular for the OpenAPI description.

Source: specs/050-live-ai-interaction/contracts/stream-schema.yaml, whose definitions become the
description's component schemas.
"""

from __future__ import annotations

from typing import Any

import yaml
from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema

from streaming.http.contract_file import CONTRACT_FILE


class VisitorScheme(OpenApiAuthenticationExtension):
    target_class = "streaming.http.authentication.VisitorAuthentication"
    name = ["session", "token"]

    def get_security_definition(self, auto_schema: AutoSchema) -> list[dict[str, Any]]:
        session = {
            "type": "apiKey",
            "in": "cookie",
            "name": settings.SESSION_COOKIE_NAME,
            "description": "Django's session. Writes with it carry `X-CSRFToken` too.",
        }
        token = {
            "type": "http",
            "scheme": "bearer",
            "description": "An API token, made on the account page, or a signed token (JWT) of a"
            " site that this one trusts. With the scope `read`, calls that start, stop or delete an"
            " answer are `forbidden`.",
        }
        return [session, token]

    def get_security_requirement(self, auto_schema: AutoSchema) -> list[dict[str, list[str]]]:
        """Describe both as optional: anonymous visitors need none."""
        return [{"session": []}, {"token": []}, {}]


def require_bodies(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Mark the request bodies as required. A postprocessing hook.

    drf-spectacular describes a body whose schema it did not generate as optional.
    """
    for methods in result["paths"].values():
        for operation in methods.values():
            if "requestBody" in operation:
                operation["requestBody"]["required"] = True
    return result


def add_contract_shapes(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add the contract's definitions as component schemas. A postprocessing hook.

    OpenAPI 3.1 schemas are JSON Schema 2020-12, so only the references change.

    Raises:
        OSError: the contract is not deployed.
    """
    contract = yaml.safe_load(CONTRACT_FILE.read_text(encoding="utf-8"))
    schemas = result.setdefault("components", {}).setdefault("schemas", {})
    schemas.update(_with_component_refs(contract["$defs"]))
    return result


def _with_component_refs(value: Any) -> Any:
    match value:
        case {"$ref": str(target), **others}:
            name = target.removeprefix("#/$defs/")
            return {"$ref": f"#/components/schemas/{name}", **_with_component_refs(others)}
        case dict():
            return {name: _with_component_refs(member) for name, member in value.items()}
        case list():
            return [_with_component_refs(member) for member in value]
        case _:
            return value
