"""The site's admin: the dashboard is its first page, and its lists are grouped by task."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import AdminSite, ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse

from frontend.build import fonts_url
from streaming.access.staff import may_see_streams

from .client_input import with_own_filters, without_nul
from .menu import Entry, group, page_entry


class OperatingSite(AdminSite):
    site_header = site_title = "Live AI Blocks"
    index_title = "Dashboard"
    empty_value_display = "–"
    index_template = "operating/dashboard.html"

    def register(
        self, model_or_iterable: Any, admin_class: type[ModelAdmin] | None = None, **options: Any
    ) -> None:
        """Register a list that accepts only its own filters. So do those of other packages."""
        narrowed = with_own_filters(admin_class or ModelAdmin)
        super().register(model_or_iterable, narrowed, **options)

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Wrap each page of the admin: staff only, and no NUL characters."""
        return super().admin_view(without_nul(view), cacheable)

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        return {**super().each_context(request), "fonts_url": fonts_url()}

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        apps = super().get_app_list(request, app_label)
        if app_label is not None:
            return apps
        pages: dict[str, list[Entry]] = {}
        if may_see_streams(request.user):
            spent = reverse("admin:operating_spent", current_app=self.name)
            pages["Costs"] = [page_entry("What a user spent", "Spent", spent)]
        return group(apps, pages)

    def get_urls(self) -> list[URLPattern | URLResolver]:
        spent = path("spent/", self.admin_view(self.spent), name="operating_spent")
        return [spent, *super().get_urls()]

    def index(self, request: HttpRequest, extra_context: Any = None) -> TemplateResponse:
        """Show the dashboard to those who may see streams; to others only the lists."""
        # Imported here, as Django asks for this class before the models are loaded.
        from . import dashboard

        context = dict(extra_context or {})
        if may_see_streams(request.user):
            context |= dashboard.context_of(request.GET.get("period", ""))
        response = super().index(request, context)
        if retry := context.get("retry_seconds"):
            response.status_code = 503
            response.headers["Retry-After"] = f"{retry:.0f}"
        return response

    def spent(self, request: HttpRequest) -> HttpResponse:
        """Show what a user spent."""
        from . import spent

        if not may_see_streams(request.user):
            raise PermissionDenied
        context = {**self.each_context(request), **spent.context_of(request.GET)}
        return TemplateResponse(request, "operating/spent.html", context)
