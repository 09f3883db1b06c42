"""The calls of the API and of OpenAI's clients, for a host's `include`.

`path("", include("liveai.host.urls"))` serves them at `/api/...` and `/v1/...`, as the contract
says; a prefix goes before that. There is no catch-all: any other address is the host's, also below
these.
"""

from django.urls import include, path

from streaming.urls import calls

app_name = "liveai"
PARTS = ("api/", "v1/")

urlpatterns = [
    path("api/", include(calls)),
    path("v1/", include("streaming.dialects.openai_urls")),
]
