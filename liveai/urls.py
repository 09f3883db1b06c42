"""The root URL configuration."""

from django.contrib import admin
from django.urls import include, path, re_path

from frontend.views import unknown
from streaming.dialects import openai_urls
from streaming.views import UnknownView

urlpatterns = [
    path("api", UnknownView.as_view()),  # else Django would redirect it to /api/, as for a page
    path("api/", include("streaming.urls")),
    path("v1", UnknownView.as_view()),
    path("v1/", include([*openai_urls.urlpatterns, re_path("", UnknownView.as_view())])),
    path("account/tokens/", include("liveai.api_tokens.urls")),
    path("account/", include("liveai.accounts.urls")),
    path("admin/blocks/blocktype/", include("streaming.preview.urls")),
    path("admin/", admin.site.urls),
    path("", include("frontend.urls")),
    re_path("", unknown),  # any other address; `<path:path>` would leave out line breaks
]

handler400 = "streaming.http.problems.bad_request"
handler403 = "streaming.http.problems.permission_denied"
handler404 = "streaming.http.problems.page_not_found"
handler429 = "liveai.accounts.views.too_many_requests"  # allauth's, for its rates
handler500 = "streaming.http.problems.server_error"
