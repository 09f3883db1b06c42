"""The admin of limits: rows for users, groups and visitors, and what they mean for one user now."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from blocks.catalog import list_blocks
from blocks.models import BlockType
from blocks.runtime.meter import most_tokens

from ..access.owners import user_owner
from ..access.visitor import Visitor
from ..admission import forecast
from ..admission.forecast import Forecast
from ..admission.retention import plan_of
from ..admission.subjects import subjects_of
from ..errors import Refused
from ..http.admin_initial import ValidInitial
from ..http.request_threads import on_loop
from ..limits import Subjects
from ..models import Limit
from ..process import ensure_started

OF_GROUPS = (Limit.Whose.MEMBER, Limit.Whose.TOGETHER)

WHOSE = {
    "owner": "the user",
    "at_address": "the anonymous visitors of the address together",
    "address": "the address",
    "group": "a group together",
    "anonymous": "all anonymous visitors together",
    "all": "everybody together",
}


class LimitForm(forms.ModelForm):
    """Requires the group or the user that a limit applies to, and nothing else."""

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        whose = cleaned.get("whose")
        for name, kinds in (("group", OF_GROUPS), ("user", (Limit.Whose.USER,))):
            if whose in kinds and not cleaned.get(name):
                self.add_error(name, f"Choose a {name}.")
            if whose not in kinds and cleaned.get(name):
                self.add_error(name, "Leave this empty: the limit applies to others.")
        if cleaned.get("retention_days") is not None and whose not in Limit.WITH_RETENTION:
            self.add_error(
                "retention_days", "Leave this empty: answers belong to users and visitors."
            )
        return cleaned


@admin.register(Limit)
class LimitAdmin(ValidInitial):
    """Limits and retention: rows override the environment, one figure at a time."""

    form = LimitForm
    list_display = (
        "__str__",
        "starts_per_minute",
        "starts_per_hour",
        "running",
        "day_tokens",
        "month_tokens",
        "retention_days",
    )
    list_filter = ("whose",)
    raw_id_fields = ("user", "group")
    change_list_template = "streaming/limits.html"
    fieldsets = (
        (None, {"fields": ("whose", "group", "user")}),
        (
            "Limits",
            {
                "fields": (
                    "starts_per_minute",
                    "starts_per_hour",
                    "running",
                    "tokens_per_day",
                    "tokens_per_month",
                ),
                "description": "Empty: as configured. 0: no limit. A user’s own limit comes first, "
                "then the most generous of the user’s groups, then that of all users. "
                "Days and months are those of UTC.",
            },
        ),
        (
            "Retention",
            {
                "fields": ("retention_days",),
                "description": "Ended answers are deleted after so many days. Empty: as "
                "configured, 0: never. It can be set for users, members of a group, one user, and "
                "anonymous visitors. A user’s own row comes first, then the most generous group.",
            },
        ),
    )

    @admin.display(description="tokens per day", ordering="tokens_per_day")
    def day_tokens(self, row: Limit) -> str | None:
        return _grouped(row.tokens_per_day)

    @admin.display(description="tokens per month", ordering="tokens_per_month")
    def month_tokens(self, row: Limit) -> str | None:
        return _grouped(row.tokens_per_month)

    def get_autocomplete_fields(self, request: HttpRequest) -> list[str]:
        """Search users and groups, where the admin of their model can: another one may not."""
        admins = {
            name: self.admin_site._registry.get(Limit._meta.get_field(name).related_model)  # type: ignore[arg-type]
            for name in self.raw_id_fields
        }
        return [name for name, found in admins.items() if found and found.search_fields]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.what_now)
        return [path("now/", view, name="streaming_limit_now"), *super().get_urls()]

    def what_now(self, request: HttpRequest) -> HttpResponse:
        """Show what would happen to a user's next start, and how much of each limit is used."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = WhoForm(request.GET or None)
        found, rows, kept = None, [], None
        if form.is_valid():
            user = form.cleaned_data["user"]
            found = foresee(user, form.cleaned_data["block_type"])
            whose = WHOSE if user is not None else {**WHOSE, "owner": "the visitor"}
            rows = [(whose[gauge.whose], gauge) for gauge in found.gauges]
            kept = plan_of(None if user is None else user.pk)
        context = {
            **self.admin_site.each_context(request),
            "opts": Limit._meta,
            "title": "What would happen now",
            "form": form,
            "found": found,
            "rows": rows,
            "kept": kept,
        }
        return TemplateResponse(request, "streaming/limits_now.html", context)


def _grouped(number: int | None) -> str | None:
    """`2,000,000`: the zeros of a long number can't be counted by eye."""
    return None if number is None else f"{number:,}"


class WhoForm(forms.Form):
    """Names a user, or nobody for a new anonymous visitor."""

    name = forms.CharField(
        label="User name",
        required=False,
        max_length=254,
        help_text="Empty: a visitor who is not signed in, and new.",
    )
    block_type = forms.ModelChoiceField(
        BlockType.objects.none(), label="Block", to_field_name="slug"
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        blocks = BlockType.objects.filter(enabled=True)
        field: Any = self.fields["block_type"]
        field.queryset = blocks
        if listed := list_blocks():
            field.initial = listed[0].slug

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        cleaned["user"] = None
        if name := cleaned.get("name"):
            users = get_user_model()._default_manager
            field = get_user_model().USERNAME_FIELD
            cleaned["user"] = users.filter(**{field: name}).first()
            if cleaned["user"] is None:
                self.add_error("name", "User not found.")
        return cleaned


def foresee(user: Any, block: BlockType) -> Forecast:
    """Return what would happen to the next start of a user, or of a new anonymous visitor (None).

    The address is left out, because it is not known. Synchronous ORM.
    """
    if user is None:
        visitor = Visitor("anonymous:new", None, "new")
    else:
        visitor = Visitor(user_owner(user.pk), user.pk, None)
    subjects = subjects_of(visitor)
    if user is None and not settings.AI_ALLOW_ANONYMOUS:
        return Forecast([], Refused("not_authenticated"))
    if user is not None and not user.is_active:
        return Forecast([], Refused("not_authenticated", "The account is not active."))
    by_rates, refused = on_loop(lambda: _ask_rates(subjects))
    refused = refused or forecast.refusal_by_rows(subjects, most_tokens(block.spec(), "", {}))
    return Forecast([*by_rates, *forecast.gauges_of_rows(subjects)], refused)


async def _ask_rates(subjects: Subjects) -> tuple[list[forecast.Gauge], Refused | None]:
    rates = (await ensure_started()).rates
    gauges = await forecast.gauges_of_rates(rates, subjects)
    return gauges, await forecast.refusal_by_rates(rates, subjects)
