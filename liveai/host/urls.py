"""The calls of the API, for a host's `include`.

`path("", include("liveai.host.urls"))` serves them at `/api/...`, as the contract says; a prefix
goes before that. There is no catch-all: any other address is the host's, also below `/api/`.
"""

from django.urls import include, path

from streaming.urls import calls

app_name = "liveai"
urlpatterns = [path("api/", include(calls))]
