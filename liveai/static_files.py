"""Static files by WhiteNoise, each answered whole."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from whitenoise.middleware import WhiteNoiseMiddleware


class WholeFiles(WhiteNoiseMiddleware):
    """Reads a file in the request's thread.

    WhiteNoise's own answer is a synchronous stream; under ASGI Django reads such a one whole
    anyway, on another thread, and prints a warning for it.
    """

    @staticmethod
    def serve(static_file: Any, request: HttpRequest) -> HttpResponse:
        try:
            found = static_file.get_response(request.method, request.META)
        except FileNotFoundError:  # it was there at the start, and a new build has replaced it
            return HttpResponse(status=404)
        content = b""
        if found.file is not None:
            with found.file as file:
                content = file.read()
        response = HttpResponse(content, status=int(found.status))
        del response["Content-Type"]
        for name, value in found.headers:
            response[name] = value
        return response
