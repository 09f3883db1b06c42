"""The OpenAPI description at `/api/schema`: generated and rendered once per process and format.

drf-spectacular would generate it for each request, which takes tens of milliseconds of a request
thread and is not thread-safe. It is the same for all visitors, and changes only with the code.
"""

from __future__ import annotations

import threading
from typing import Any

from django.http import HttpResponse
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

_lock = threading.Lock()
_bodies: dict[str, bytes] = {}  # by media type


class SchemaView(SpectacularAPIView):
    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        renderer: BaseRenderer = request.accepted_renderer
        charset = f"; charset={renderer.charset}" if renderer.charset else ""
        name = self._get_filename(request, version=None)
        return HttpResponse(
            _body_of(renderer),
            content_type=renderer.media_type + charset,
            headers={"Content-Disposition": f'inline; filename="{name}"'},
        )


def _body_of(renderer: BaseRenderer) -> bytes:
    kind = renderer.media_type
    with _lock:
        if kind not in _bodies:
            _bodies[kind] = renderer.render(SchemaGenerator().get_schema(public=True), kind, {})
        return _bodies[kind]
