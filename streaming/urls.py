from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularSwaggerSplitView

from . import views
from .http.schema import SchemaView
from .own_data.views import ExportView, StreamsView

calls = [
    path("config", views.ConfigView.as_view(), name="api-config"),
    path("blocks", views.BlocksView.as_view(), name="api-blocks"),
    path("stream/ai-block/<str:block_type>", views.StartView.as_view(), name="api-start"),
    path("streams", StreamsView.as_view(), name="api-streams"),
    path("streams/cancel", views.CancelRequestView.as_view(), name="api-cancel-request"),
    path("streams/<str:stream_id>", views.StreamView.as_view(), name="api-stream"),
    path("streams/<str:stream_id>/events", views.EventsView.as_view(), name="api-events"),
    path("streams/<str:stream_id>/cancel", views.CancelView.as_view(), name="api-cancel"),
    path("export", ExportView.as_view(), name="api-export"),
    path("dialects/", include("streaming.dialects.urls")),
]
"""The calls of the contract. A host includes these alone (liveai/host/urls.py)."""

urlpatterns = [
    *calls,
    path("schema", SchemaView.as_view(), name="api-schema"),
    path("docs", SpectacularSwaggerSplitView.as_view(url_name="api-schema"), name="api-docs"),
    re_path("", views.UnknownView.as_view()),  # any other address, line breaks included
]
