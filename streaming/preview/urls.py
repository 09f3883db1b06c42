"""Addresses of the previews, within the admin's."""

from django.contrib import admin
from django.urls import path

from . import views

wrap = admin.site.admin_view

urlpatterns = [
    path("preview/", wrap(views.preview), name="block-preview"),
    path("model-test/", wrap(views.test_model), name="block-model-test"),
]
