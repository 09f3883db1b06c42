"""Where the apps' addresses meet."""

from django.contrib import admin
from django.urls import include, path

from streaming.views import UnknownView

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api", UnknownView.as_view()),  # else it would be sent on to /api/, a page's way
    path("api/", include("streaming.urls")),
    path("", include("frontend.urls")),
]

handler400 = "streaming.api.problems.bad_request"
handler403 = "streaming.api.problems.permission_denied"
handler404 = "streaming.api.problems.page_not_found"
handler500 = "streaming.api.problems.server_error"
