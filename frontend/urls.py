"""The pages' addresses. All but the licences are the same page: what it shows is told apart in the
browser (frontend/src/pages), which also says when there is no such block or stream."""

from django.urls import path

from . import views

urlpatterns = [
    path("", views.page, name="home"),
    path("blocks/<str:slug>", views.page, name="block"),
    path("history", views.page, name="history"),
    path("licenses", views.licenses, name="licenses"),
    path("streams/<str:stream_id>", views.page, name="stream"),
]
