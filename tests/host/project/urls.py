import host_api
from django.conf.urls.i18n import i18n_patterns
from django.contrib import admin
from django.urls import path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/notes/<int:number>", host_api.Notes.as_view()),
    path("enter", host_api.enter),
    *i18n_patterns(path("page", host_api.page, name="page")),
]
