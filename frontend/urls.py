"""The addresses of the pages. All except the licences serve the same document.

The browser (frontend/src/pages) decides what to show, and reports unknown blocks and streams.
"""

from django.urls import path

from . import views

urlpatterns = [
    path("", views.page, name="home"),
    path("blocks/<str:slug>", views.page, name="block"),
    path("history", views.page, name="history"),
    path("licenses", views.licenses, name="licenses"),
    path("streams/<str:stream_id>", views.page, name="stream"),
]
