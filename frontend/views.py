"""The pages."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from blocks.catalog import list_blocks


def home(request: HttpRequest) -> HttpResponse:
    """What there is, and how to ask it."""
    base = request.build_absolute_uri("/").rstrip("/")
    return render(request, "frontend/home.html", {"blocks": list_blocks(), "base": base})
