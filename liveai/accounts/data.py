"""The page "Your data", for users and anonymous visitors: what is stored, exports, and deletion."""

from __future__ import annotations

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from streaming.access.visitor import Visitor, visitor_of
from streaming.errors import Refused
from streaming.http.endpoint import answer_on_loop
from streaming.own_data.deleting import delete_all
from streaming.own_data.overview import join_overtaken, look_over
from streaming.process import Process

OUTCOMES = {
    "deleted": "All of your answers are deleted.",
    "left": "Many of your answers are deleted. Some are left: delete again to continue.",
    "failed": "Not all of your answers could be deleted. Please try again.",
}


@never_cache
@require_safe
def data(request: HttpRequest) -> HttpResponse:
    """Show what is stored of the visitor, and for how long."""
    visitor = _visitor(request)
    if visitor is None:
        return redirect_to_login(request.get_full_path())
    overview = look_over(visitor)
    outcome = request.GET.get("outcome", "")
    if outcome in OUTCOMES and not (overview.count and outcome == "failed"):
        outcome = "left" if overview.count else "deleted"  # a link must not say what is not true
    context = {
        "overview": overview,
        "outcome": OUTCOMES.get(outcome),
        "is_deleted": outcome == "deleted",
    }
    return render(request, "account/data.html", context)


@never_cache
@require_http_methods(["GET", "POST"])
def delete_answers(request: HttpRequest) -> HttpResponseBase:
    """Ask whether to delete all answers, and do it. A POST holds no thread meanwhile."""
    visitor = _visitor(request)
    if visitor is None:
        return redirect_to_login(request.get_full_path())
    if request.method != "POST":
        context = {"overview": look_over(visitor)}
        return render(request, "account/delete_answers.html", context)
    page = reverse("account_data")

    async def delete(process: Process) -> HttpResponse:
        try:
            deleting = delete_all(process, visitor)
            done = await process.connections.until_dismissed(deleting)
        except Refused:
            return HttpResponseRedirect(f"{page}?outcome=failed")
        return HttpResponseRedirect(f"{page}?outcome={'deleted' if done['complete'] else 'left'}")

    return answer_on_loop(delete, request=request)


def _visitor(request: HttpRequest) -> Visitor | None:
    """Return who asks; None where that takes an account."""
    client = request.META.get("REMOTE_ADDR")
    try:
        visitor = visitor_of(request.user, request.session, client=client)
    except Refused:
        return None
    join_overtaken(visitor)
    return visitor
