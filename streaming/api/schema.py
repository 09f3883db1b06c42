"""The OpenAPI description at `/api/schema`: generated once a process, and rendered once a format.

drf-spectacular generates it anew for each request: tens of milliseconds of a request thread, and
not safe on several threads at once. It is the same for all visitors, and changes with the code.
"""

from __future__ import annotations

import functools
import threading
from typing import Any

from django.http import HttpResponse
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

_generating = threading.Lock()


class SchemaView(SpectacularAPIView):
    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        renderer: BaseRenderer = request.accepted_renderer
        with _generating:
            body = _rendered(type(renderer))
        charset = f"; charset={renderer.charset}" if renderer.charset else ""
        name = self._get_filename(request, version=None)
        return HttpResponse(
            body,
            content_type=renderer.media_type + charset,
            headers={"Content-Disposition": f'inline; filename="{name}"'},
        )


@functools.cache
def _description() -> dict[str, Any]:
    description: dict[str, Any] = SchemaGenerator().get_schema(public=True)
    return description


@functools.cache
def _rendered(renderer: type[BaseRenderer]) -> bytes:
    body: bytes = renderer().render(_description(), renderer.media_type, {})
    return body
